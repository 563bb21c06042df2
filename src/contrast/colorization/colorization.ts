import { averageCells } from '../../network/average-cells.js';
import { buildHead, type Head } from '../../network/head.js';
import { linear } from '../../network/layers.js';
import type { Trunk } from '../../network/trunk.js';
import type { RandomStream } from '../../numeric/random.js';
import { tf, type Scalar, type Tensor1D, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { Method, Source, StepResult } from '../../training/method.js';
import { accuracy } from '../accuracy.js';
import { representationDim } from '../encoder.js';
import { lastMap, unitMean } from '../pooled-map.js';
import { drawViews, type DrawView } from '../views.js';
import { encodeColours, occupiedBins, rebalancingWeights, weightsOfCodes, type ColourBins } from './colour-bins.js';
import { colourLoss } from './colour-loss.js';
import { abOf, lightnessOf, xyzOf } from './lab.js';

/** Parameters of colorization. */
export type ColorizationOptions<V> = {
  /** Draws the one view of a sample; it must leave the colours as they are. */
  readonly drawView: DrawView<V>;
  /** Side of a bin of the ab plane. Papers: 5, 10, 15, 20. @default 10 */
  readonly binSize?: number;
  /** Nearest bins that share a colour. @default 10 */
  readonly nearest?: number;
  /** Deviation of the Gaussian that weighs them, and that smooths the priors, in units of ab. @default 5 */
  readonly sigma?: number;
  /** Rebalancing: 0 weighs a colour by the inverse of its share, 1 weighs all alike (none). @default 0.5 */
  readonly lambda?: number;
  /** Pictures that bins and priors are counted on, drawn from the samples. @default 500 */
  readonly pictures?: number;
};

const above = (name: string, value: number): void => {
  if (value > 0 && Number.isFinite(value)) return;
  throw new RangeError(`Expected \`${name}\` to be a number above 0, got \`${value}\` (${typeof value})`);
};

const whole = (name: string, value: number): void => {
  if (Number.isInteger(value) && value > 0) return;
  throw new RangeError(`Expected \`${name}\` to be a whole number above 0, got \`${value}\` (${typeof value})`);
};

/** Pictures that colours are counted on at a time. */
const countedAtOnce = 50;

/** A trunk's input back to sRGB, and on to light. */
const xyzOfInput = (images: Tensor4D, { mean, std }: Trunk): Tensor4D =>
  tf.tidy(() => xyzOf(tf.add(tf.mul(images, tf.tensor1d([...std])), tf.tensor1d([...mean]))));

/**
 * Lightness as the picture that a trunk is shown: `L / 100` for all three channels, normalised as colours are. The first layer is thus
 * that of every other method, and a grey picture looks to it much as it does in RGB.
 */
const lightnessInput = (lightness: Tensor4D, { mean, std }: Trunk): Tensor4D =>
  tf.tidy(() => {
    const scale = tf.tensor1d(std.map((value) => 1 / (100 * value)));
    const shift = tf.tensor1d(mean.map((value, channel) => value / std[channel]!));
    return tf.sub(tf.mul(lightness, scale), shift);
  });

/** ab of the mean light of each cell of a map of `rows x columns`: `[batch rows columns, 2]`, read out. */
const cellColours = (xyz: Tensor4D, rows: number, columns: number): Float32Array => {
  const ab = tf.tidy(() => abOf(averageCells(xyz, rows, columns)));
  const values = ab.dataSync<'float32'>();
  ab.dispose();
  return values;
};

/** Colours of all cells of pictures that are drawn from a source as at test time. */
function sampleColours<V>(trunk: Trunk, source: Source<V>, count: number, random: RandomStream): Float32Array {
  const indices = Int32Array.from(random.sample(source.length, Math.min(count, source.length)));
  const parts: Float32Array[] = [];
  for (let from = 0; from < indices.length; from += countedAtOnce) {
    const images = source.plain(indices.slice(from, from + countedAtOnce));
    tf.tidy(() => {
      const [, rows, columns] = lastMap(trunk, tf.slice(images, 0, 1), 'eval').shape;
      parts.push(cellColours(xyzOfInput(images, trunk), rows, columns));
    });
    images.dispose();
  }
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Colorization (Zhang et al. 2016, as Goyal et al. 2019 benchmark it): from the lightness of a picture the network says, cell by cell of
 * its last map, which colour is there, as a distribution over bins of the ab plane. To do so it must know what it sees: grass, skin, sky.
 * A cell's colour is that of the mean light over its part of the picture.
 */
export function createColorization<V>(options: ColorizationOptions<V>): Method<V> {
  const { drawView, binSize = 10, nearest = 10, sigma = 5, lambda = 0.5, pictures = 500 } = options;
  above('binSize', binSize);
  above('sigma', sigma);
  whole('nearest', nearest);
  whole('pictures', pictures);
  if (!(lambda >= 0 && lambda <= 1)) {
    throw new RangeError(`Expected \`lambda\` to be a number from 0 to 1, got \`${lambda}\` (${typeof lambda})`);
  }
  let parts: { readonly trunk: Trunk; readonly classifier: Head } | undefined;
  let bins: ColourBins | undefined;
  let binWeights: Float32Array = new Float32Array();
  const ready = () => {
    if (!parts || !bins) throw new Error('Expected `init` to be called before any other call');
    return { ...parts, bins };
  };
  const setBins = (found: ColourBins): void => {
    bins = found;
    binWeights = rebalancingWeights(found, { lambda, sigma });
  };

  const targets = (
    xyz: Tensor4D,
    rows: number,
    columns: number,
  ): { readonly codes: Tensor2D; readonly weights: Tensor1D } => {
    const codes = encodeColours(cellColours(xyz, rows, columns), ready().bins, { nearest, sigma });
    return {
      codes: tf.tensor2d(codes, [codes.length / binWeights.length, binWeights.length]),
      weights: tf.tensor1d(weightsOfCodes(codes, binWeights)),
    };
  };

  const step = ([images]: readonly Tensor4D[]): StepResult => {
    const { trunk, classifier } = ready();
    const xyz = withoutTape(() => xyzOfInput(images!, trunk));
    const lightness = withoutTape(() => lightnessInput(lightnessOf(xyz), trunk));
    const map = lastMap(trunk, lightness, 'train');
    const [, rows, columns, channels] = map.shape;
    const { codes, weights } = withoutTape(() => targets(xyz, rows, columns));
    const logits = classifier.apply(tf.reshape(map, [-1, channels]) as Tensor2D, 'train');
    return {
      loss: colourLoss(logits, codes, weights),
      signals: {
        accuracy: accuracy(
          logits,
          withoutTape(() => tf.argMax(codes, 1)),
        ),
        // What is left of the loss when every cell is known as well as its code says.
        floor: withoutTape(() => codeEntropy(codes, weights)),
        embedding: unitMean(map),
      },
    };
  };

  return {
    name: 'colorization',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, source, random) => {
      setBins(occupiedBins(sampleColours(trunk, source, pictures, random), binSize));
      // Small weights, so that the loss begins at chance.
      const layers = [linear(bins!.count, { init: { std: 0.01 } })];
      parts = { trunk, classifier: buildHead(layers, representationDim(trunk), random) };
    },
    variables: () => ready().classifier.variables,
    rules: () => ready().classifier.rules,
    step,
    uniformLoss: () => Math.log(ready().bins.count),
    save: () => {
      const { count, points, priors } = ready().bins;
      return {
        'bins/points': { shape: [count, 2], data: points.slice() },
        'bins/priors': { shape: [count], data: priors.slice() },
      };
    },
    load: ({ 'bins/points': points, 'bins/priors': priors }) => {
      const { count } = ready().bins;
      if (points?.shape.join() !== [count, 2].join() || priors?.shape.join() !== String(count)) {
        throw new Error(`Expected ${count} colour bins in the state, got [${points?.shape.join(', ')}]`);
      }
      setBins({ count, points: Float32Array.from(points.data), priors: Float32Array.from(priors.data) });
    },
    dispose: () => parts?.classifier.dispose(),
  };
}

/** `-1/cells sum_h v_h sum_q Z log Z`. */
const codeEntropy = (codes: Tensor2D, weights: Tensor1D): Scalar =>
  tf.tidy(() => {
    const entropy = tf.neg(tf.sum(tf.mul(codes, tf.log(tf.add(codes, 1e-12))), 1));
    return tf.mean(tf.mul(weights, entropy)) as Scalar;
  });
