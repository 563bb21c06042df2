import { tf, type Tensor2D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/** @see sinkhornCodes */
export type SinkhornOptions = {
  /** Smoothness of the codes; the smaller, the nearer to one prototype a sample. Paper and release: 0.05; 0.03 against collapse. */
  readonly epsilon: number;
  /** Rounds of the two normalisations. Paper and release: 3. */
  readonly iterations: number;
};

/**
 * Codes `Q` `[samples, prototypes]`: the assignment of a batch to prototypes that maximises `<Q, S> + epsilon H(Q)` with every
 * prototype used alike, by Sinkhorn and Knopp (Caron et al. 2020, 3.1). From `Q = exp(S / epsilon)`, `iterations` times: each
 * prototype's column is divided to sum to `1 / prototypes`, each sample's row to `1 / samples`; at the end rows sum to 1 (exactly),
 * columns to `samples / prototypes` (nearly).
 *
 * Computed on logarithms, so that no score is too large and no epsilon too small: the released code takes `exp` and gives NaN where
 * a row runs out of range. A constant for the gradient tape.
 *
 * @param scores `S` `[samples, prototypes]`
 */
export function sinkhornCodes(scores: Tensor2D, { epsilon, iterations }: SinkhornOptions): Tensor2D {
  return withoutTape(() =>
    tf.tidy(() => {
      let logQ = tf.div(scores, epsilon) as Tensor2D;
      for (let i = 0; i < iterations; i++) {
        logQ = tf.sub(logQ, tf.logSumExp(logQ, 0, true));
        logQ = tf.sub(logQ, tf.logSumExp(logQ, 1, true));
      }
      return tf.softmax(logQ, 1);
    }),
  );
}
