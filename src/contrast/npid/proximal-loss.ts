import { tf, type Scalar, type Tensor2D } from '../../runtime/tensors.js';

/**
 * The proximal term `mean |v - v'|^2` (Wu et al. 2018, 3.3), which damps what the single sample of each class would let jump. The
 * paper's `v'`, the embedding of the iteration before, is the row of the sample in the bank before the update: there the paper keeps
 * its features of the iteration before, and no other memory of them is needed. While a row is still as drawn, it pulls there too,
 * as the positive term does.
 *
 * @param embedding `[batch, dim]`, unit rows
 * @param before `[batch, dim]`, constant for the tape
 */
export const proximalLoss = (embedding: Tensor2D, before: Tensor2D): Scalar =>
  tf.mean(tf.sum(tf.square(tf.sub(embedding, before)), 1));
