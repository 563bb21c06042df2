import type { RandomStream } from '../../numeric/random.js';
import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { tf, type Tensor2D, type Variable } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/**
 * Prototypes `C` `[prototypes, dim]` as a trainable variable: directions drawn uniformly. (The release begins with PyTorch's dense
 * layer, whose directions favour the corners of a cube.)
 */
export function drawPrototypes(prototypes: number, dim: number, random: RandomStream): Variable {
  const values = Float32Array.from({ length: prototypes * dim }, () => random.normal());
  return tf.tidy(() => tf.variable(l2Normalize(tf.tensor2d(values, [prototypes, dim])), true));
}

/**
 * Makes the rows unit length in place, to be called before every forward pass, as released: the gradient is that of the unit rows
 * as they are, and does not see the division.
 */
export function normalisePrototypes(prototypes: Variable): void {
  withoutTape(() => tf.tidy(() => prototypes.assign(l2Normalize(prototypes))));
}

/** A copy that the gradient tape takes for a constant: prototypes while they are held. */
export const heldPrototypes = (prototypes: Variable): Tensor2D =>
  withoutTape(() => tf.clone(prototypes)) as unknown as Tensor2D;
