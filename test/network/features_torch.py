"""Features of networks by PyTorch and by onnxruntime, for the long test.

usage: python features_torch.py JOB.json
JOB: list of {code: file of Python with load and LAYERS, folder, onnx: file, images: raw float32 NHWC, side, layers, output: folder};
writes OUTPUT/LAYER.torch.f32 and OUTPUT/LAYER.onnx.f32, maps as [batch, height, width, channels].
"""

import importlib.util
import json
import sys

import numpy
import onnx
import onnxruntime
import torch
from torchvision.models.feature_extraction import create_feature_extractor


def write(path, values):
    values = values.transpose(0, 2, 3, 1) if values.ndim == 4 else values
    numpy.ascontiguousarray(values, dtype="<f4").tofile(path)


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    for job in jobs:
        spec = importlib.util.spec_from_file_location("network", job["code"])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        side = job["side"]
        images = numpy.fromfile(job["images"], dtype="<f4").reshape(-1, side, side, 3).transpose(0, 3, 1, 2).copy()

        model = module.load(job["folder"])
        reader = create_feature_extractor(model, {module.LAYERS[layer]: layer for layer in job["layers"]})
        with torch.no_grad():
            found = reader(torch.from_numpy(images))
            embedding = model(torch.from_numpy(images))
        assert torch.equal(embedding, found["embedding"]), "the embedding is not what the model gives"
        for layer, values in found.items():
            write(f"{job['output']}/{layer}.torch.f32", values.numpy())

        onnx.checker.check_model(onnx.load(job["onnx"]), full_check=True)
        session = onnxruntime.InferenceSession(job["onnx"], providers=["CPUExecutionProvider"])
        about = session.get_modelmeta().custom_metadata_map
        assert int(about["input_size"]) == side, about
        names = [output.name for output in session.get_outputs()]
        for layer, values in zip(names, session.run(names, {"images": images})):
            write(f"{job['output']}/{layer}.onnx.f32", values)


if __name__ == "__main__":
    main()
