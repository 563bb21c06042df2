import { tf, type Tensor, type Tensor4D } from '../../runtime/tensors.js';

/** Linear sRGB to CIE XYZ for D65 (IEC 61966-2-1), a row for each of X, Y, Z. */
const xyzOfRgb = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

/** XYZ of the white of D65, 2 degrees: that of `r = g = b = 1`, so that neutral colours have a = b = 0. */
const white = xyzOfRgb.map((row) => row.reduce((a, b) => a + b, 0));

const delta = 6 / 29;

/** `x^exponent` for `x >= least > 0`; several times as fast as the op for powers. */
const power = (x: Tensor, exponent: number, least: number): Tensor =>
  tf.exp(tf.mul(tf.log(tf.maximum(x, least)), exponent));

/** `x^(1/3)` above `(6/29)^3`, and a straight line below. */
const compress = (x: Tensor): Tensor =>
  tf.where(tf.greater(x, delta ** 3), power(x, 1 / 3, delta ** 3), tf.add(tf.mul(x, 1 / (3 * delta ** 2)), 4 / 29));

/** sRGB's transfer curve, undone. */
const linearise = (x: Tensor): Tensor =>
  tf.where(tf.greater(x, 0.04045), power(tf.mul(tf.add(x, 0.055), 1 / 1.055), 2.4, 0.09), tf.mul(x, 1 / 12.92));

/**
 * CIE XYZ (D65) of sRGB pictures, each of the three as a share of white: light, of which means may be taken.
 *
 * @param images `[batch, height, width, 3]`, sRGB in [0, 1]
 * @returns the same shape; the caller disposes
 */
export const xyzOf = (images: Tensor4D): Tensor4D =>
  tf.tidy(() => {
    const toXyz = tf.transpose(tf.tensor2d(xyzOfRgb.map((row, i) => row.map((value) => value / white[i]!))));
    const linear = tf.reshape(linearise(images), [-1, 3]);
    return tf.reshape(tf.matMul(linear, toXyz), images.shape);
  });

/** CIE L* of XYZ relative to white, `116 f(Y) - 16`, in [0, 100]: `[batch, height, width, 1]`; the caller disposes. */
export const lightnessOf = (xyz: Tensor4D): Tensor4D =>
  tf.tidy(() => tf.sub(tf.mul(compress(tf.slice(xyz, [0, 0, 0, 1], [-1, -1, -1, 1])), 116), 16));

/**
 * CIE a* and b* (1976) of XYZ relative to white: `a = 500 (f(X) - f(Y))` from green to red, `b = 200 (f(Y) - f(Z))` from blue to yellow,
 * both about -110 to 110. `[batch, height, width, 2]`; the caller disposes.
 */
export const abOf = (xyz: Tensor4D): Tensor4D =>
  tf.tidy(() => {
    const [x, y, z] = tf.split(compress(xyz), 3, 3);
    return tf.concat([tf.mul(tf.sub(x!, y!), 500), tf.mul(tf.sub(y!, z!), 200)], 3) as Tensor4D;
  });
