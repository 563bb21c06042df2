import { tf, type Scalar, type Tensor2D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/** How a batch uses the prototypes. */
export type PrototypeUse = {
  /** Entropy of the mean prediction, nats: `ln K` where all prototypes are used alike, 0 where one takes everything. */
  readonly prototypeEntropy: Scalar;
  /** Mean entropy of a sample's code, nats: near 0 where codes decide, `ln K` where they say nothing (collapse). */
  readonly codeEntropy: Scalar;
  /** Prototypes that are the best of some sample, as a share of those that could be: of `K`, or of the samples where these are fewer. */
  readonly usedPrototypes: Scalar;
};

const entropy = (rows: Tensor2D): Scalar =>
  tf.mean(tf.neg(tf.sum(tf.mul(rows, tf.log(tf.maximum(rows, 1e-30))), 1))) as Scalar;

/**
 * Measures the use of prototypes from the scores and codes of a batch, `[samples, K]` each. Constants to the gradient tape. By
 * construction the codes use all prototypes alike, whatever the network does; the predictions do not.
 */
export function prototypeUse(scores: Tensor2D, codes: Tensor2D, temperature: number): PrototypeUse {
  return withoutTape(() =>
    tf.tidy(() => {
      const [samples, prototypes] = scores.shape;
      const prediction = tf.mean(tf.softmax(tf.div(scores, temperature) as Tensor2D), 0, true) as Tensor2D;
      const best = tf.oneHot(tf.argMax(scores, 1), prototypes);
      const used = tf.sum(tf.cast(tf.any(tf.cast(best, 'bool'), 0), 'float32'));
      return {
        prototypeEntropy: entropy(prediction),
        codeEntropy: entropy(codes),
        usedPrototypes: tf.div(used, Math.min(samples, prototypes)) as Scalar,
      };
    }),
  );
}
