"""Files of torchvision's networks with every array drawn at random, and their features, for the long test of imports.

usage: python torchvision_files.py JOB.json
JOB: {architecture, images: raw float32 NHWC, side, layers: {our name: node}, output: folder}; writes into it weights.pth,
weights.before16.pth, weights.safetensors, weights.channels-last.pth and LAYER.f32, maps as [batch, height, width, channels].
"""

import json
import sys

import numpy
import torch
import torchvision
from safetensors.torch import save_file
from torchvision.models.feature_extraction import create_feature_extractor


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1]) as file:
        job = json.load(file)
    torch.manual_seed(5)
    model = getattr(torchvision.models, job["architecture"])()
    with torch.no_grad():
        for name, values in [*model.named_parameters(), *model.named_buffers()]:
            if values.ndim != 1:
                continue
            if name.endswith(("bias", "running_mean")):
                values.normal_(0, 0.1)
            else:
                values.uniform_(0.5, 1.5)
    model.eval()
    state = model.state_dict()
    output = job["output"]
    torch.save(state, f"{output}/weights.pth")
    torch.save(state, f"{output}/weights.before16.pth", _use_new_zipfile_serialization=False)
    save_file(state, f"{output}/weights.safetensors")
    side = job["side"]
    images = numpy.fromfile(job["images"], dtype="<f4").reshape(-1, side, side, 3).transpose(0, 3, 1, 2).copy()
    reader = create_feature_extractor(model, {node: layer for layer, node in job["layers"].items()})
    with torch.no_grad():
        found = reader(torch.from_numpy(images))
    for layer, values in found.items():
        values = values.numpy()
        values = values.transpose(0, 2, 3, 1) if values.ndim == 4 else values
        numpy.ascontiguousarray(values, dtype="<f4").tofile(f"{output}/{layer}.f32")
    torch.save(model.to(memory_format=torch.channels_last).state_dict(), f"{output}/weights.channels-last.pth")


if __name__ == "__main__":
    main()
