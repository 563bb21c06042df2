import { cloneTrunk } from '../network/clone-trunk.js';
import type { ForwardMode, Trunk } from '../network/trunk.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../runtime/tensors.js';
import { withoutTape } from '../runtime/without-tape.js';
import type { NamedArrays } from '../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../training/named-arrays.js';
import { copyEncoder, type Encoder } from './encoder.js';

/**
 * A slow copy of an encoder, `k <- m k + (1 - m) q` after every step (He et al. 2020, 3.2; the target of Grill et al. 2020):
 * key encoder, target network. Begins equal to the encoder. Weights are averaged; batch-norm statistics are the copy's own, from
 * its own passes, as released. Nothing of it is on the gradient tape.
 */
export class MomentumEncoder {
  readonly #online: Encoder;
  readonly #trunk: Trunk;
  readonly #copy: Encoder;

  constructor(online: Encoder) {
    this.#online = online;
    this.#trunk = cloneTrunk(online.trunk);
    this.#copy = copyEncoder(online, this.#trunk);
  }

  /** Projections `[batch, dim]` of the slow copy, constants for the tape. */
  project(images: Tensor4D, mode: ForwardMode): Tensor2D {
    return withoutTape(() => this.#copy.project(images, mode));
  }

  /** Moves the copy towards the encoder; to be called once a step, after the optimiser. */
  update(momentum: number): void {
    const online = weightsOf(this.#online);
    for (const [name, slow] of weightsOf(this.#copy)) {
      tf.tidy(() => slow.assign(tf.add(tf.mul(slow, momentum), tf.mul(online.get(name)!, 1 - momentum))));
    }
  }

  /** Weights and statistics of the copy, for the train state. */
  save(): NamedArrays {
    return { ...namedArraysOf(weightsOf(this.#copy), 'momentum/'), ...namedArraysOf(this.#buffers(), 'momentum/') };
  }

  /** Takes the copy out of a train state. */
  load(state: NamedArrays): void {
    assignNamedArrays(weightsOf(this.#copy), state, 'momentum/');
    assignNamedArrays(this.#buffers(), state, 'momentum/');
  }

  /** Frees the copy. */
  dispose(): void {
    this.#trunk.dispose();
    this.#copy.dispose();
  }

  #buffers(): Map<string, Variable> {
    return new Map([...this.#trunk.buffers, ...prefix(this.#copy.head?.buffers)]);
  }
}

const prefix = (values: ReadonlyMap<string, Variable> | undefined): [string, Variable][] =>
  [...(values ?? [])].map(([name, variable]) => [`projector.${name}`, variable]);

/** Trainable variables of trunk and head by name. */
const weightsOf = ({ trunk, head }: Encoder): Map<string, Variable> =>
  new Map([...trunk.variables, ...prefix(head?.variables)]);
