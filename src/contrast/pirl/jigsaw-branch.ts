import { buildHead, type Head } from '../../network/head.js';
import { linear } from '../../network/layers.js';
import type { ForwardMode, Trunk } from '../../network/trunk.js';
import type { RandomStream } from '../../numeric/random.js';
import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import { representationDim, represent } from '../encoder.js';
import { cutGrid } from '../patch-grid.js';

const cells = 3;

/**
 * `g` of PIRL (Misra & van der Maaten 2020, 3.3): nine patches of a picture, cut at a random place of each cell of a grid of 3 x 3, pass
 * the trunk one by one and a linear layer, are joined in random order, and become one unit row by a second linear layer. It owns
 * the two layers, not the trunk.
 */
export class JigsawBranch {
  readonly #trunk: Trunk;
  readonly #patch: number;
  readonly #parts: ReadonlyMap<string, Head>;

  /** @param patch side of a patch, px; what a cell has more is where it may lie */
  constructor(trunk: Trunk, { patch, dim }: { readonly patch: number; readonly dim: number }, random: RandomStream) {
    this.#trunk = trunk;
    this.#patch = patch;
    this.#parts = new Map([
      ['patch.', buildHead([linear(dim)], representationDim(trunk), random)],
      ['jigsaw.', buildHead([linear(dim)], cells * cells * dim, random)],
    ]);
  }

  /** Unit rows `[batch, dim]` of pictures `[batch, side, side, 3]`; places and orders of the patches are drawn from `random`. */
  project(images: Tensor4D, mode: ForwardMode, random: RandomStream): Tensor2D {
    return tf.tidy(() => {
      const batch = images.shape[0];
      const [patch, count] = [this.#patch, cells * cells];
      const jitter = this.#room(images.shape[1]);
      const inOrder = cutGrid(images, { cells, patch, jitter, random });
      // Pixels are shuffled, not features: no gradient goes through it, which the fallback runtime has no op for.
      const patches = tf.gather(inOrder, tf.tensor1d(shuffledWithin(batch, count, random), 'int32'));
      const rows = this.#parts.get('patch.')!.apply(represent(this.#trunk, patches, mode), mode);
      const joined = tf.reshape(rows, [batch, -1]) as Tensor2D;
      return l2Normalize(this.#parts.get('jigsaw.')!.apply(joined, mode));
    });
  }

  /** Weights and biases of the two layers, by name. */
  variables(): Map<string, Variable> {
    return this.#named(({ variables }) => variables);
  }

  /** Their rates and decays, by the same names. */
  rules(): Map<string, { readonly rate: number; readonly decay: number }> {
    return this.#named(({ rules }) => rules);
  }

  /** Frees the two layers. */
  dispose(): void {
    for (const head of this.#parts.values()) head.dispose();
  }

  /** How far a patch may lie from the corner of its cell. */
  #room(side: number): number {
    const room = Math.floor(side / cells) - this.#patch;
    if (room >= 0) return room;
    throw new RangeError(
      `Expected \`view\` 1 of PIRL to be at least ${cells * this.#patch} px for patches of ${this.#patch} px in a grid of ` +
        `${cells} x ${cells}, got ${side} px`,
    );
  }

  #named<T>(of: (head: Head) => ReadonlyMap<string, T>): Map<string, T> {
    const parts = [...this.#parts];
    return new Map(
      parts.flatMap(([prefix, head]) => [...of(head)].map(([name, value]) => [prefix + name, value] as const)),
    );
  }
}

/** Row numbers of `groups` groups of `size` rows, in order but shuffled within each group. */
const shuffledWithin = (groups: number, size: number, random: RandomStream): Int32Array => {
  const order = new Int32Array(groups * size);
  for (let group = 0; group < groups; group++) {
    const part = order.subarray(group * size, (group + 1) * size);
    part.forEach((_, i) => (part[i] = group * size + i));
    random.shuffle(part);
  }
  return order;
};
