import { mlp } from '../../network/head.js';
import type { RandomStream } from '../../numeric/random.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';
import { checkCount, checkPositive, checkShare } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { FeatureQueue } from '../../training/feature-queue.js';
import { projectCrops } from '../project-crops.js';
import { drawViews, type DrawView } from '../views.js';
import { drawPrototypes, heldPrototypes, normalisePrototypes } from './prototypes.js';
import { prototypeUse } from './prototype-use.js';
import { sinkhornCodes } from './sinkhorn.js';
import { swappedPredictionLoss } from './swapped-prediction.js';

/** Crops that codes are computed from: the two large ones. */
const assigned = 2;

/** Parameters of SwAV. */
export type SwavOptions<V> = {
  /** Draws view 0 and 1, the large crops, and from 2 on the small ones. */
  readonly drawView: DrawView<V>;
  /** Steps of the whole run, of which the shares below are taken. */
  readonly steps: number;
  /** Small crops beside the two large ones: they predict, and are not predicted from. Paper 6 (or none). @default 0, for short runs: four make a sample cost half as much again */
  readonly localCrops?: number;
  /** Paper and release 3000, for 1.28 M pictures. @default 30: fewer than a batch has samples */
  readonly prototypes?: number;
  /** Smoothness of the codes. Paper and release 0.05; the release advises 0.03 against collapse. @default 0.03 */
  readonly epsilon?: number;
  /** Sinkhorn's rounds. @default 3 */
  readonly iterations?: number;
  /** Temperature of the predictions. @default 0.1 */
  readonly temperature?: number;
  /** Share of the run in which prototypes are held as drawn. Released: 313 steps of 125 000, or 5005 of 1 M for small batches. @default 0.01 */
  readonly freezeShare?: number;
  /** Rows of earlier batches, for each large crop, that take part in computing the codes; 0 is none. Released for batches of 256: 3840. @default 0: a batch has more samples than there are prototypes */
  readonly queueRows?: number;
  /** Share of the run before the queue begins to fill; it takes part once it is full. Released: epoch 15 of 200 or 400. @default 0.1 */
  readonly queueAfter?: number;
  /** Paper: 2048 hidden, 128 out, batch norm between. @default 512 hidden, 128 out, batch norm between */
  readonly projector?: Projector;
};

/**
 * Swapping assignments between views (SwAV; Caron et al. 2020): which prototypes a crop belongs to, with all prototypes used
 * alike over the batch, is to be told from another crop of the same sample.
 */
export function createSwav<V>(options: SwavOptions<V>): Method<V> {
  const { drawView, steps, localCrops = 0, prototypes: count = 30, epsilon = 0.03, iterations = 3 } = options;
  const { temperature = 0.1, freezeShare = 0.01, queueRows = 0, queueAfter = 0.1 } = options;
  const { projector = mlp({ hidden: [512], dim: 128, batchNorm: 'hidden' }) } = options;
  checkCount('localCrops', localCrops, 0);
  checkCount('prototypes', count, 2);
  checkCount('iterations', iterations);
  checkCount('queueRows', queueRows, 0);
  checkPositive('epsilon', epsilon);
  checkPositive('temperature', temperature);
  checkShare('freezeShare', freezeShare);
  checkShare('queueAfter', queueAfter);
  if (localCrops > 0 && projector === 'embedding') {
    throw new RangeError(
      `Expected a projector with layers of its own where there are \`localCrops\`, got \`embedding\` with ${localCrops}: ` +
        'the dense layers of the trunk take pictures of its input size alone',
    );
  }
  const heldUntil = Math.round(steps * freezeShare);
  const queueFrom = Math.round(steps * queueAfter);
  let encoder: Encoder | undefined;
  let prototypes: Variable | undefined;
  let queues: FeatureQueue[] = [];

  const ready = (): { encoder: Encoder; prototypes: Variable } => {
    if (!encoder || !prototypes) throw new Error('Expected `init` to be called before any other call');
    return { encoder, prototypes };
  };
  const buffers = (): ReadonlyMap<string, Variable> => ready().encoder.head?.buffers ?? new Map<string, Variable>();
  const isQueueFull = (step: number, samples: number): boolean =>
    queueRows > 0 && (step - queueFrom) * samples >= queueRows;

  const step = (views: readonly Tensor4D[], batch: Batch): StepResult => {
    const { encoder, prototypes } = ready();
    normalisePrototypes(prototypes);
    const held = batch.step < heldUntil;
    const c = held ? heldPrototypes(prototypes) : (prototypes as unknown as Tensor2D);
    const samples = batch.indices.length;
    const z = projectCrops(encoder, views, 'train');
    const scores = tf.split(tf.matMul(z, c, false, true), views.length, 0) as Tensor2D[];
    const full = isQueueFull(batch.step, samples);
    const codes = scores.slice(0, assigned).map((own, i) =>
      withoutTape(() => {
        if (!full) return sinkhornCodes(own, { epsilon, iterations });
        const earlier = tf.matMul(queues[i]!.tensor(), c, false, true) as Tensor2D;
        const all = sinkhornCodes(tf.concat2d([earlier, own], 0), { epsilon, iterations });
        return tf.slice2d(all, [queueRows, 0], [samples, count]);
      }),
    );
    const loss = swappedPredictionLoss(scores, codes, temperature);
    const embedding = tf.keep(withoutTape(() => tf.slice2d(z, [0, 0], [assigned * samples, z.shape[1]])));
    const signals = {
      ...prototypeUse(tf.concat2d(scores.slice(0, assigned), 0), tf.concat2d(codes, 0), temperature),
      embedding,
    };
    if (queueRows === 0 || batch.step < queueFrom) return { loss, signals };
    // After the loss, so that no row takes part in a batch twice.
    const commit = (): void => {
      const rows = embedding.dataSync<'float32'>();
      const length = rows.length / assigned;
      queues.forEach((queue, i) => queue.push(rows.subarray(i * length, (i + 1) * length)));
    };
    return { loss, signals, commit };
  };

  return {
    name: 'swav',
    views: (sample, random) => drawViews(drawView, assigned + localCrops, sample, random),
    init: (trunk, _source, random: RandomStream) => {
      encoder = openEncoder(trunk, projector, random);
      prototypes = drawPrototypes(count, encoder.dim, random);
      if (queueRows === 0) return;
      queues = Array.from({ length: assigned }, () => new FeatureQueue(queueRows, encoder!.dim, random));
    },
    variables: () => new Map([...ready().encoder.variables(), ['prototypes', ready().prototypes]]),
    rules: () => ready().encoder.rules(),
    step,
    // Collapse sits here too: equal scores, codes and predictions that say nothing.
    uniformLoss: () => Math.log(count),
    save: () => ({
      ...namedArraysOf(buffers(), 'projector/'),
      ...Object.fromEntries(
        queues.flatMap((queue, i) => Object.entries(queue.save()).map(([name, array]) => [`${i}/${name}`, array])),
      ),
    }),
    load: (state) => {
      assignNamedArrays(buffers(), state, 'projector/');
      queues.forEach((queue, i) => {
        const own = Object.entries(state).filter(([name]) => name.startsWith(`${i}/`));
        queue.load(Object.fromEntries(own.map(([name, array]) => [name.slice(2), array])));
      });
    },
    dispose: () => {
      encoder?.dispose();
      prototypes?.dispose();
      for (const queue of queues) queue.dispose();
    },
  };
}
