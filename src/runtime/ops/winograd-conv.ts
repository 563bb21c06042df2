import { tf, type Tensor, type Tensor4D } from '../tensors.js';
import { defineOp } from './define-op.js';
import { pointsPerSide, winogradTransforms, type TileSide, type WinogradTransforms } from './winograd-transforms.js';

type Attributes = { readonly tile: TileSide };

/** `[batch, height, width, channels]` as the matrix `[height width, batch channels]`, whose columns a transform's rows are summed over. */
const cellsFirst = (map: Tensor): Tensor => {
  const [batch, height, width, channels] = map.shape as Tensor4D['shape'];
  return tf.reshape(tf.transpose(map, [1, 2, 0, 3]), [height * width, batch * channels]);
};

/** The inverse of {@link cellsFirst}. */
const batchFirst = (rows: Tensor, [batch, height, width]: readonly number[], channels: number): Tensor =>
  tf.transpose(tf.reshape(rows, [height!, width!, batch!, channels]), [2, 0, 1, 3]);

/** A network asks for the same few maps in every step. */
const made = new Map<string, WinogradTransforms>();

const matricesOf = (height: number, width: number, tile: TileSide) => {
  const name = `${height} x ${width} by ${tile}`;
  const transforms = made.get(name) ?? winogradTransforms(height, width, tile);
  made.set(name, transforms);
  const { points, tiles, input, filter, output } = transforms;
  return {
    points,
    rows: points * tiles,
    input: () => tf.tensor2d(input, [points * tiles, height * width]) as Tensor,
    filter: () => tf.tensor2d(filter, [points, 9]) as Tensor,
    output: () => tf.tensor2d(output, [height * width, points * tiles]) as Tensor,
  };
};

/** The filters at the points, `[points, channels, outputs]`. */
const filtersAtPoints = (weight: Tensor, points: number, filter: Tensor): Tensor => {
  const [, , channels, outputs] = weight.shape;
  return tf.reshape(tf.matMul(filter, tf.reshape(weight, [9, -1])), [points, channels!, outputs!]);
};

/** Outputs: y, and the map at the points `[points, tiles batch, channels]`, which the filters' gradient reads. */
const forward = ({ x, weight }: Readonly<Record<'x' | 'weight', Tensor>>, { tile }: Attributes): Tensor[] => {
  const [, height, width, channels] = x.shape;
  const outputs = weight.shape[3]!;
  const { points, rows, input, filter, output } = matricesOf(height!, width!, tile);
  const maps = tf.reshape(tf.matMul(input(), cellsFirst(x)), [points, -1, channels!]);
  const products = tf.matMul(maps, filtersAtPoints(weight, points, filter()));
  const y = tf.matMul(output(), tf.reshape(products, [rows, -1]));
  return [batchFirst(y, x.shape, outputs), maps];
};

const run = defineOp<'x' | 'weight', Attributes>({
  native: forward,
  composed: forward,
  saveInputs: ['weight'],
  saveOutputs: [false, true],
  // Every map is linear, so the gradients go back through the transposes.
  gradient: ([dy], [weight, maps], { tile }) => {
    const [, height, width, outputs] = dy!.shape;
    const channels = weight!.shape[2]!;
    const { points, rows, input, filter, output } = matricesOf(height!, width!, tile);
    const slopes = tf.tidy(() => tf.reshape(tf.matMul(output(), cellsFirst(dy!), true), [points, -1, outputs!]));
    return {
      x: () => {
        const atPoints = tf.matMul(slopes, filtersAtPoints(weight!, points, filter()), false, true);
        return batchFirst(tf.matMul(input(), tf.reshape(atPoints, [rows, -1]), true), dy!.shape, channels);
      },
      weight: () => {
        const atPoints = tf.reshape(tf.matMul(maps!, slopes, true), [points, -1]);
        // Gradients are asked for in the order of the inputs: this one is the last.
        slopes.dispose();
        return tf.reshape(tf.matMul(filter(), atPoints, true), weight!.shape);
      },
    };
  },
});

/** What is multiplied for a pair of channels and an image: by a plain convolution, and through tiles of a side. */
const productsOf = (
  [batch, height, width, channels]: Tensor4D['shape'],
  outputs: number,
  tile: TileSide,
): readonly [plain: number, winograd: number] => {
  const points = pointsPerSide(tile) ** 2;
  const rows = points * Math.ceil(height / tile) * Math.ceil(width / tile);
  const pairs = channels * outputs;
  const transforms = rows * height * width * (channels + outputs) + (points * 9 * pairs) / batch;
  return [height * width * 9 * pairs, rows * pairs + transforms];
};

/**
 * The side of the tiles by which a 3 x 3 convolution with one zero around pays most; none where it does not pay. Half the products
 * take two thirds of the time (measured: 6 x 6 cells of 192 channels in 0.60 of the time of oneDNN's kernels there and back, 8 x 8 of
 * 256 in 0.5, 4 x 4 of 512 in 0.35); the maps before and behind are many channels on few cells.
 */
export function winogradTile(shape: Tensor4D['shape'], outputs: number): TileSide | undefined {
  const [best] = ([3, 4] as const)
    .map((tile) => {
      const [plain, winograd] = productsOf(shape, outputs, tile);
      return { tile, share: winograd / plain };
    })
    .sort((a, b) => a.share - b.share);
  return best!.share <= 0.5 ? best!.tile : undefined;
}

/**
 * A 3 x 3 convolution with stride 1 and one zero around the map, by Winograd's minimal filtering (Lavin & Gray 2016): maps and filters
 * are taken to `(tile + 2)^2` points, multiplied there channels by channels, and taken back; `(tile + 2)^2` products give `tile^2`
 * outputs, for which the plain sum needs nine times as many. The same function up to rounding, and so are its gradients.
 *
 * @param x `[batch, height, width, channels]`
 * @param weight `[3, 3, channels, outputs]`
 */
export function winogradConv3x3(x: Tensor4D, weight: Tensor4D, tile: TileSide): Tensor4D {
  return run({ x, weight }, { tile })[0] as Tensor4D;
}
