import { tf, type Tensor2D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/**
 * Background neighbours B (Zhuang et al. 2019, 3.1): the `count` bank rows that are most similar to each embedding, as a mask
 * `[batch, rows]` of 0 and 1, constant for the tape. All rows where there are not more than `count`; rows that are as similar as the
 * last one are in too.
 *
 * @param all `[batch, rows]`, similarities
 */
export const backgroundNeighbors = (all: Tensor2D, count: number): Tensor2D =>
  withoutTape(() => {
    if (count >= all.shape[1]) return tf.onesLike(all);
    const { values } = tf.topk(all, count, true);
    const least = tf.slice(values, [0, count - 1], [-1, 1]);
    return tf.cast(tf.greaterEqual(all, least), 'float32') as Tensor2D;
  });
