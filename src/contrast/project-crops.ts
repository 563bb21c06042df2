import type { ForwardMode } from '../network/trunk.js';
import { l2Normalize } from '../runtime/ops/l2-normalize.js';
import { tf, type Tensor2D, type Tensor4D } from '../runtime/tensors.js';
import { represent, type Encoder } from './encoder.js';

/**
 * Unit rows `z` of all crops of a batch, view after view: `[views * batch, dim]`. Neighbouring views of one size go through the
 * trunk in one pass (and share its batch statistics), all crops together through the head, as in the released SwAV (Caron et al.
 * 2020, 3.2: multi-crop).
 *
 * @param views `[batch, size, size, 3]` each; sizes may differ where the encoder has a head
 */
export function projectCrops(encoder: Encoder, views: readonly Tensor4D[], mode: ForwardMode): Tensor2D {
  return tf.tidy(() => {
    const passes = bySize(views).map((group) => tf.concat4d(group, 0));
    const { head } = encoder;
    // The trunk's own dense layers end in unit rows.
    if (!head)
      return tf.concat2d(
        passes.map((images) => encoder.project(images, mode)),
        0,
      );
    const representations = tf.concat2d(
      passes.map((images) => represent(encoder.trunk, images, mode)),
      0,
    );
    return l2Normalize(head.apply(representations, mode));
  });
}

/** Neighbours of one size, in order. */
const bySize = (views: readonly Tensor4D[]): Tensor4D[][] => {
  const groups: Tensor4D[][] = [];
  for (const view of views) {
    const last = groups.at(-1);
    if (last && last[0]!.shape[1] === view.shape[1]) last.push(view);
    else groups.push([view]);
  }
  return groups;
};
