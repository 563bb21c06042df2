import type { ForwardMode } from '../network/trunk.js';
import { l2Normalize } from '../runtime/ops/l2-normalize.js';
import { tf, type Tensor2D, type Tensor4D } from '../runtime/tensors.js';
import type { Encoder } from './encoder.js';

/** Projections as unit rows `[batch, dim]`, which is what similarities are products of. Those of `embedding` are so already. */
export const projectUnit = (encoder: Encoder, images: Tensor4D, mode: ForwardMode): Tensor2D =>
  encoder.head ? tf.tidy(() => l2Normalize(encoder.project(images, mode))) : encoder.project(images, mode);
