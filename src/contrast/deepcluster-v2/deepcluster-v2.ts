import { mlp } from '../../network/head.js';
import { kMeans } from '../../neighbors/k-means.js';
import { RandomStream } from '../../numeric/random.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { Batch, EmbedAll, Method, NamedArrays, StepResult } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';
import { accuracy } from '../accuracy.js';
import { checkCount, checkPositive } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { MemoryBank } from '../memory-bank.js';
import { normalisedMutualInformation } from '../mutual-information.js';
import { projectCrops } from '../project-crops.js';
import { drawViews, type DrawView } from '../views.js';
import { clusterPredictionLoss } from './cluster-prediction.js';

/** Crops whose rows are remembered for the next clustering: the two large ones. */
const remembered = 2;

/** Parameters of DeepCluster v2. */
export type DeepClusterV2Options<V> = {
  /** Draws view 0 and 1, the large crops, and from 2 on the small ones. */
  readonly drawView: DrawView<V>;
  /** Small crops beside the two large ones. Paper: none with two of 224 px, or 4 of 96 px. @default 0 */
  readonly localCrops?: number;
  /** Clusters a head. Paper and release 3000, for 1.28 M pictures. @default 30 */
  readonly clusters?: number;
  /** Clusterings beside each other, by turns of the rows of either large crop. @default 3 */
  readonly heads?: number;
  /** Rounds of spherical k-means. @default 10 */
  readonly iterations?: number;
  /** @default 0.1 */
  readonly temperature?: number;
  /** Paper: 2048 hidden, 128 out, batch norm between. @default 512 hidden, 128 out, batch norm between */
  readonly projector?: Projector;
};

/** A clustering of all samples: unit centroids `[clusters, dim]`, and the cluster of each sample. */
type Head = { readonly centroids: Tensor2D; readonly assignment: Int32Array };

/**
 * DeepCluster v2 (Caron et al. 2020): before each epoch the rows that the last one left in memory are clustered, several times over;
 * the centroids are the weights of the classifiers that the epoch trains through, and do not move in it.
 *
 * Samples that an epoch leaves out keep their row of the epoch before (released: they have no label in the next). The first
 * memory comes from one pass over the plain pictures (released: over augmented crops), as there by the statistics of its batches:
 * the running ones are still of no data.
 */
export function createDeepClusterV2<V>(options: DeepClusterV2Options<V>): Method<V> {
  const { drawView, localCrops = 0, clusters = 30, heads: count = 3, iterations = 10, temperature = 0.1 } = options;
  const { projector = mlp({ hidden: [512], dim: 128, batchNorm: 'hidden' }) } = options;
  checkCount('localCrops', localCrops, 0);
  checkCount('clusters', clusters, 2);
  checkCount('heads', count);
  checkCount('iterations', iterations);
  checkPositive('temperature', temperature);
  if (localCrops > 0 && projector === 'embedding') {
    throw new RangeError(
      `Expected a projector with layers of its own where there are \`localCrops\`, got \`embedding\` with ${localCrops}: ` +
        'the dense layers of the trunk take pictures of its input size alone',
    );
  }
  let encoder: Encoder | undefined;
  let memories: readonly MemoryBank[] = [];
  let heads: readonly Head[] = [];
  /** Agreement of the first head's clusters with those of the epoch before. */
  let agreement = 0;
  let seed = 0;

  const ready = (): Encoder => {
    if (!encoder) throw new Error('Expected `init` to be called before any other call');
    return encoder;
  };
  const buffers = (): ReadonlyMap<string, Variable> => ready().head?.buffers ?? new Map<string, Variable>();
  const replaceHeads = (next: readonly Head[]): void => {
    for (const { centroids } of heads) centroids.dispose();
    heads = next;
  };

  /** Fills both memories from the plain pictures, by the statistics of their batches: the running ones are still of no data. */
  const beginMemory = (embedAll: EmbedAll): void => {
    const rows = embedAll((images) => projectCrops(ready(), [images], 'train'));
    for (const memory of memories) memory.fill(rows);
    rows.dispose();
  };

  const cluster = (epoch: number): void => {
    const next = Array.from({ length: count }, (_, h): Head => {
      const { shape, data } = memories[h % remembered]!.save();
      const [rows, dim] = shape as [number, number];
      const { centroids, assignment } = kMeans(
        { rows, dim, data },
        {
          clusters,
          iterations,
          metric: 'cosine',
          start: 'random',
          random: RandomStream.of(seed, 'clusters', epoch, h),
        },
      );
      return { centroids: tf.keep(tf.tensor2d(centroids.data, [clusters, dim])), assignment };
    });
    const before = heads[0]?.assignment;
    // Of the precision that a train state keeps.
    agreement = before ? Math.fround(normalisedMutualInformation(before, next[0]!.assignment)) : 0;
    replaceHeads(next);
  };

  const step = (views: readonly Tensor4D[], { indices }: Batch): StepResult => {
    const z = projectCrops(ready(), views, 'train');
    const classifiers = heads.map(({ centroids, assignment }) => ({
      centroids,
      labels: tf.tensor1d(
        indices.map((index) => assignment[index]!),
        'int32',
      ),
    }));
    const first = classifiers[0]!;
    const loss = clusterPredictionLoss(z, classifiers, temperature);
    const embedding = tf.keep(withoutTape(() => tf.slice2d(z, [0, 0], [remembered * indices.length, z.shape[1]])));
    return {
      loss,
      signals: {
        accuracy: accuracy(tf.matMul(embedding, first.centroids, false, true), tf.tile(first.labels, [remembered])),
        agreement,
        largestCluster: largestShare(heads[0]!.assignment, clusters),
        embedding,
      },
      commit: () => {
        const rows = embedding.dataSync<'float32'>();
        const length = rows.length / remembered;
        memories.forEach((memory, i) => memory.update(indices, rows.subarray(i * length, (i + 1) * length), 0));
      },
    };
  };

  return {
    name: 'deepcluster-v2',
    views: (sample, random) => drawViews(drawView, remembered + localCrops, sample, random),
    init: (trunk, source, random) => {
      if (source.length < clusters) {
        throw new RangeError(
          `Expected \`clusters\` to be at most the ${source.length} samples there are, got \`${clusters}\``,
        );
      }
      encoder = openEncoder(trunk, projector, random);
      const { dim } = encoder;
      memories = Array.from({ length: remembered }, () => new MemoryBank(source.length, dim, random));
      seed = random.bits();
    },
    variables: () => ready().variables(),
    rules: () => ready().rules(),
    beforeEpoch: (epoch, embedAll) => {
      if (epoch === 0) beginMemory(embedAll);
      cluster(epoch);
    },
    step,
    uniformLoss: () => Math.log(clusters),
    save: (): NamedArrays => ({
      ...namedArraysOf(buffers(), 'projector/'),
      ...Object.fromEntries(memories.map((memory, i) => [`memory/${i}`, memory.save()])),
      ...Object.fromEntries(
        heads.flatMap(({ centroids, assignment }, h) => [
          [`centroids/${h}`, { shape: centroids.shape, data: centroids.dataSync<'float32'>().slice() }],
          [`assignment/${h}`, { shape: [assignment.length], data: assignment.slice() }],
        ]),
      ),
      agreement: { shape: [1], data: Float32Array.of(agreement) },
    }),
    load: (state) => {
      assignNamedArrays(buffers(), state, 'projector/');
      memories.forEach((memory, i) => memory.load(arrayOf(state, `memory/${i}`)));
      replaceHeads(
        Array.from({ length: count }, (_, h) => {
          const centroids = arrayOf(state, `centroids/${h}`);
          return {
            centroids: tf.keep(tf.tensor2d(centroids.data, centroids.shape as [number, number], 'float32')),
            assignment: Int32Array.from(arrayOf(state, `assignment/${h}`).data),
          };
        }),
      );
      agreement = arrayOf(state, 'agreement').data[0]!;
    },
    dispose: () => {
      encoder?.dispose();
      for (const memory of memories) memory.dispose();
      replaceHeads([]);
    },
  };
}

const arrayOf = (state: NamedArrays, name: string): NamedArrays[string] => {
  const array = state[name];
  if (!array) throw new Error(`Expected a train state of \`deepcluster-v2\` with \`${name}\``);
  return array;
};

/** Share of the samples that the largest cluster holds. */
const largestShare = (assignment: Int32Array, clusters: number): number => {
  const sizes = new Int32Array(clusters);
  for (const cluster of assignment) sizes[cluster]!++;
  return Math.max(...sizes) / assignment.length;
};
