"""Renders views by torchvision, with given parameters, for torchvision.long.test.ts.

Reads a JSON file: `size` of the square uint8 pictures in `pixels` ([pictures, size, size, 3]), and `views`: each the picture, the
side it is rendered at, and the parameters of every step. Writes float32 pictures in [0, 1], [size, size, 3] each, one after the other.
"""

import json
import math
import sys

import numpy
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

ADJUST = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
}


def crop(image, view):
    """Crop and resize: torchvision's for boxes of whole pixels, torch's grid_sample (which its warps are made of) for any."""
    side = [view["size"], view["size"]]
    if view["crop"] == "grid_sample":
        steps = (torch.arange(view["size"], dtype=torch.float64) + 0.5) / view["size"]
        across = (2 * (view["x"] + steps * view["width"]) - 1).float()
        down = (2 * (view["y"] + steps * view["height"]) - 1).float()
        grid = torch.stack(torch.meshgrid(down, across, indexing="ij")[::-1], dim=-1)
        return torch.nn.functional.grid_sample(
            image[None], grid[None], mode="bilinear", padding_mode="border", align_corners=False
        )[0]
    extent = image.shape[-1]
    box = [round(view[name] * extent) for name in ("y", "x", "height", "width")]
    return F.resized_crop(
        image, *box, side, interpolation=InterpolationMode.BILINEAR, antialias=view["crop"] == "antialias"
    )


def render(image, view):
    image = crop(image, view)
    if view["flip"]:
        image = F.horizontal_flip(image)
    for step in view["colourOrder"]:
        image = ADJUST[step](image, view[step])
    if view["grey"]:
        image = F.rgb_to_grayscale(image, num_output_channels=3)
    if view["sigma"] > 0:
        # As the papers: a tenth of the side, made odd; for SwAV's small crops as far as a Gaussian reaches.
        radius = max(1, int(view["size"] / 20), math.ceil(5 * view["sigma"]))
        image = F.gaussian_blur(image, [2 * radius + 1] * 2, [view["sigma"]] * 2)
    if view["solarize"] is not None:
        image = F.solarize(image, view["solarize"])
    return image


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1]) as file:
        job = json.load(file)
    pixels = numpy.fromfile(job["pixels"], dtype=numpy.uint8).reshape(-1, job["size"], job["size"], 3)
    with open(job["output"], "wb") as output:
        for view in job["views"]:
            image = torch.from_numpy(pixels[view["picture"]]).permute(2, 0, 1).float() / 255
            output.write(render(image, view).permute(1, 2, 0).contiguous().numpy().astype(numpy.float32).tobytes())


main()
