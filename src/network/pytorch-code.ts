/**
 * Python that reads a model folder into PyTorch, by family: what docs/weights.md prints, what a model card holds, and what the long
 * test runs beside the network itself. Each defines `load(folder)`, a module in eval mode from normalised images
 * `[batch, 3, height, width]` to embeddings, and `LAYERS`, where in it each named layer is read.
 */
const small = `
from safetensors.torch import load_file
from torch import nn

LAYERS = {"conv1": "features.2", "conv2": "features.6", "conv3": "features.10", "conv4": "features.13",
          "conv5": "features.16", "pool5": "features.17", "fc": "fc.1", "embedding": "fc.3"}


class Unit(nn.Module):
    def forward(self, x):
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


class Small(nn.Module):
    def __init__(self, weights):
        super().__init__()

        def block(number, size=3, stride=1):
            outputs, inputs = weights[f"features.{number}.weight"].shape[:2]
            conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
            return conv, nn.BatchNorm2d(outputs), nn.ReLU()

        self.features = nn.Sequential(
            *block(0, 9, 4), nn.MaxPool2d(2), *block(4), nn.MaxPool2d(2),
            *block(8), *block(11), *block(14), nn.MaxPool2d(2))
        (hidden, flat), (outputs, _) = weights["fc.0.weight"].shape, weights["fc.2.weight"].shape
        self.fc = nn.Sequential(nn.Linear(flat, hidden), nn.ReLU(), nn.Linear(hidden, outputs), Unit())
        self.load_state_dict(weights)

    def forward(self, images):
        return self.fc(self.features(images).flatten(1))


def load(folder):
    return Small(load_file(f"{folder}/weights.safetensors")).eval()
`;

const caffenet = `
from safetensors.torch import load_file
from torch import nn

LAYERS = {"conv1": "features.1", "conv2": "features.5", "conv3": "features.9", "conv4": "features.11",
          "conv5": "features.13", "pool5": "features.14", "fc": "fc.1", "embedding": "fc.4"}


class Unit(nn.Module):
    def forward(self, x):
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


class CaffeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5),
            nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2))
        self.fc = nn.Sequential(nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 1024), nn.ReLU(), Unit())

    def forward(self, images):  # RGB like the others; the network itself works on BGR
        return self.fc(self.features(images.flip(1)).flatten(1))


def load(folder):
    model = CaffeNet()
    model.load_state_dict(load_file(f"{folder}/weights.safetensors"))
    return model.eval()
`;

const alexnet = `
from safetensors.torch import load_file
from torch import nn
from torchvision.models import alexnet

LAYERS = {"conv1": "features.1", "conv2": "features.4", "conv3": "features.7", "conv4": "features.9",
          "conv5": "features.11", "pool5": "features.12", "fc": "classifier.1", "embedding": "classifier.4"}


class Unit(nn.Module):
    def forward(self, x):
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


def load(folder):
    model = alexnet()
    model.classifier = nn.Sequential(nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 1024), nn.ReLU(), Unit())
    weights = load_file(f"{folder}/weights.safetensors")
    model.load_state_dict({name.replace("fc.", "classifier."): values for name, values in weights.items()})
    return model.eval()
`;

const alexnetBatchNorm = `
from safetensors.torch import load_file
from torch import nn

LAYERS = {"conv1": "features.2", "conv2": "features.6", "conv3": "features.10", "conv4": "features.13",
          "conv5": "features.16", "pool5": "features.17", "fc": "fc.1", "embedding": "fc.4"}


class Unit(nn.Module):
    def forward(self, x):
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


def block(inputs, outputs, size, stride, pad):
    return nn.Conv2d(inputs, outputs, size, stride, pad, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()


class AlexNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *block(3, 96, 11, 4, 2), nn.MaxPool2d(3, 2), *block(96, 256, 5, 1, 2), nn.MaxPool2d(3, 2),
            *block(256, 384, 3, 1, 1), *block(384, 384, 3, 1, 1), *block(384, 256, 3, 1, 1), nn.MaxPool2d(3, 2))
        self.fc = nn.Sequential(nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 1024), nn.ReLU(), Unit())

    def forward(self, images):
        return self.fc(self.features(images).flatten(1))


def load(folder):
    model = AlexNet()
    model.load_state_dict(load_file(f"{folder}/weights.safetensors"))
    return model.eval()
`;

const vgg16 = `
from safetensors.torch import load_file
from torch import nn
from torchvision.models import vgg16

LAYERS = {"conv1": "features.3", "conv2": "features.8", "conv3": "features.15", "conv4": "features.22",
          "conv5": "features.29", "pool5": "features.30", "fc": "classifier.1", "embedding": "classifier.4"}


class Unit(nn.Module):
    def forward(self, x):
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


def load(folder):
    model = vgg16()
    model.classifier = nn.Sequential(nn.Linear(25088, 4096), nn.ReLU(), nn.Linear(4096, 1024), nn.ReLU(), Unit())
    weights = load_file(f"{folder}/weights.safetensors")
    model.load_state_dict({name.replace("fc.", "classifier."): values for name, values in weights.items()})
    return model.eval()
`;

const resnet = `
import json

from safetensors.torch import load_file
from torch import nn
from torchvision.models import resnet18, resnet50

LAYERS = {"conv1": "relu", "conv2": "layer1", "conv3": "layer2", "conv4": "layer3",
          "conv5": "layer4", "pool5": "avgpool", "fc": "flatten", "embedding": "fc"}


class Unit(nn.Module):
    def forward(self, x):
        return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


def load(folder):
    with open(f"{folder}/model.json") as file:
        name, _, stem = json.load(file)["architecture"].partition("-")
    model = {"resnet18": resnet18, "resnet50": resnet50}[name](num_classes=128)
    if stem == "cifar":
        model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    model.load_state_dict(load_file(f"{folder}/weights.safetensors"))
    model.fc = nn.Sequential(model.fc, Unit())
    return model.eval()
`;

/** Python by architecture, without the line breaks around it. */
const code: Readonly<Record<string, string>> = {
  small,
  'small-half': small,
  'small-double': small,
  caffenet,
  alexnet,
  'alexnet-bn': alexnetBatchNorm,
  vgg16,
  resnet18: resnet,
  'resnet18-cifar': resnet,
  resnet50: resnet,
  'resnet50-cifar': resnet,
};

/**
 * Python that loads a model folder of an architecture into PyTorch.
 *
 * @throws Error for an architecture that has none
 */
export const pytorchCode = (architecture: string): string => {
  const found = Object.hasOwn(code, architecture) ? code[architecture] : undefined;
  if (found === undefined)
    throw new Error(`Expected Python for ${Object.keys(code).join(', ')}, got \`${architecture}\``);
  return found.trimStart();
};
