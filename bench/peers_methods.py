"""The peers' methods on the trunk `small`: heads, losses and momentum of lightly, clustering and loss of solo-learn.

A learner has `modules` (what the optimiser moves), `loss(views, indices, step)`, `before_epoch(epoch, plain_batches)`,
`before_step(step)`, and `adopt(arrays)`, which takes the values of this project's method. Which part is called when follows
lightly's own benchmarks and solo-learn's methods, but that SwAV and DeepCluster v2 pass large crops through the trunk together, as
their authors do and this project does.
"""

import copy
import importlib.util
import os

import torch
from lightly.loss import NegativeCosineSimilarity, NTXentLoss, SwaVLoss
from lightly.models.modules.heads import (
    BYOLPredictionHead,
    BYOLProjectionHead,
    MoCoProjectionHead,
    SimCLRProjectionHead,
    SwaVProjectionHead,
    SwaVPrototypes,
)
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.utils.scheduler import cosine_schedule
from torch import nn
from torch.nn import functional


class Representation(nn.Module):
    """The trunk's last map, averaged over its cells: `[batch, channels]`."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        return self.layers(x).mean(dim=(2, 3))


class Learner:
    # Dense layers by the name that this project's variables begin with.
    parts = {}

    def adopt(self, arrays):
        for prefix, layers in self.parts.items():
            known = layers.state_dict()
            own = {name: arrays[f"{prefix}.{name}"] for name in known if f"{prefix}.{name}" in arrays}
            missing = [name for name in known if name not in own and name.split(".")[-1] in ("weight", "bias")]
            if missing:
                raise ValueError(f"expected {prefix}.{missing[0]} among {sorted(arrays)}")
            layers.load_state_dict(own, strict=False)

    def before_epoch(self, epoch, plain_batches):
        pass

    def before_step(self, step):
        pass


class SimCLR(Learner):
    def __init__(self, trunk, dim, setup):
        self.trunk = trunk
        self.head = SimCLRProjectionHead(dim, setup["hidden"], setup["dim"], batch_norm=setup["batchNorm"])
        self.criterion = NTXentLoss(temperature=setup["temperature"])
        self.modules = [self.trunk, self.head]
        self.parts = {"projector": self.head.layers}

    def loss(self, views, indices, step):
        first, second = self.head(self.trunk(torch.cat(views))).chunk(2)
        return self.criterion(first, second)


class MoCo(Learner):
    def __init__(self, trunk, dim, setup):
        self.trunk = trunk
        self.head = MoCoProjectionHead(dim, setup["hidden"], setup["dim"])
        self.key_trunk, self.key_head = copy.deepcopy(trunk), copy.deepcopy(self.head)
        for module in (self.key_trunk, self.key_head):
            deactivate_requires_grad(module)
        self.momentum = setup["momentum"]
        self.criterion = NTXentLoss(
            temperature=setup["temperature"], memory_bank_size=(min(setup["queue"], setup["count"]), setup["dim"])
        )
        self.modules = [self.trunk, self.head]
        self.parts = {"projector": self.head.layers}

    def adopt(self, arrays):
        super().adopt(arrays)
        self.key_head.load_state_dict(self.head.state_dict())
        self.criterion.memory_bank.bank.copy_(arrays["queue"])

    def before_step(self, step):
        update_momentum(self.trunk, self.key_trunk, self.momentum)
        update_momentum(self.head, self.key_head, self.momentum)

    def loss(self, views, indices, step):
        query = self.head(self.trunk(views[0]))
        with torch.no_grad():
            key = self.key_head(self.key_trunk(views[1]))
        return self.criterion(query, key)


class BYOL(Learner):
    def __init__(self, trunk, dim, setup):
        hidden, output = setup["hidden"], setup["dim"]
        self.trunk = trunk
        self.head = BYOLProjectionHead(dim, hidden, output)
        self.predictor = BYOLPredictionHead(output, hidden, output)
        self.target_trunk, self.target_head = copy.deepcopy(trunk), copy.deepcopy(self.head)
        for module in (self.target_trunk, self.target_head):
            deactivate_requires_grad(module)
        self.momentum, self.steps = setup["momentum"], setup["steps"]
        self.criterion = NegativeCosineSimilarity()
        self.modules = [self.trunk, self.head, self.predictor]
        self.parts = {"projector": self.head.layers, "predictor": self.predictor.layers}

    def adopt(self, arrays):
        super().adopt(arrays)
        self.target_head.load_state_dict(self.head.state_dict())

    def before_step(self, step):
        momentum = cosine_schedule(min(step, self.steps - 1), self.steps, self.momentum, 1.0)
        update_momentum(self.trunk, self.target_trunk, momentum)
        update_momentum(self.head, self.target_head, momentum)

    def loss(self, views, indices, step):
        with torch.no_grad():
            targets = [self.target_head(self.target_trunk(view)) for view in views]
        predictions = [self.predictor(self.head(self.trunk(view))) for view in views]
        # The criterion is the negative cosine; the paper's squared distance of unit rows is 2 + 2 times that.
        terms = [self.criterion(targets[i], predictions[1 - i]) for i in range(2)]
        return 4 + 2 * sum(terms)


def project_crops(trunk, head, views):
    """Unit rows of all crops, view after view; crops of one size pass through the trunk together."""
    large = [view for view in views if view.shape == views[0].shape]
    small = views[len(large) :]
    rows = [trunk(torch.cat(crops)) for crops in (large, small) if crops]
    return functional.normalize(head(torch.cat(rows)), dim=1)


class SwAV(Learner):
    def __init__(self, trunk, dim, setup):
        self.trunk = trunk
        self.head = SwaVProjectionHead(dim, setup["hidden"], setup["dim"])
        self.frozen = setup["frozenSteps"]
        self.prototypes = SwaVPrototypes(setup["dim"], setup["prototypes"], n_steps_frozen_prototypes=self.frozen)
        # Lightly's prototypes have an offset each, the paper's and this project's have none.
        for layer in self.prototypes.heads:
            layer.register_parameter("bias", None)
        self.criterion = SwaVLoss(
            temperature=setup["temperature"],
            sinkhorn_iterations=setup["iterations"],
            sinkhorn_epsilon=setup["epsilon"],
        )
        self.modules = [self.trunk, self.head, self.prototypes]
        self.parts = {"projector": self.head.layers}

    @torch.no_grad()
    def adopt(self, arrays):
        super().adopt(arrays)
        (layer,) = self.prototypes.heads
        layer.weight.copy_(arrays["prototypes"])

    def loss(self, views, indices, step):
        self.prototypes.normalize()
        outputs = self.prototypes(project_crops(self.trunk, self.head, views), step=step).chunk(len(views))
        return self.criterion(outputs[:2], outputs[2:]).squeeze()


def solo_module(name):
    """A file of the installed solo-learn by itself: its packages import programs that no wheel for this Python has."""
    (root,) = importlib.util.find_spec("solo").submodule_search_locations
    spec = importlib.util.spec_from_file_location(f"solo_{name.replace('/', '_')}", os.path.join(root, f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class DeepClusterV2(Learner):
    """Head, loss and clustering as solo-learn's. A pass over the data before the first epoch fills the memory, as the authors do
    (solo-learn learns nothing in its first epoch), and as this project does it from plain pictures, by batch statistics."""

    def __init__(self, trunk, dim, setup):
        hidden, output = setup["hidden"], setup["dim"]
        self.trunk = trunk
        self.head = nn.Sequential(
            nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, output)
        )
        self.criterion = solo_module("losses/deepclusterv2").deepclusterv2_loss_func
        self.temperature = setup["temperature"]
        self.crops = 2
        self.clusters = [setup["prototypes"]] * setup["heads"]
        self.kmeans = solo_module("utils/kmeans").KMeans(
            world_size=1,
            rank=0,
            num_large_crops=self.crops,
            dataset_size=setup["count"],
            proj_features_dim=output,
            num_prototypes=self.clusters,
            kmeans_iters=setup["iterations"],
        )
        rows = setup["count"] // setup["batch"] * setup["batch"]
        self.memory_indices = torch.zeros(rows, dtype=torch.long)
        self.memory = functional.normalize(torch.randn(self.crops, rows, output), dim=-1)
        self.filled = 0
        self.modules = [self.trunk, self.head]
        self.parts = {"projector": self.head}

    def adopt(self, arrays):
        super().adopt(arrays)
        if "centroids/0" not in arrays:
            return
        heads = range(len(self.clusters))
        self.centroids = [arrays[f"centroids/{head}"] for head in heads]
        self.assignments = torch.stack([arrays[f"assignment/{head}"].long() for head in heads])

    def project(self, views):
        return project_crops(self.trunk, self.head, views).chunk(len(views))

    def remember(self, indices, rows):
        to = slice(self.filled, self.filled + len(indices))
        self.memory_indices[to] = indices
        for crop, values in enumerate(rows):
            self.memory[crop][to] = values.detach()
        self.filled = to.stop % len(self.memory_indices)

    @torch.no_grad()
    def before_epoch(self, epoch, plain_batches):
        if epoch == 0:
            for indices, pictures in plain_batches():
                self.remember(indices, self.project([pictures]) * self.crops)
        self.assignments, self.centroids = self.kmeans.cluster_memory(self.memory_indices, self.memory)

    def loss(self, views, indices, step):
        rows = self.project(views)
        scores = [torch.stack([view @ centroids.T for centroids in self.centroids]) for view in rows]
        loss = self.criterion(torch.stack(scores, dim=1), self.assignments[:, indices], self.temperature)
        self.remember(indices, rows[: self.crops])
        return loss


learners = {"simclr": SimCLR, "moco-v2": MoCo, "byol": BYOL, "swav": SwAV, "deepcluster-v2": DeepClusterV2}
