import { conv, flatten, l2, linear, lrn, maxPool, relu, reverseChannels, tap, type Architecture } from '../layers.js';

const filters = { std: 0.01 };
const dense = { std: 0.005 };
// Biases learn twice as fast.
const zero = { constant: 0, rate: 2 };
const one = { constant: 1, rate: 2 };

/**
 * CaffeNet as Wang & Gupta released it (2015, `imagenet_train.prototxt`): groups of 2 in conv2, conv4 and conv5, pooling before
 * the local response norm, no dropout, and a rectified fc7 of 1024 that is L2-normalised, so that all cosines lie in [0, 1];
 * 44.28 M parameters. Works on BGR with values 0-255 less the mean: normalised input `(pixel / 255 - mean) / std` with
 * `std = 1 / 255` is that up to the order of channels, which the first layer reverses. Maps: 55, 27, 27, 13, 13, 13, 13, 6.
 */
export const caffenet: Architecture = {
  name: 'caffenet',
  inputSize: 227,
  // The mean of ImageNet's training pictures (R 122.68, G 116.67, B 104.01).
  mean: [122.68 / 255, 116.67 / 255, 104.01 / 255],
  std: [1 / 255, 1 / 255, 1 / 255],
  features: [
    reverseChannels(),
    conv(96, { size: 11, stride: 4, init: filters, bias: zero }),
    relu(),
    tap('conv1'),
    maxPool(3, 2),
    lrn(),
    conv(256, { size: 5, pad: 2, groups: 2, init: filters, bias: one }),
    relu(),
    tap('conv2'),
    maxPool(3, 2),
    lrn(),
    conv(384, { size: 3, pad: 1, init: filters, bias: zero }),
    relu(),
    tap('conv3'),
    conv(384, { size: 3, pad: 1, groups: 2, init: filters, bias: one }),
    relu(),
    tap('conv4'),
    conv(256, { size: 3, pad: 1, groups: 2, init: filters, bias: one }),
    relu(),
    tap('conv5'),
    maxPool(3, 2),
    tap('pool5'),
  ],
  fc: [
    flatten(),
    linear(4096, { init: dense, bias: one }),
    relu(),
    tap('fc'),
    linear(1024, { init: dense, bias: one }),
    relu(),
    l2(),
    tap('embedding'),
  ],
};
