import type { Trunk } from '../../network/trunk.js';
import type { RandomStream } from '../../numeric/random.js';
import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor1D, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { MemoryBank } from '../memory-bank.js';
import { drawViews, type DrawView } from '../views.js';
import { estimateNormaliser, noiseContrastiveLoss } from './instance-loss.js';

/** Parameters of instance discrimination. */
export type NpidOptions<V> = {
  /** Draws the one view of a sample. */
  readonly drawView: DrawView<V>;
  /** `nce`: noise-contrastive estimation; `softmax`: cross-entropy over the whole bank (`--nce-k 0` in the released code). @default 'nce' */
  readonly estimator?: 'nce' | 'softmax';
  /** Noise draws a sample, K; with replacement, and the sample's own row may be among them. @default 4096 */
  readonly noise?: number;
  /** Temperature. ImageNet 0.07, CIFAR 0.1. @default 0.07 */
  readonly tau?: number;
  /** Share of the old row in a bank update. @default 0.5 */
  readonly momentum?: number;
};

/**
 * Non-parametric instance discrimination (NPID; Wu et al. 2018): every sample is a class of its own, represented by its row in
 * a memory bank. The normaliser Z is estimated from the first batch, and constant from then on.
 */
export function createNpid<V>(options: NpidOptions<V>): Method<V> {
  const { drawView, estimator = 'nce', noise = 4096, tau = 0.07, momentum = 0.5 } = options;
  if (!(tau > 0)) throw new RangeError(`Expected \`tau\` to be a number above 0, got \`${tau}\` (${typeof tau})`);
  if (!(momentum >= 0 && momentum < 1)) {
    throw new RangeError(
      `Expected \`momentum\` to be a number from 0 to below 1, got \`${momentum}\` (${typeof momentum})`,
    );
  }
  if (!Number.isInteger(noise) || noise < 1) {
    throw new RangeError(`Expected \`noise\` to be a whole number above 0, got \`${noise}\` (${typeof noise})`);
  }
  let network: Trunk | undefined;
  let bank: MemoryBank | undefined;
  /** 0 until the first batch. */
  let normaliser = 0;

  const ready = (): { network: Trunk; bank: MemoryBank } => {
    if (!network || !bank) throw new Error('Expected `init` to be called before any other call');
    return { network, bank };
  };

  const nce = (positive: Tensor1D, all: Tensor2D, random: RandomStream): Scalar => {
    const [batch, rows] = all.shape;
    const counts = new Float32Array(batch * rows);
    for (let i = 0; i < batch; i++) for (let k = 0; k < noise; k++) counts[i * rows + random.integer(rows)]!++;
    if (normaliser === 0) normaliser = firstNormaliser(positive, all, counts);
    return noiseContrastiveLoss(
      { positive, all, drawn: tf.tensor2d(counts, [batch, rows]) },
      { tau, normaliser, noise },
    );
  };

  /** The mean over positives and noise draws alike, as released. */
  const firstNormaliser = (positive: Tensor1D, all: Tensor2D, counts: Float32Array): number => {
    const similarities = all.dataSync();
    const own = positive.dataSync();
    const drawn: number[] = [...own];
    counts.forEach((count, at) => {
      for (let k = 0; k < count; k++) drawn.push(similarities[at]!);
    });
    return tf.tidy(() => estimateNormaliser(tf.tensor2d(drawn, [1, drawn.length]), tau, all.shape[1]));
  };

  const step = (views: readonly Tensor4D[], { indices, random }: Batch): StepResult => {
    const { network, bank } = ready();
    const embedding = tf.keep(network.embed(views[0]!, 'train'));
    const rows = bank.tensor();
    const own = tf.gather(rows, tf.tensor1d(indices, 'int32'));
    const positive = tf.sum(tf.mul(embedding, own), 1) as Tensor1D;
    const all: Tensor2D = tf.matMul(embedding, rows, false, true);
    const loss =
      estimator === 'nce'
        ? nce(positive, all, random)
        : (tf.mean(softmaxCrossEntropy(tf.div(all, tau), tf.tensor1d(indices, 'int32'))) as Scalar);
    return {
      loss,
      signals: {
        positive: tf.mean(positive),
        negative: tf.div(tf.sub(tf.mean(all), tf.div(tf.mean(positive), bank.rows)), 1 - 1 / bank.rows),
        embedding,
      },
      // After the loss, so that a sample never meets its own fresh row.
      commit: () => bank.update(indices, embedding.dataSync<'float32'>(), momentum),
    };
  };

  return {
    name: 'npid',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, source, random) => {
      network = trunk;
      const dim = trunk.layers.find(({ name }) => name === 'embedding')!.channels;
      bank = new MemoryBank(source.length, dim, random);
    },
    variables: () => new Map(),
    step,
    // All similarities alike: softmax gives 1 / rows; in NCE `P` is the noise itself once Z has been estimated.
    uniformLoss: () => {
      const { rows } = ready().bank;
      return estimator === 'softmax' ? Math.log(rows) : Math.log(1 + noise) + noise * Math.log(1 + 1 / noise);
    },
    save: () => ({ bank: ready().bank.save(), normaliser: { shape: [1], data: Float32Array.of(normaliser) } }),
    load: (state) => {
      const { bank: rows, normaliser: z } = state;
      if (!rows || !z) throw new Error('Expected a train state of `npid` with `bank` and `normaliser`');
      ready().bank.load(rows);
      normaliser = z.data[0]!;
    },
    dispose: () => bank?.dispose(),
  };
}
