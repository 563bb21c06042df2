import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { selectRows } from '../../neighbors/feature-matrix.js';
import { RandomStream } from '../../numeric/random.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import type { Batch, EmbedAll, Method, StepResult } from '../../training/method.js';
import { checkCount, checkPositive, checkShare } from '../check-number.js';
import { MomentumContrast, type MomentumContrastOptions } from '../moco/momentum-contrast.js';
import { normalisedMutualInformation } from '../mutual-information.js';
import { drawViews, type DrawView } from '../views.js';
import { protoNce, prototypeLogits } from './proto-nce.js';
import {
  choosePrototypes,
  findPrototypes,
  loadPrototypes,
  savePrototypes,
  type PrototypeSet,
} from './prototype-set.js';

/** Parameters of PCL. */
export type PclOptions<V> = MomentumContrastOptions & {
  /** Its name in tables and curves: v1 and v2 differ in projector, temperature and augmentation. @default 'pcl-v2' */
  readonly name?: 'pcl-v1' | 'pcl-v2';
  /** Draws view 0, the query, and view 1, the key, of a sample. */
  readonly drawView: DrawView<V>;
  /** Steps of the run. */
  readonly steps: number;
  /** Samples a step. */
  readonly batchSize: number;
  /**
   * Samples a prototype, one number a granularity, finest last. The paper has 25 000, 50 000 and 100 000 prototypes of 1.28 M
   * images.
   * @default [50, 25, 13]
   */
  readonly samplesPerPrototype?: readonly number[];
  /** Prototypes drawn as negatives, beside those of the batch. The paper has as many as keys in the queue. @default 1024 */
  readonly negativePrototypes?: number;
  /**
   * Share of the run without prototypes; as released 20 of 200 epochs. Prototypes are found as epochs begin: first in the first that
   * begins after the warm-up, or in the last of the run where none does.
   * @default 0.1
   */
  readonly warmUp?: number;
  /** Updates of k-means. @default 20 */
  readonly iterations?: number;
  /** Runs of k-means. @default 5 */
  readonly runs?: number;
  /** alpha of the concentration. @default 10 */
  readonly smoothing?: number;
  /** Quantiles that concentrations are clipped to. @default [0.1, 0.9] */
  readonly clip?: readonly [low: number, high: number];
};

/**
 * Prototypical contrastive learning (PCL; Li et al. 2021): momentum contrast, and beside it each query is compared with
 * prototypes, which k-means finds among the features of the momentum encoder as every epoch begins, at several granularities. Both
 * terms have the same weight, as released.
 */
export function createPcl<V>(options: PclOptions<V>): Method<V> {
  const { name = 'pcl-v2', drawView, steps, batchSize } = options;
  const { samplesPerPrototype = [50, 25, 13], negativePrototypes = 1024, warmUp = 0.1 } = options;
  const { iterations = 20, runs = 5, smoothing = 10, clip = [0.1, 0.9] } = options;
  const complete = MomentumContrast.complete(options);
  for (const [key, value] of Object.entries({ steps, batchSize, negativePrototypes, iterations, runs })) {
    checkCount(key, value);
  }
  for (const value of samplesPerPrototype) checkPositive('samplesPerPrototype', value);
  if (samplesPerPrototype.length === 0) {
    throw new RangeError('Expected `samplesPerPrototype` to name a granularity, got none');
  }
  checkShare('warmUp', warmUp);
  checkPositive('smoothing', smoothing);
  if (!(clip[0] >= 0 && clip[0] <= clip[1] && clip[1] <= 1)) {
    throw new RangeError(`Expected \`clip\` to be two ascending quantiles from 0 to 1, got [${clip.join(', ')}]`);
  }
  let state: { readonly contrast: MomentumContrast; readonly samples: number; readonly seed: number } | undefined;
  /** One a granularity; none during the warm-up. */
  let sets: readonly PrototypeSet[] = [];
  /** How far the finest assignment is the one of the epoch before. */
  let agreement = 0;
  /** How many prototypes the last batch was compared with, a granularity. */
  let chosen: readonly number[] = [];

  const ready = () => {
    if (!state) throw new Error('Expected `init` to be called before any other call');
    return state;
  };

  const firstEpoch = (samples: number): number => {
    const perEpoch = Math.max(1, Math.floor(samples / batchSize));
    return Math.min(Math.ceil((warmUp * steps) / perEpoch), Math.ceil(steps / perEpoch) - 1);
  };

  const beforeEpoch = (epoch: number, embedAll: EmbedAll): void => {
    const { contrast, samples, seed } = ready();
    if (epoch < firstEpoch(samples)) return;
    const rows = embedAll((images) => contrast.keysOf(images, 'eval'));
    const features: FeatureMatrix = { rows: samples, dim: contrast.dim, data: rows.dataSync<'float32'>().slice() };
    rows.dispose();
    const { temperature } = complete;
    const found = samplesPerPrototype.map((size, granularity) => {
      const clusters = Math.min(samples, Math.max(2, Math.round(samples / size)));
      const random = RandomStream.of(seed, 'prototypes', epoch, granularity);
      return findPrototypes(features, { clusters, iterations, runs, random, temperature, smoothing, clip });
    });
    const [before, after] = [sets.at(-1), found.at(-1)!];
    // In float32, as it is saved.
    agreement = before ? Math.fround(normalisedMutualInformation(before.assignment, after.assignment)) : 0;
    sets = found;
  };

  /** Mean over the granularities, and how often a query is nearest to its own among the finest. */
  const prototypical = (queries: Tensor2D, { indices, random }: Batch): { loss: Scalar; accuracy: Scalar } => {
    const terms = sets.map((set) => {
      const { rows, labels } = choosePrototypes(set, indices, negativePrototypes, random);
      const prototypes = selectRows(set.prototypes, rows);
      const logits = prototypeLogits({
        queries,
        prototypes: tf.tensor2d(prototypes.data, [rows.length, prototypes.dim]),
        concentration: tf.tensor1d(Array.from(rows, (row) => set.concentration[row]!)),
      });
      const own = tf.tensor1d(labels, 'int32');
      const accuracy = tf.mean(tf.cast(tf.equal(tf.argMax(logits, 1), own), 'float32'));
      return { loss: tf.mean(protoNce(logits, own)), accuracy, count: rows.length };
    });
    chosen = terms.map(({ count }) => count);
    return {
      loss: tf.div(tf.addN(terms.map(({ loss }) => loss)), terms.length),
      accuracy: terms.at(-1)!.accuracy as Scalar,
    };
  };

  const step = ([query, key]: readonly Tensor4D[], batch: Batch): StepResult => {
    const { loss, queries, signals, commit } = ready().contrast.contrast(query!, key!, batch.random);
    if (sets.length === 0) return { loss, signals: { ...signals, embedding: queries }, commit };
    const prototypes = prototypical(queries, batch);
    return {
      loss: tf.add(loss, prototypes.loss),
      signals: {
        ...signals,
        instanceLoss: loss,
        prototypeLoss: prototypes.loss,
        prototypeAccuracy: prototypes.accuracy,
        agreement,
        embedding: queries,
      },
      commit,
    };
  };

  const prefix = (granularity: number): string => `prototypes/${granularity}/`;

  return {
    name,
    views: (sample, random) => drawViews(drawView, 2, sample, random),
    init: (trunk, source, random) => {
      const contrast = new MomentumContrast(complete, { trunk, samples: source.length, random });
      state = { contrast, samples: source.length, seed: random.bits() };
    },
    variables: () => ready().contrast.variables(),
    rules: () => ready().contrast.rules(),
    beforeEpoch,
    step,
    uniformLoss: () => {
      const prototypes = chosen.reduce((sum, count) => sum + Math.log(count), 0) / Math.max(1, chosen.length);
      return ready().contrast.uniformLoss() + prototypes;
    },
    save: () => ({
      ...ready().contrast.save(),
      ...Object.assign({}, ...sets.map((set, granularity) => savePrototypes(set, prefix(granularity)))),
      agreement: { shape: [1], data: Float32Array.of(agreement) },
    }),
    load: (arrays) => {
      ready().contrast.load(arrays);
      sets = samplesPerPrototype.flatMap((_, granularity) => loadPrototypes(arrays, prefix(granularity)) ?? []);
      agreement = arrays['agreement']?.data[0] ?? 0;
    },
    dispose: () => state?.contrast.dispose(),
  };
}
