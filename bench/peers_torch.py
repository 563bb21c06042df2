"""The peers' side of `npm run bench:peers`: one method of lightly or solo-learn on the trunk `small`, in PyTorch.

Prints the versions as a JSON line, then reads one JSON command a line from standard input and answers with one JSON line:
{"train": epochs} trains on; {"features": {"train": path, "test": path}} writes features of both parts as raw float32 and gives
their k-NN accuracy by lightly's own function;
{"adopt": path} takes heads, prototypes and the like from a safetensors file; {"steps": n} times n steps on the same batch of noise;
end of input ends it.

usage: python peers_torch.py SETUP.json
SETUP: see `PeerSetup` in peers-python.ts.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy
import torch
from lightly.models.utils import get_weight_decay_parameters
from lightly.utils.benchmarking.knn import knn_predict
from torch.nn import functional

from peers_data import normalise, open_loader, read_pictures
from peers_methods import Representation, learners
from train_torch import Small, read_safetensors


def open_trunk(setup):
    network = Small()
    _, unexpected = network.load_state_dict(read_safetensors(setup["weights"]), strict=False)
    if unexpected:
        sys.exit(f"the weights do not fit: unexpected {unexpected}")
    return Representation(network.features[:-1])


class Run:
    def __init__(self, setup):
        self.setup = setup
        torch.manual_seed(setup["seed"])
        self.pictures = read_pictures(setup["trainPictures"], setup["size"])
        self.test = read_pictures(setup["testPictures"], setup["size"])
        setup["count"] = len(self.pictures)
        self.normalise = normalise(setup)
        self.loader = open_loader(self.pictures, setup)
        self.trunk = open_trunk(setup)
        setup["steps"] = len(self.loader) * setup["epochs"]
        self.learner = learners[setup["method"]](self.trunk, setup["channels"], setup)
        if setup["channelsLast"]:
            for module in self.learner.modules:
                module.to(memory_format=torch.channels_last)
        decayed, undecayed = get_weight_decay_parameters(self.learner.modules)
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed}, {"params": undecayed, "weight_decay": 0.0}],
            lr=setup["rate"],
            weight_decay=setup["weightDecay"],
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self.share_of_rate)
        self.step, self.epoch = 0, 0

    def share_of_rate(self, step):
        return (1 + torch.cos(torch.tensor(torch.pi * step / self.setup["steps"])).item()) / 2

    def take_step(self, indices, views):
        self.optimizer.zero_grad(set_to_none=True)
        self.learner.before_step(self.step)
        loss = self.learner.loss(views, indices, self.step)
        loss.backward()
        self.optimizer.step()
        self.step += 1
        return loss.item()

    def train(self, epochs):
        losses, step_seconds = [], []
        began = time.perf_counter()
        for _ in range(epochs):
            self.learner.before_epoch(self.epoch, self.plain_batches)
            for indices, views in self.loader:
                started = time.perf_counter()
                losses.append(self.take_step(indices, self.laid_out(views)))
                self.schedule.step()
                step_seconds.append(time.perf_counter() - started)
            self.epoch += 1
        seconds = time.perf_counter() - began
        return {"losses": losses, "seconds": seconds, "stepSeconds": sorted(step_seconds)[len(step_seconds) // 2]}

    def laid_out(self, views):
        if not self.setup["channelsLast"]:
            return views
        return [view.contiguous(memory_format=torch.channels_last) for view in views]

    def time_steps(self, count):
        """Steps on one batch, the same every time: the computation alone, without the rendering of views."""
        indices = torch.arange(self.setup["batch"])
        views = self.laid_out(self.noise())
        losses, seconds, cpu_seconds = [], [], []
        for _ in range(count):
            began, used = time.perf_counter(), time.process_time()
            losses.append(self.take_step(indices, views))
            seconds.append(time.perf_counter() - began)
            cpu_seconds.append(time.process_time() - used)
        return {"losses": losses, "seconds": seconds, "cpuSeconds": cpu_seconds}

    def noise(self):
        """The views that the setup names, raw float32 `[batch, side, side, 3]`, in PyTorch's order."""
        views = []
        for path, side in zip(self.setup["noise"]["files"], self.setup["noise"]["sides"]):
            values = numpy.fromfile(path, dtype="<f4").reshape(-1, side, side, 3)
            views.append(torch.from_numpy(values).permute(0, 3, 1, 2).contiguous())
        return views

    def plain_batches(self):
        """Full batches `(indices, pictures)` of the training part as it is, in a drawn order."""
        for indices in torch.randperm(len(self.pictures)).split(self.setup["batch"]):
            if len(indices) == self.setup["batch"]:
                yield indices, self.plain(self.pictures[indices])

    def plain(self, pictures):
        size = self.setup["inputSize"]
        pixels = self.normalise(pictures)
        return functional.interpolate(pixels, (size, size), mode="bilinear", align_corners=False)

    @torch.no_grad()
    def take_statistics_anew(self):
        """Running statistics as the plain average over batches of the pictures that the setup names."""
        norms = [module for module in self.trunk.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        self.trunk.train()
        for indices in torch.tensor(self.setup["statistics"]).split(self.setup["statisticsBatch"]):
            self.trunk(self.plain(self.pictures[indices]))
        for norm in norms:
            norm.momentum = 0.1

    @torch.no_grad()
    def features(self, pictures):
        self.trunk.eval()
        return torch.cat([self.trunk(self.plain(part)) for part in pictures.split(64)])

    def write_features(self, paths):
        self.take_statistics_anew()
        rows = {"train": self.features(self.pictures), "test": self.features(self.test)}
        self.trunk.train()
        for part, path in paths.items():
            rows[part].contiguous().numpy().astype("<f4").tofile(path)
        return {"knn": self.knn(rows)}

    def knn(self, rows):
        """Top-1 in percent by lightly's function, beside that of the bench on the same features."""
        bank = functional.normalize(rows["train"], dim=1)
        queries = functional.normalize(rows["test"], dim=1)
        labels, truth = torch.tensor(self.setup["trainLabels"]), torch.tensor(self.setup["testLabels"])
        classes, vote = int(labels.max()) + 1, self.setup["knn"]
        named = knn_predict(queries, bank.T, labels, classes, knn_k=vote["k"], knn_t=vote["sigma"])[:, 0]
        return 100 * (named == truth).float().mean().item()


def main():
    with open(sys.argv[1]) as file:
        setup = json.load(file)
    torch.set_num_threads(setup["threads"])
    run = Run(setup)
    versions = {name: version(name) for name in ("torch", "torchvision", "lightly", "solo-learn")}
    print(json.dumps({"versions": versions, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if "train" in command:
            answer = run.train(command["train"])
        elif "adopt" in command:
            run.learner.adopt(read_safetensors(command["adopt"]))
            answer = {"adopted": True}
        elif "features" in command:
            answer = run.write_features(command["features"])
        else:
            answer = run.time_steps(command["steps"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
