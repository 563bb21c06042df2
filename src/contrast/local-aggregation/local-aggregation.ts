import { RandomStream } from '../../numeric/random.js';
import { tf, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { Batch, Method, NamedArrays, StepResult } from '../../training/method.js';
import { loadBank, saveBank } from '../bank-state.js';
import { checkCount, checkShare } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { fillBank, type BankStart } from '../fill-bank.js';
import { MemoryBank } from '../memory-bank.js';
import { InstanceDiscrimination, type InstanceOptions } from '../npid/instance-discrimination.js';
import { projectUnit } from '../unit-projection.js';
import { drawViews, type DrawView } from '../views.js';
import { backgroundNeighbors } from './background-neighbors.js';
import { CloseNeighbors } from './close-neighbors.js';
import { localAggregationLoss } from './local-aggregation-loss.js';

/** Parameters of local aggregation; those of {@link InstanceOptions} are of the warm start, `tau` of both. */
export type LocalAggregationOptions<V> = InstanceOptions & {
  /** Draws the one view of a sample. */
  readonly drawView: DrawView<V>;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Share of the steps that instance discrimination makes the neighbourhoods meaningful for, 0 to below 1; 10 of 200 epochs in the paper. @default 0.05 */
  readonly warmUp?: number;
  /** Background neighbours. @default 4096 */
  readonly background?: number;
  /** Clusterings whose clusters are united, H. @default 10 */
  readonly clusterings?: number;
  /** Samples a cluster, in the mean: it says how many clusters there are. The paper's 30 000 of 1.28 M images. @default 43 */
  readonly samplesPerCluster?: number;
  /** Most rounds of k-means. @default 20 */
  readonly iterations?: number;
  /** Epochs after which the bank is clustered anew. @default 1 */
  readonly refreshEpochs?: number;
  /** Share of the old row in a bank update. @default 0.5 */
  readonly momentum?: number;
  /** @default 'random' */
  readonly bankStart?: BankStart;
  /** The paper's is a linear layer to 128 values and unit rows. @default 'embedding' */
  readonly projector?: Projector;
};

/**
 * Local aggregation (Zhuang et al. 2019): a memory bank as in instance discrimination, in which what k-means finds together is drawn
 * together, and away from what else lies near. Begins as instance discrimination, whose network and bank are kept, where the paper
 * begins anew with rates and moments; the first clusters are made at the first step after that.
 */
export function createLocalAggregation<V>(options: LocalAggregationOptions<V>): Method<V> {
  const { drawView, steps, warmUp = 0.05, background = 4096, clusterings = 10, samplesPerCluster = 43 } = options;
  const {
    iterations = 20,
    refreshEpochs = 1,
    momentum = 0.5,
    tau = 0.07,
    bankStart = 'random',
    projector = 'embedding',
  } = options;
  for (const [name, count] of Object.entries({ background, clusterings, iterations, refreshEpochs })) {
    checkCount(name, count);
  }
  checkShare('warmUp', warmUp);
  checkShare('momentum', momentum);
  if (!(samplesPerCluster >= 1)) {
    throw new RangeError(
      `Expected \`samplesPerCluster\` to be a number from 1, got \`${samplesPerCluster}\` (${typeof samplesPerCluster})`,
    );
  }
  const instances = new InstanceDiscrimination(options);
  const warmUpSteps = Math.round(warmUp * steps);
  let state: { readonly encoder: Encoder; readonly bank: MemoryBank; readonly seed: number } | undefined;
  let neighbors: Neighbors | undefined;

  const ready = () => {
    if (!state) throw new Error('Expected `init` to be called before any other call');
    return state;
  };

  /** The neighbours of this epoch: found at the first step that asks for them. */
  const closeAt = (epoch: number): CloseNeighbors => {
    if (!neighbors || epoch >= neighbors.epoch + refreshEpochs) {
      const { bank, seed } = ready();
      const { shape, data } = bank.save();
      const points = { rows: shape[0]!, dim: shape[1]!, data };
      const clusters = Math.max(1, Math.round(points.rows / samplesPerCluster));
      const random = RandomStream.of(seed, 'clusters', epoch);
      const close = withoutTape(() => CloseNeighbors.find(points, { clusterings, clusters, iterations }, random));
      neighbors = { close, epoch };
    }
    return neighbors.close;
  };

  const aggregate = (embedding: Tensor2D, { indices, epoch }: Batch): StepResult => {
    const { bank } = ready();
    const all: Tensor2D = tf.matMul(embedding, bank.tensor(), false, true);
    const near = backgroundNeighbors(all, background);
    const close = tf.tensor2d(closeAt(epoch).mask(indices), [indices.length, bank.rows]);
    const { loss, share } = localAggregationLoss({ all, background: near, close }, tau);
    const both = tf.sum(tf.mul(near, close), 1);
    return {
      loss,
      signals: {
        positive: tf.mean(tf.sum(tf.mul(embedding, bank.rowsOf(indices)), 1)),
        share: tf.mean(share),
        closeNeighbors: tf.mean(tf.sum(close, 1)),
        closeInBackground: tf.mean(both),
        withoutNeighbors: tf.mean(tf.cast(tf.equal(both, 0), 'float32')),
      },
    };
  };

  const discriminate = (embedding: Tensor2D, { indices, random }: Batch): StepResult => {
    const comparison = instances.compare(embedding, ready().bank, indices, random);
    return { loss: comparison.loss, signals: instances.signals(comparison) };
  };

  const step = (views: readonly Tensor4D[], batch: Batch): StepResult => {
    const { encoder, bank } = ready();
    const embedding = projectUnit(encoder, views[0]!, 'train');
    const { loss, signals } = batch.step < warmUpSteps ? discriminate(embedding, batch) : aggregate(embedding, batch);
    return {
      loss,
      signals: { ...signals, embedding },
      commit: bank.updateAfter(batch.indices, embedding, momentum),
    };
  };

  return {
    name: 'local-aggregation',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, source, random) => {
      const encoder = openEncoder(trunk, projector, random);
      state = { encoder, bank: new MemoryBank(source.length, encoder.dim, random), seed: random.bits() };
      neighbors = undefined;
    },
    variables: () => ready().encoder.variables(),
    rules: () => ready().encoder.rules(),
    beforeEpoch: (epoch, embedAll) => {
      if (epoch === 0 && bankStart === 'features') fillBank(ready(), embedAll);
    },
    step,
    // Where all are alike, the background is any part of the samples, and the close neighbours have their share of it.
    uniformLoss: (step) => {
      const { rows } = ready().bank;
      if (step < warmUpSteps || !neighbors) return instances.uniformLoss(rows);
      return -neighbors.close.sizes().reduce((sum, size) => sum + Math.log(size / rows), 0) / rows;
    },
    save: () => ({ ...saveBank({ ...ready(), instances }), ...saveNeighbors(neighbors) }),
    load: (arrays) => {
      loadBank({ ...ready(), instances }, arrays);
      neighbors = loadNeighbors(arrays, ready().bank.rows);
    },
    dispose: () => {
      state?.bank.dispose();
      state?.encoder.dispose();
      state = undefined;
    },
  };
}

type Neighbors = { readonly close: CloseNeighbors; readonly epoch: number };

/** Nothing before the first clustering. */
const saveNeighbors = (neighbors: Neighbors | undefined): NamedArrays => {
  if (!neighbors) return {};
  const { clusterings, samples, assignments } = neighbors.close;
  return {
    clusters: { shape: [clusterings, samples], data: assignments.slice() },
    'clusters/epoch': { shape: [1], data: Int32Array.of(neighbors.epoch) },
  };
};

const loadNeighbors = (arrays: NamedArrays, rows: number): Neighbors | undefined => {
  const { clusters, 'clusters/epoch': epoch } = arrays;
  if (!clusters || !epoch) return undefined;
  const [clusterings, samples] = clusters.shape;
  if (samples !== rows) throw new Error(`Expected clusterings of ${rows} samples in the state, got ${samples}`);
  return { close: new CloseNeighbors(Int32Array.from(clusters.data), clusterings!), epoch: epoch.data[0]! };
};
