import {
  batchNorm,
  globalAveragePool,
  l2,
  linear,
  maxPool,
  named,
  onlyCell,
  relu,
  tap,
  type Architecture,
  type BuildableRow,
  type LayerRow,
} from '../layers.js';
import { basicBlock, bottleneckBlock, stemConvolution } from '../residual.js';
import { photographStatistics } from './photograph-statistics.js';

type Block = (width: number, stride: number) => BuildableRow;

const stage = (number: number, block: Block, blocks: number, width: number, stride: number): LayerRow[] => [
  ...Array.from({ length: blocks }, (_, i) => named(`layer${number}.${i}`, block(width, i === 0 ? stride : 1))),
  tap(`conv${number + 1}`),
];

/** The stem for ImageNet's pictures (7 x 7 by 2, pooled by 2), and the one for those of CIFAR (3 x 3, nothing pooled; Chen et al. 2020, appendix B.9). */
const stems = {
  imagenet: [stemConvolution(64, 7, 2), maxPool(3, 2, 1)],
  cifar: [stemConvolution(64, 3, 1)],
} as const;

/**
 * A residual network (He et al. 2016, table 1), its places named as there: conv1, then conv2_x to conv5_x by the end of their last
 * block; `fc` is the mean of conv5, 512 or 2048 values. Arrays have torchvision's names; `fc.weight` is the embedding's.
 */
const resnet = (
  name: string,
  stem: keyof typeof stems,
  block: Block,
  [first, second, third, fourth]: readonly [number, number, number, number],
): Architecture => {
  const [convolution, ...pooling] = stems[stem];
  return {
    name,
    inputSize: stem === 'imagenet' ? 224 : 32,
    ...photographStatistics,
    features: [
      named('conv1', convolution!),
      named('bn1', batchNorm()),
      relu(),
      tap('conv1'),
      ...pooling,
      ...stage(1, block, first, 64, 1),
      ...stage(2, block, second, 128, 2),
      ...stage(3, block, third, 256, 2),
      ...stage(4, block, fourth, 512, 2),
      globalAveragePool(),
      tap('pool5'),
    ],
    fc: [onlyCell(), tap('fc'), named('fc', linear(128)), l2(), tap('embedding')],
  };
};

/** ResNet-18, 224 px; maps: 112, 56, 28, 14, 7; 11.24 M parameters with an embedding of 128. */
export const resnet18: Architecture = resnet('resnet18', 'imagenet', basicBlock, [2, 2, 2, 2]);

/** ResNet-18 for pictures of 32 px; maps: 32, 32, 16, 8, 4. */
export const resnet18Cifar: Architecture = resnet('resnet18-cifar', 'cifar', basicBlock, [2, 2, 2, 2]);

/** ResNet-50, 224 px; maps: 112, 56, 28, 14, 7; 23.77 M parameters with an embedding of 128. */
export const resnet50: Architecture = resnet('resnet50', 'imagenet', bottleneckBlock, [3, 4, 6, 3]);

/** ResNet-50 for pictures of 32 px; maps: 32, 32, 16, 8, 4. */
export const resnet50Cifar: Architecture = resnet('resnet50-cifar', 'cifar', bottleneckBlock, [3, 4, 6, 3]);
