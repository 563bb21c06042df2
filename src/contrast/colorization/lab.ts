import { tf, type Tensor, type Tensor4D } from '../../runtime/tensors.js';

/** Linear sRGB to CIE XYZ for D65 (IEC 61966-2-1), a column a channel of RGB; neutral colours have a = b = 0. */
const xyzOfRgb = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

/** XYZ of the white of D65, 2 degrees. */
const white = xyzOfRgb.map((row) => row.reduce((a, b) => a + b, 0));

const delta = 6 / 29;

/** `x^(1/3)` above `(6/29)^3`, and a straight line below. */
const compress = (x: Tensor): Tensor =>
  tf.where(
    tf.greater(x, delta ** 3),
    tf.pow(tf.maximum(x, delta ** 3), 1 / 3),
    tf.add(tf.div(x, 3 * delta ** 2), 4 / 29),
  );

/** sRGB's transfer curve, undone. */
const linearise = (x: Tensor): Tensor =>
  tf.where(tf.greater(x, 0.04045), tf.pow(tf.div(tf.add(tf.maximum(x, 0), 0.055), 1.055), 2.4), tf.div(x, 12.92));

/**
 * CIE L*a*b* (1976, D65) of sRGB pictures: `L = 116 f(Y) - 16` in [0, 100], `a = 500 (f(X) - f(Y))`, `b = 200 (f(Y) - f(Z))`, about
 * -110 to 110, of values relative to white.
 *
 * @param images `[batch, height, width, 3]`, sRGB in [0, 1]
 * @returns lightness `[batch, height, width, 1]` and ab `[batch, height, width, 2]`; the caller disposes
 */
export const labOf = (images: Tensor4D): { readonly lightness: Tensor4D; readonly ab: Tensor4D } =>
  tf.tidy(() => {
    const [batch, height, width] = images.shape;
    const toXyz = tf.transpose(tf.tensor2d(xyzOfRgb.map((row, i) => row.map((value) => value / white[i]!))));
    const linear = tf.reshape(linearise(images), [-1, 3]);
    const [x, y, z] = tf.split(compress(tf.matMul(linear, toXyz)), 3, 1);
    const lightness = tf.sub(tf.mul(y!, 116), 16);
    const ab = tf.concat([tf.mul(tf.sub(x!, y!), 500), tf.mul(tf.sub(y!, z!), 200)], 1);
    return {
      lightness: tf.reshape(lightness, [batch, height, width, 1]) as Tensor4D,
      ab: tf.reshape(ab, [batch, height, width, 2]) as Tensor4D,
    };
  });
