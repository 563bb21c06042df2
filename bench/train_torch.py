"""The PyTorch side of `npm run bench:train`: the same network, weights, batch and step as the bench's own side.

Reads one JSON command a line from standard input and answers with one JSON line:
{"steps": n} takes n training steps and gives their seconds; {"save": path} writes the weights; end of input ends it.

usage: python train_torch.py SETUP.json
SETUP: weights (safetensors), batch (raw float32, NHWC), images, size, threads, channelsLast, margin, negatives, rate, momentum,
weightDecay
"""

import json
import resource
import struct
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
        arrays[name] = torch.from_numpy(values.copy())
    return arrays


def write_safetensors(path, tensors):
    header, parts, offset = {}, [], 0
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            continue
        part = tensor.detach().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def block(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class Small(nn.Module):
    """The trunk `small`, layer by layer; numbers in the names of weights follow from the order here."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 48, 9, stride=4, padding=4, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *block(48, 128),
            nn.MaxPool2d(2),
            *block(128, 192),
            *block(192, 192),
            *block(192, 128),
            nn.MaxPool2d(2),
        )
        self.fc = nn.Sequential(nn.Linear(128 * 3 * 3, 512), nn.ReLU(), nn.Linear(512, 256))

    def forward(self, x):
        x = self.fc(torch.flatten(self.features(x), 1))
        return x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-6)


def ranking_loss(embedding, margin, negatives):
    """Both members of a pair against the rows most similar to the first one; every pair is of another video."""
    first, second = embedding.chunk(2)
    pairs = len(first)
    to_first, to_second = first @ embedding.T, second @ embedding.T
    positive = (first * second).sum(1, keepdim=True)
    with torch.no_grad():
        own = torch.arange(pairs)
        candidates = to_first - positive + margin > 0
        candidates[own, own] = False
        candidates[own, own + pairs] = False
        ranked = torch.where(candidates, to_first, torch.tensor(-torch.inf))
        best = ranked.topk(negatives, dim=1)
        selected = torch.zeros_like(to_first).scatter_(1, best.indices, (best.values > -torch.inf).float())
    terms = functional.relu(to_first - positive + margin) + functional.relu(to_second - positive + margin)
    return (terms * selected).sum() / (2 * negatives * pairs)


def main():
    with open(sys.argv[1]) as file:
        setup = json.load(file)
    torch.set_num_threads(setup["threads"])
    model = Small()
    missing, unexpected = model.load_state_dict(read_safetensors(setup["weights"]), strict=False)
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        sys.exit(f"the weights do not fit: missing {missing}, unexpected {unexpected}")
    shape = (setup["images"], setup["size"], setup["size"], 3)
    batch = torch.from_numpy(numpy.fromfile(setup["batch"], dtype="<f4").reshape(shape)).permute(0, 3, 1, 2).contiguous()
    if setup["channelsLast"]:
        model = model.to(memory_format=torch.channels_last)
        batch = batch.contiguous(memory_format=torch.channels_last)
    model.train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=setup["rate"], momentum=setup["momentum"], weight_decay=setup["weightDecay"]
    )
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if "save" in command:
            write_safetensors(command["save"], model.state_dict())
            print(json.dumps({"saved": command["save"]}), flush=True)
            continue
        seconds, cpu_seconds, loss = [], [], 0.0
        for _ in range(command["steps"]):
            began, used = time.perf_counter(), time.process_time()
            optimizer.zero_grad(set_to_none=True)
            value = ranking_loss(model(batch), setup["margin"], setup["negatives"])
            value.backward()
            optimizer.step()
            loss = value.item()
            seconds.append(time.perf_counter() - began)
            cpu_seconds.append(time.process_time() - used)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "cpuSeconds": cpu_seconds, "loss": loss, "peakBytes": peak}), flush=True)


if __name__ == "__main__":
    main()
