import type { Layer, Trunk } from '../../network/trunk.js';
import { tf, type Tensor, type Tensor4D } from '../../runtime/tensors.js';
import { colourCells, colourChannels } from './colour-cells.js';
import { hogCells, hogChannels, type CellMap } from './hog-cells.js';

/** Side of a cell, px: the stride of the maps. */
const cell = 8;

/**
 * The classical floor, in the shape of a network without weights, so that every protocol on frozen features reads it as it
 * reads a trunk. Layers: `hog` (histograms of oriented gradients, cells of 8 px, 31 channels), `colour-cells` (joint Lab
 * histograms of the same cells) and `colour` (that of the whole picture, `[batch, 100]`). Histograms are shares, square-rooted,
 * so that their dot product is Bhattacharyya's coefficient. `features` takes pictures of any size (`inputSize` is what the
 * protocols render at); it cannot be trained, and has no embedding.
 * Whole pictures: a linear probe can weigh each of the 12 x 12 cells of `hog` at 96 px by itself; nearest neighbours cannot, and
 * means over several cells, which do not insist on where things are, are what to give them.
 */
export const classicalTrunk = (inputSize = 96): Trunk => {
  const side = Math.floor(inputSize / cell);
  if (!Number.isInteger(inputSize) || side < 1) {
    throw new RangeError(`Expected \`inputSize\` to be an integer from ${cell}, got \`${inputSize}\``);
  }
  const layers: readonly Layer[] = [
    { name: 'hog', height: side, width: side, channels: hogChannels },
    { name: 'colour-cells', height: side, width: side, channels: colourChannels },
    { name: 'colour', channels: colourChannels },
  ];
  return {
    architecture: 'classical',
    inputSize,
    // Pixels stay 8-bit levels.
    mean: [0, 0, 0],
    std: [1 / 255, 1 / 255, 1 / 255],
    layers,
    variables: new Map(),
    buffers: new Map(),
    features: (images, names) => {
      const unknown = names.find((name) => !layers.some((layer) => layer.name === name));
      if (unknown !== undefined) {
        throw new RangeError(`Expected a layer of ${layers.map(({ name }) => name).join(', ')}, got \`${unknown}\``);
      }
      return featuresOf(images, names);
    },
    embed: () => {
      throw new Error('Expected a network with an embedding, got hand-made features, which have none');
    },
    dispose: () => {},
  };
};

const featuresOf = (images: Tensor4D, names: readonly string[]): Record<string, Tensor> => {
  const [batch, height, width] = images.shape;
  const pixels = images.dataSync<'float32'>();
  // Loops, here and below: `from` with a function goes through an iterator and is slow on whole batches of pixels.
  const levels = new Uint8ClampedArray(pixels.length);
  for (let i = 0; i < pixels.length; i++) levels[i] = Math.round(pixels[i]!);
  const size = height * width * 3;
  const pictures = Array.from({ length: batch }, (_, i) => levels.subarray(i * size, (i + 1) * size));
  const found: Record<string, Tensor> = {};
  if (names.includes('hog')) found['hog'] = stack(pictures.map((rgb) => hogCells(greyOf(rgb), width, height, cell)));
  if (names.includes('colour') || names.includes('colour-cells')) {
    const counts = pictures.map((rgb) => colourCells(rgb, width, height, cell));
    if (names.includes('colour-cells')) found['colour-cells'] = stack(counts.map(rootShares));
    if (names.includes('colour')) {
      const whole = stack(counts.map((map) => rootShares(summed(map))));
      found['colour'] = tf.tidy(() => whole.reshape([batch, colourChannels]));
      whole.dispose();
    }
  }
  return found;
};

/** Luma (BT.601) of an RGB picture. */
const greyOf = (rgb: Uint8ClampedArray): Float32Array => {
  const grey = new Float32Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++)
    grey[i] = 0.299 * rgb[3 * i]! + 0.587 * rgb[3 * i + 1]! + 0.114 * rgb[3 * i + 2]!;
  return grey;
};

const summed = ({ channels, data }: CellMap): CellMap => {
  const total = new Float32Array(channels);
  data.forEach((count, at) => (total[at % channels]! += count));
  return { rows: 1, columns: 1, channels, data: total };
};

/** Square root of each cell's shares. */
const rootShares = ({ channels, data, ...map }: CellMap): CellMap => {
  const roots = new Float32Array(data.length);
  for (let from = 0; from < data.length; from += channels) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data[from + c]!;
    for (let c = 0; c < channels; c++) roots[from + c] = Math.sqrt(data[from + c]! / sum);
  }
  return { ...map, channels, data: roots };
};

const stack = (maps: readonly CellMap[]): Tensor4D => {
  const { rows, columns, channels } = maps[0]!;
  const values = new Float32Array(maps.length * rows * columns * channels);
  maps.forEach(({ data }, i) => values.set(data, i * data.length));
  return tf.tensor4d(values, [maps.length, rows, columns, channels]);
};
