import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';

/** A batch and the prototypes of one granularity that it is compared with. */
export type PrototypeComparison = {
  /** Unit rows `[batch, dim]`. */
  readonly queries: Tensor2D;
  /** Unit rows `[chosen, dim]`. */
  readonly prototypes: Tensor2D;
  /** phi of each of them, `[chosen]`. */
  readonly concentration: Tensor1D;
};

/** `v . c / phi_c` of each query and prototype, `[batch, chosen]`. */
export const prototypeLogits = ({ queries, prototypes, concentration }: PrototypeComparison): Tensor2D =>
  tf.div(tf.matMul(queries, prototypes, false, true), concentration);

/**
 * The prototype term of ProtoNCE (Li et al. 2021, equation 11) for one granularity:
 * `-log(exp(v . c_s / phi_s) / sum_j exp(v . c_j / phi_j))`, `c_s` the prototype of the query's sample. Each prototype divides by a
 * temperature of its own: a loose cluster pulls its members less than a dense one.
 *
 * @param logits of {@link prototypeLogits}
 * @param labels place of each query's own prototype, `[batch]`, int32
 * @returns a loss a query, `[batch]`
 */
export const protoNce = (logits: Tensor2D, labels: Tensor1D): Tensor1D => softmaxCrossEntropy(logits, labels);
