"""The PyTorch side of `npm run bench:train`: the same network, weights, batch and step as the bench's own side.

Reads one JSON command a line from standard input and answers with one JSON line:
{"steps": n} takes n training steps and gives their seconds; {"save": folder} writes the weights; end of input ends it.

usage: python train_torch.py SETUP.json
SETUP: model (folder), code (the Python of docs/weights.md that loads it), batch (raw float32, NHWC), images, threads,
channelsLast, margin, negatives, rate, momentum, weightDecay
"""

import importlib.util
import json
import os
import resource
import sys
import time

import numpy
import torch
from safetensors.torch import save_file
from torch.nn import functional


def load_network(code, folder):
    spec = importlib.util.spec_from_file_location("network", code)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(folder)


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
    model = load_network(setup["code"], setup["model"])
    batch = torch.from_numpy(numpy.fromfile(setup["batch"], dtype="<f4"))
    side = round((batch.numel() / setup["images"] / 3) ** 0.5)
    batch = batch.reshape(setup["images"], side, side, 3).permute(0, 3, 1, 2).contiguous()
    if setup["channelsLast"]:
        model = model.to(memory_format=torch.channels_last)
        batch = batch.contiguous(memory_format=torch.channels_last)
    model.train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=setup["rate"], momentum=setup["momentum"], weight_decay=setup["weightDecay"]
    )
    print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if "save" in command:
            os.makedirs(command["save"], exist_ok=True)
            # ResNet's embedding is wrapped in what scales it to length 1.
            arrays = {
                name.replace("fc.0.", "fc.") if hasattr(model, "layer1") else name: values.contiguous()
                for name, values in model.state_dict().items()
                if values.is_floating_point()
            }
            save_file(arrays, os.path.join(command["save"], "weights.safetensors"))
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
