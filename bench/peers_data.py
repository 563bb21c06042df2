"""Pictures of the peers' runs (`peers_torch.py`): the decoded pixels that the bench wrote, and their views by torchvision."""

import math

import numpy
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

# The side of the views, px, that a policy's `blurSigma` is measured at.
BLUR_REFERENCE_SIZE = 224


def read_pictures(path, size):
    """Raw bytes `[count, size, size, 3]` as `[count, 3, size, size]`."""
    pixels = numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, size, size, 3)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def normalise(setup):
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(setup["mean"], setup["std"])])


def augmentation(policy, size, setup):
    """A policy of `src/images/augmentation.ts` in torchvision's own parts."""
    strengths = [policy[name] for name in ("brightness", "contrast", "saturation", "hue")]
    parts = [
        v2.RandomResizedCrop(size, scale=policy["cropArea"], ratio=policy["cropRatio"], antialias=True),
        v2.RandomHorizontalFlip(policy["flip"]),
    ]
    if policy["jitter"] > 0:
        parts.append(v2.RandomApply([v2.ColorJitter(*strengths)], p=policy["jitter"]))
    if policy["grey"] > 0:
        parts.append(v2.RandomGrayscale(policy["grey"]))
    if policy["blur"] > 0:
        low, high = (sigma * size / BLUR_REFERENCE_SIZE for sigma in policy["blurSigma"])
        kernel = 2 * max(1, round(3 * high)) + 1
        parts.append(v2.RandomApply([v2.GaussianBlur(kernel, (low, high))], p=policy["blur"]))
    if policy["solarize"] > 0:
        parts.append(v2.RandomSolarize(255 * policy["solarizeThreshold"], p=policy["solarize"]))
    return v2.Compose([*parts, normalise(setup)])


class Views(Dataset):
    """Views of every picture, with its number."""

    def __init__(self, pictures, transforms):
        self.pictures = pictures
        self.transforms = transforms

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return index, [transform(self.pictures[index]) for transform in self.transforms]


class SharedViews:
    """Full batches `(indices, views)` as the other side had them: every iteration is the next epoch."""

    def __init__(self, files, setup):
        sides = [setup["inputSize"]] * 2
        local = setup.get("local")
        if local:
            sides += [local["size"]] * local["crops"]
        batch = setup["batch"]
        self.shapes = [(batch, side, side, 3) for side in sides]
        self.indices = numpy.fromfile(files["indices"], dtype="<i4").reshape(-1, batch)
        self.values = numpy.memmap(files["values"], dtype="<f4", mode="r").reshape(len(self.indices), -1)
        self.steps = setup["count"] // batch
        self.epoch = 0

    def __len__(self):
        return self.steps

    def __iter__(self):
        begin = self.epoch * self.steps
        self.epoch += 1
        for step in range(begin, begin + self.steps):
            yield torch.from_numpy(self.indices[step]).long(), self.views(self.values[step])

    def views(self, values):
        views, begin = [], 0
        for shape in self.shapes:
            end = begin + math.prod(shape)
            view = torch.from_numpy(values[begin:end].reshape(shape).copy())
            views.append(view.permute(0, 3, 1, 2).contiguous())
            begin = end
        return views


def start_worker(_):
    # Workers share the cores with the training; more threads each would only fight for them.
    torch.set_num_threads(1)


def open_loader(pictures, setup):
    """Full batches `(indices, views)`, epoch by epoch: those that the setup names, or in a new order every epoch, rendered by worker
    processes beside the training."""
    shared = setup.get("views")
    if shared:
        return SharedViews(shared, setup)
    transforms = [augmentation(setup["augmentation"], setup["inputSize"], setup)] * 2
    local = setup.get("local")
    if local:
        transforms += [augmentation(local["augmentation"], local["size"], setup)] * local["crops"]
    workers = setup["workers"]
    return DataLoader(
        Views(pictures, transforms),
        batch_size=setup["batch"],
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=start_worker,
        generator=torch.Generator().manual_seed(setup["seed"]),
    )
