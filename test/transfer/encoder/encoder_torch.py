"""A network of torchvision as PyTorch exports it to ONNX, in one file and with its weights beside, and its features.

usage: python encoder_torch.py JOB.json
JOB: {images: raw float32 NHWC, side, output: folder}; writes rows.onnx and map.onnx, outside/rows.onnx with its weights in
outside/weights.bin, and rows.f32 [batch, channels] and map.f32 [batch, height, width, channels].
"""

import json
import os
import sys

import numpy
import onnx
import torch
import torchvision
from torchvision.models.feature_extraction import create_feature_extractor


class Output(torch.nn.Module):
    def __init__(self, model, node):
        super().__init__()
        self.reader = create_feature_extractor(model, {node: "features"})

    def forward(self, images):
        return self.reader(images)["features"]


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1]) as file:
        job = json.load(file)
    torch.manual_seed(3)
    side, output = job["side"], job["output"]
    images = numpy.fromfile(job["images"], dtype="<f4").reshape(-1, side, side, 3).transpose(0, 3, 1, 2).copy()
    images = torch.from_numpy(images)
    model = torchvision.models.resnet18().eval()
    for name, node in [("rows", "flatten"), ("map", "layer4")]:
        network = Output(model, node).eval()
        path = f"{output}/{name}.onnx"
        axes = {"pixels": {0: "batch"}, "features": {0: "batch"}}
        torch.onnx.export(
            network, (images,), path, input_names=["pixels"], output_names=["features"], dynamic_axes=axes, dynamo=False
        )
        with torch.no_grad():
            values = network(images).numpy()
        values = values.transpose(0, 2, 3, 1) if values.ndim == 4 else values
        numpy.ascontiguousarray(values, dtype="<f4").tofile(f"{output}/{name}.f32")
    os.mkdir(f"{output}/outside")
    onnx.save(
        onnx.load(f"{output}/rows.onnx"),
        f"{output}/outside/rows.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )


if __name__ == "__main__":
    main()
