import { conv, flatten, l2, linear, maxPool, relu, tap, type Architecture, type LayerRow } from '../layers.js';
import { photographStatistics } from './photograph-statistics.js';

const stage = (number: number, channels: number, convolutions: number): LayerRow[] => [
  ...Array.from({ length: convolutions }, () => [conv(channels, { size: 3, pad: 1 }), relu()]).flat(),
  tap(`conv${number}`),
  maxPool(2, 2),
];

const dense = { std: 0.005 };

/**
 * VGG-16 (Simonyan & Zisserman 2015, configuration D), read at the end of each of its five stages, with the dense layers of Wang &
 * Gupta's ranking network: fc6 of 4096, and a rectified fc7 of 1024 that is L2-normalised. Convolutions begin by He's rule: drawn
 * as in the paper (deviation 0.01) so deep a network does not begin to learn. 224 px; maps: 224, 112, 56, 28, 14, 7; 121.68 M parameters.
 */
export const vgg16: Architecture = {
  name: 'vgg16',
  inputSize: 224,
  ...photographStatistics,
  features: [
    ...stage(1, 64, 2),
    ...stage(2, 128, 2),
    ...stage(3, 256, 3),
    ...stage(4, 512, 3),
    ...stage(5, 512, 3),
    tap('pool5'),
  ],
  fc: [
    flatten(),
    linear(4096, { init: dense }),
    relu(),
    tap('fc'),
    linear(1024, { init: dense }),
    relu(),
    l2(),
    tap('embedding'),
  ],
};
