import type { RandomStream } from '../../numeric/random.js';
import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';
import type { NamedArrays } from '../../training/method.js';
import { checkCount, checkPositive } from '../check-number.js';
import type { MemoryBank } from '../memory-bank.js';
import { estimateNormaliser, noiseContrastiveLoss } from './instance-loss.js';

/** How a sample is told from all others. */
export type InstanceOptions = {
  /**
   * `nce`: noise-contrastive estimation, with a normaliser Z of the first batch; `softmax`: cross-entropy over the whole bank
   * (`--nce-k 0` in the released code), in which nothing is estimated. @default 'nce'
   */
  readonly estimator?: 'nce' | 'softmax';
  /** Noise draws a sample, K, for `nce`; with replacement, and the sample's own row may be among them. @default 4096 */
  readonly noise?: number;
  /** Temperature. ImageNet 0.07, CIFAR 0.1. @default 0.07 */
  readonly tau?: number;
};

/** Embeddings of a batch against the bank. */
export type InstanceComparison = {
  readonly loss: Scalar;
  /** `[batch]`: similarity to the row of the own sample. */
  readonly positive: Tensor1D;
  /** `[batch, rows]`: to every row. */
  readonly all: Tensor2D;
};

/**
 * The classifier with as many classes as samples whose weights are a memory bank (Wu et al. 2018, 3.1 and 3.2), as instance
 * discrimination, the warm start of local aggregation and both branches of PIRL use it. Its only state is Z of `nce`, estimated
 * from the first batch that is compared and constant from then on.
 */
export class InstanceDiscrimination {
  readonly #estimator: 'nce' | 'softmax';
  readonly #noise: number;
  readonly #tau: number;
  /** 0 until the first batch. */
  #normaliser = 0;

  constructor({ estimator = 'nce', noise = 4096, tau = 0.07 }: InstanceOptions = {}) {
    if (estimator !== 'nce' && estimator !== 'softmax') {
      throw new RangeError(`Expected \`estimator\` to be nce or softmax, got \`${String(estimator)}\``);
    }
    checkPositive('tau', tau);
    checkCount('noise', noise);
    this.#estimator = estimator;
    this.#noise = noise;
    this.#tau = tau;
  }

  /**
   * Compares unit rows `[batch, dim]` with the bank, which is constant to the tape; noise is drawn from `random`.
   *
   * @param indices the sample of each row
   */
  compare(embedding: Tensor2D, bank: MemoryBank, indices: Int32Array, random: RandomStream): InstanceComparison {
    const rows = bank.tensor();
    const labels = tf.tensor1d(indices, 'int32');
    const positive = tf.sum(tf.mul(embedding, tf.gather(rows, labels)), 1) as Tensor1D;
    const all: Tensor2D = tf.matMul(embedding, rows, false, true);
    const loss =
      this.#estimator === 'nce'
        ? this.#noiseContrast(positive, all, random)
        : (tf.mean(softmaxCrossEntropy(tf.div(all, this.#tau), labels)) as Scalar);
    return { loss, positive, all };
  }

  /**
   * What to watch: the mean similarity to the own row and to the others, and for `nce` `partition`, the mean over the batch of
   * `sum over all rows of exp(s / tau) / Z`. It is 1 where the estimated Z is right, and far above where the bank's rows have become
   * alike since it was estimated.
   */
  signals({ positive, all }: InstanceComparison): Record<string, Tensor1D | Scalar> {
    const rows = all.shape[1];
    const own = tf.mean(positive);
    return {
      positive: own as Scalar,
      negative: tf.div(tf.sub(tf.mean(all), tf.div(own, rows)), 1 - 1 / rows) as Scalar,
      ...(this.#estimator === 'nce' ? { partition: this.#partition(all) } : {}),
    };
  }

  /** All similarities alike: softmax gives `ln rows`; in `nce` `P` is the noise itself once Z has been estimated. */
  uniformLoss(rows: number): number {
    if (this.#estimator === 'softmax') return Math.log(rows);
    return Math.log(1 + this.#noise) + this.#noise * Math.log(1 + 1 / this.#noise);
  }

  /** Z, for the train state. */
  save(): NamedArrays {
    return { normaliser: { shape: [1], data: Float32Array.of(this.#normaliser) } };
  }

  /** Takes Z out of a train state. */
  load({ normaliser }: NamedArrays): void {
    if (!normaliser) throw new Error('Expected `normaliser` in the state, got none');
    this.#normaliser = normaliser.data[0]!;
  }

  #noiseContrast(positive: Tensor1D, all: Tensor2D, random: RandomStream): Scalar {
    const [batch, rows] = all.shape;
    const [noise, tau] = [this.#noise, this.#tau];
    const counts = new Float32Array(batch * rows);
    for (let i = 0; i < batch; i++) for (let k = 0; k < noise; k++) counts[i * rows + random.integer(rows)]!++;
    if (this.#normaliser === 0) this.#normaliser = Math.fround(this.#firstNormaliser(positive, all, counts));
    const drawn = tf.tensor2d(counts, [batch, rows]);
    return noiseContrastiveLoss({ positive, all, drawn }, { tau, normaliser: this.#normaliser, noise });
  }

  /** The mean over positives and noise draws alike, as released. */
  #firstNormaliser(positive: Tensor1D, all: Tensor2D, counts: Float32Array): number {
    const similarities = all.dataSync();
    const drawn: number[] = [...positive.dataSync()];
    counts.forEach((count, at) => {
      for (let k = 0; k < count; k++) drawn.push(similarities[at]!);
    });
    return tf.tidy(() => estimateNormaliser(tf.tensor2d(drawn, [1, drawn.length]), this.#tau, all.shape[1]));
  }

  #partition(all: Tensor2D): Scalar {
    return tf.div(tf.mean(tf.sum(tf.exp(tf.div(all, this.#tau)), 1)), this.#normaliser) as Scalar;
  }
}
