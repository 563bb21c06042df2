import { batchNorm, conv, flatten, l2, linear, maxPool, relu, tap, type Architecture } from '../layers.js';
import { photographStatistics } from './photograph-statistics.js';

const block = (channels: number, name: string) => [
  conv(channels, { size: 3, pad: 1, bias: false }),
  batchNorm(),
  relu(),
  tap(name),
];

/** The trunk at another width: every layer but the embedding has `width` times as many channels. */
const atWidth = (name: string, width: number): Architecture => {
  const wide = (channels: number): number => Math.round(channels * width);
  return {
    name,
    inputSize: 96,
    ...photographStatistics,
    features: [
      conv(wide(48), { size: 9, stride: 4, pad: 4, bias: false }),
      batchNorm(),
      relu(),
      tap('conv1'),
      maxPool(2, 2),
      ...block(wide(128), 'conv2'),
      maxPool(2, 2),
      ...block(wide(192), 'conv3'),
      ...block(wide(192), 'conv4'),
      ...block(wide(128), 'conv5'),
      maxPool(2, 2),
      tap('pool5'),
    ],
    fc: [flatten(), linear(wide(512)), relu(), tap('fc'), linear(256), l2(), tap('embedding')],
  };
};

/**
 * The trunk of the demo and of everything that must learn in minutes on a CPU: five convolutions with batch norm on 96 px,
 * two dense layers, an embedding of 256; 1.56 M parameters. Maps: 24, 12, 6, 6, 6, 3.
 */
export const small: Architecture = atWidth('small', 1);

/** Half as wide as `small`: a quarter of the work, for studies of capacity. */
export const smallHalf: Architecture = atWidth('small-half', 0.5);

/** Twice as wide as `small`: four times the work. */
export const smallDouble: Architecture = atWidth('small-double', 2);
