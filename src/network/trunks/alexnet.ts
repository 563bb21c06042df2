import {
  batchNorm,
  conv,
  flatten,
  l2,
  linear,
  maxPool,
  relu,
  tap,
  type Architecture,
  type LayerRow,
} from '../layers.js';
import { photographStatistics } from './photograph-statistics.js';

type Width = readonly [number, number, number, number, number];

const architecture = (name: string, [c1, c2, c3, c4, c5]: Width, norm: boolean): Architecture => {
  const block = (number: number, channels: number, window: Parameters<typeof conv>[1]): LayerRow[] => [
    conv(channels, { ...window, bias: norm ? false : { constant: 0 } }),
    ...(norm ? [batchNorm()] : []),
    relu(),
    tap(`conv${number}`),
  ];
  return {
    name,
    inputSize: 224,
    ...photographStatistics,
    features: [
      ...block(1, c1, { size: 11, stride: 4, pad: 2 }),
      maxPool(3, 2),
      ...block(2, c2, { size: 5, pad: 2 }),
      maxPool(3, 2),
      ...block(3, c3, { size: 3, pad: 1 }),
      ...block(4, c4, { size: 3, pad: 1 }),
      ...block(5, c5, { size: 3, pad: 1 }),
      maxPool(3, 2),
      tap('pool5'),
    ],
    fc: [flatten(), linear(4096), relu(), tap('fc'), linear(1024), relu(), l2(), tap('embedding')],
  };
};

/**
 * AlexNet in one tower (Krizhevsky 2014), as torchvision has it: no groups, no local response norm; here with an embedding of 1024 behind
 * fc6. 224 px; maps: 55, 27, 13, 13, 13, 6; 44.42 M parameters.
 */
export const alexnet: Architecture = architecture('alexnet', [64, 192, 384, 256, 256], false);

/**
 * AlexNet at the original's widths with batch norm in place of the local response norm, as DeepCluster and its successors use it (Caron
 * et al. 2018, section 4). 224 px; maps: 55, 27, 13, 13, 13, 6; 45.69 M parameters.
 */
export const alexnetBatchNorm: Architecture = architecture('alexnet-bn', [96, 256, 384, 384, 256], true);
