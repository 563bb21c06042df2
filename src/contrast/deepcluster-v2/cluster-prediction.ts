import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';

/** A clustering as a classifier. */
export type ClusterHead = {
  /** Unit centroids `[clusters, dim]`; constants. */
  readonly centroids: Tensor2D;
  /** Cluster of each sample of the batch, `[batch]` int32. */
  readonly labels: Tensor1D;
};

/**
 * Which cluster a sample belongs to, told from each of its crops by the cosines to the centroids (DeepCluster v2; Caron et al.
 * 2020, 4.1 and appendix): `L = mean over heads, crops and samples of -log softmax(C z / temperature)[label]`.
 *
 * @param z unit rows `[crops * batch, dim]`, crop after crop
 */
export function clusterPredictionLoss(z: Tensor2D, heads: readonly ClusterHead[], temperature: number): Scalar {
  const losses = heads.map(({ centroids, labels }) => {
    const scores = tf.div(tf.matMul(z, centroids, false, true), temperature) as Tensor2D;
    return tf.mean(softmaxCrossEntropy(scores, tf.tile(labels, [z.shape[0] / labels.size])));
  });
  return tf.div(tf.addN(losses), heads.length) as Scalar;
}
