import { mlp } from '../../network/head.js';
import type { Trunk } from '../../network/trunk.js';
import type { RandomStream } from '../../numeric/random.js';
import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { Method, NamedArrays } from '../../training/method.js';
import { checkCount, checkPositive, checkShare } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { FeatureQueue } from '../../training/feature-queue.js';
import { compareQueries, infoNce } from '../info-nce.js';
import { MomentumEncoder } from '../momentum-encoder.js';
import { projectUnit } from '../unit-projection.js';
import { inShuffledGroups } from './shuffled-groups.js';

/** What momentum contrast can be told. */
export type MomentumContrastOptions = {
  /** tau of InfoNCE: 0.07 in MoCo, 0.2 in MoCo v2. @default 0.2 */
  readonly temperature?: number;
  /**
   * Share of the old weights in a move of the key encoder. The paper has 0.999, an average over about 1000 steps: one of half a
   * million steps forgets its start at once, one of a few hundred never does. 0.99 averages over 100.
   * @default 0.99
   */
  readonly momentum?: number;
  /**
   * Keys of earlier batches that serve as negatives; never more than there are samples, since a queue longer than an epoch holds a sample's
   * own earlier keys. The paper has 65536 of 1.28 M images, and 4096 of the 50 000 of CIFAR-10.
   * @default 1024
   */
  readonly queue?: number;
  /**
   * Groups with batch-norm statistics of their own that the keys pass in; 1 for one pass of all. The paper has 8 devices.
   * @default 2
   */
  readonly keyGroups?: number;
  /** The paper of v2: one hidden layer as wide as the representation (2048), 128 out, no batch norm. @default hidden 512, 128 out */
  readonly projector?: Projector;
};

/** One comparison of a batch with its keys and the queue. */
export type Contrast = {
  /** Mean InfoNCE. */
  readonly loss: Scalar;
  /** Unit rows `[batch, dim]` of the queries, on the tape. */
  readonly queries: Tensor2D;
  readonly signals: Readonly<Record<string, Tensor>>;
  /** Moves the key encoder, and puts the keys in the queue; to be called once, after the optimiser. */
  readonly commit: () => void;
};

/**
 * Momentum contrast (He et al. 2020), the part that MoCo and PCL share: queries of an encoder, keys of its slow copy, a queue of
 * keys of earlier batches as negatives.
 */
export class MomentumContrast {
  readonly #options: Required<MomentumContrastOptions>;
  readonly #encoder: Encoder;
  readonly #keyEncoder: MomentumEncoder;
  readonly #queue: FeatureQueue;

  /** The options with their defaults; throws a RangeError that names the first that makes no sense. */
  static complete(options: MomentumContrastOptions): Required<MomentumContrastOptions> {
    const complete = {
      temperature: options.temperature ?? 0.2,
      momentum: options.momentum ?? 0.99,
      queue: options.queue ?? 1024,
      keyGroups: options.keyGroups ?? 2,
      projector: options.projector ?? mlp({ hidden: [512], dim: 128, batchNorm: 'none' }),
    };
    checkPositive('temperature', complete.temperature);
    checkShare('momentum', complete.momentum);
    checkCount('queue', complete.queue);
    checkCount('keyGroups', complete.keyGroups);
    return complete;
  }

  /** Puts heads, copy and queue on a trunk, for a set of `samples`. */
  constructor(
    options: Required<MomentumContrastOptions>,
    { trunk, samples, random }: { readonly trunk: Trunk; readonly samples: number; readonly random: RandomStream },
  ) {
    this.#options = options;
    this.#encoder = openEncoder(trunk, options.projector, random);
    this.#keyEncoder = new MomentumEncoder(this.#encoder);
    this.#queue = new FeatureQueue(Math.min(options.queue, samples), this.#encoder.dim, random);
  }

  /** Length of the rows. */
  get dim(): number {
    return this.#encoder.dim;
  }

  /** Compares the first view's queries with the second view's keys; inside the tape, on which only the queries are. */
  contrast(query: Tensor4D, key: Tensor4D, random: RandomStream): Contrast {
    const { temperature, momentum, keyGroups } = this.#options;
    const queries = projectUnit(this.#encoder, query, 'train');
    const keys = tf.keep(
      withoutTape(() => inShuffledGroups(key, keyGroups, random, (images) => this.keysOf(images, 'train'))),
    );
    const similarities = compareQueries(queries, keys, this.#queue.tensor());
    return {
      loss: tf.mean(infoNce(similarities, temperature)) as Scalar,
      queries,
      signals: { positive: tf.mean(similarities.positive), negative: tf.mean(similarities.negative) },
      commit: () => {
        this.#keyEncoder.update(momentum);
        // After the loss, so that a query never meets its own key among the negatives.
        this.#queue.push(keys.dataSync<'float32'>());
        keys.dispose();
      },
    };
  }

  /** Unit rows `[batch, dim]` of the key encoder, constants to the tape. */
  keysOf(images: Tensor4D, mode: 'train' | 'eval'): Tensor2D {
    return withoutTape(() => tf.tidy(() => l2Normalize(this.#keyEncoder.project(images, mode))));
  }

  /** The loss of equal features. */
  uniformLoss(): number {
    return Math.log(1 + this.#queue.rows);
  }

  /** Trainable variables of the head. */
  variables(): ReturnType<Method<unknown>['variables']> {
    return this.#encoder.variables();
  }

  /** Rates and decays of those. */
  rules(): ReturnType<NonNullable<Method<unknown>['rules']>> {
    return this.#encoder.rules();
  }

  /** Key encoder, queue and the head's running statistics, for the train state. */
  save(): NamedArrays {
    return { ...this.#keyEncoder.save(), ...this.#queue.save(), ...this.#encoder.save() };
  }

  /** Takes them out of a train state. */
  load(state: NamedArrays): void {
    this.#keyEncoder.load(state);
    this.#queue.load(state);
    this.#encoder.load(state);
  }

  /** Frees everything but the trunk. */
  dispose(): void {
    this.#queue.dispose();
    this.#keyEncoder.dispose();
    this.#encoder.dispose();
  }
}
