import { mlp } from '../../network/head.js';
import type { ForwardMode } from '../../network/trunk.js';
import { RandomStream } from '../../numeric/random.js';
import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { relu } from '../../runtime/ops/relu.js';
import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { Batch, EmbedAll, Method, StepResult } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';
import { accuracy } from '../accuracy.js';
import { checkCount, checkPositive } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { normalisedMutualInformation } from '../mutual-information.js';
import { drawViews, type DrawView } from '../views.js';
import { clusterSizes, pseudoLabels, uniformOverClusters } from './pseudo-labels.js';
import { sobelEdges } from './sobel.js';
import { TopLayer } from './top-layer.js';

/** Parameters of DeepCluster. */
export type DeepClusterOptions<V> = {
  /** Draws the one view of a sample. */
  readonly drawView: DrawView<V>;
  /** Clusters, K. Paper and release 10 000, for 1.28 M pictures. @default 30 */
  readonly clusters?: number;
  /** Principal components that features are reduced to before they are clustered. Paper: 256 of 4096. @default 64 */
  readonly components?: number;
  /** Rounds of k-means. @default 20 */
  readonly iterations?: number;
  /** Epochs from one clustering to the next. @default 1 */
  readonly reassign?: number;
  /** Learning rate of the top layer, constant. Released: 0.05, that of the network, over 5000 steps an epoch. @default 0.5 */
  readonly topRate?: number;
  /** Weight decay of the top layer. @default 1e-5 */
  readonly topDecay?: number;
  /** Whether the network sees edges (Sobel filters) in the place of colours. Paper: yes. @default false */
  readonly sobel?: boolean;
  /** Layers before the top one, without the last ReLU. Paper: the dense layers of the trunk, 4096 and 4096. @default 512 hidden, 256 out */
  readonly projector?: Projector;
};

/**
 * DeepCluster (Caron et al. 2018): the features of all samples are clustered, and the network learns to tell the clusters apart;
 * then again, from the features it has now. Clustering sees features before the last ReLU, classification after it, as released.
 */
export function createDeepCluster<V>(options: DeepClusterOptions<V>): Method<V> {
  const { drawView, clusters = 30, components = 64, iterations = 20, reassign = 1, sobel = false } = options;
  const { topRate = 0.5, topDecay = 1e-5 } = options;
  const { projector = mlp({ hidden: [512], dim: 256, batchNorm: 'none' }) } = options;
  checkCount('clusters', clusters, 2);
  checkCount('components', components);
  checkCount('iterations', iterations);
  checkCount('reassign', reassign);
  checkPositive('topRate', topRate);
  if (!(topDecay >= 0)) {
    throw new RangeError(`Expected \`topDecay\` to be a number from 0, got \`${topDecay}\` (${typeof topDecay})`);
  }
  let encoder: Encoder | undefined;
  let top: TopLayer | undefined;
  /** Cluster of each sample; all in one before the first clustering. */
  let assignment = new Int32Array(0);
  /** Agreement with the clustering before. */
  let agreement = 0;
  let seed = 0;

  const ready = (): { encoder: Encoder; top: TopLayer } => {
    if (!encoder || !top) throw new Error('Expected `init` to be called before any other call');
    return { encoder, top };
  };
  const buffers = (): ReadonlyMap<string, Variable> => ready().encoder.head?.buffers ?? new Map<string, Variable>();
  const features = (images: Tensor4D, mode: ForwardMode): Tensor2D =>
    ready().encoder.project(sobel ? sobelEdges(images) : images, mode);

  const cluster = (epoch: number, embedAll: EmbedAll): void => {
    // Before the first step the running statistics are still of no data.
    const rows = embedAll((images) => features(images, epoch === 0 ? 'train' : 'eval'));
    const [count, dim] = rows.shape;
    const data = rows.dataSync<'float32'>();
    rows.dispose();
    const random = RandomStream.of(seed, 'clusters', epoch);
    const next = pseudoLabels({ rows: count, dim, data }, { clusters, components, iterations, random });
    // Of the precision that a train state keeps.
    agreement = epoch === 0 ? 0 : Math.fround(normalisedMutualInformation(assignment, next));
    assignment = Int32Array.from(next);
    ready().top.redraw(RandomStream.of(seed, 'top', epoch));
  };

  const step = (views: readonly Tensor4D[], { indices }: Batch): StepResult => {
    const { top } = ready();
    const h = tf.keep(relu(features(views[0]!, 'train')));
    const logits = tf.keep(top.logits(h));
    const labels = tf.keep(
      tf.tensor1d(
        indices.map((index) => assignment[index]!),
        'int32',
      ),
    );
    const sizes = clusterSizes(assignment, clusters);
    return {
      loss: tf.mean(softmaxCrossEntropy(logits, labels)) as Scalar,
      signals: {
        accuracy: accuracy(logits, labels),
        agreement,
        largestCluster: Math.max(...sizes) / assignment.length,
        embedding: withoutTape(() => l2Normalize(h)),
      },
      commit: () => {
        top.learn(h, logits, labels, { rate: topRate, decay: topDecay });
        tf.dispose([h, logits, labels]);
      },
    };
  };

  return {
    name: 'deepcluster',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, source, random) => {
      if (source.length < clusters) {
        throw new RangeError(
          `Expected \`clusters\` to be at most the ${source.length} samples there are, got \`${clusters}\``,
        );
      }
      encoder = openEncoder(trunk, projector, random);
      if (components > encoder.dim) {
        throw new RangeError(
          `Expected \`components\` to be at most the ${encoder.dim} values of a row, got \`${components}\``,
        );
      }
      top = new TopLayer(encoder.dim, clusters);
      assignment = new Int32Array(source.length);
      seed = random.bits();
    },
    variables: () => ready().encoder.variables(),
    rules: () => ready().encoder.rules(),
    beforeEpoch: (epoch, embedAll) => {
      if (epoch % reassign === 0) cluster(epoch, embedAll);
    },
    weights: () => uniformOverClusters(assignment, clusters),
    step,
    uniformLoss: () => Math.log(clusters),
    save: () => ({
      ...namedArraysOf(buffers(), 'projector/'),
      ...ready().top.save(),
      assignment: { shape: [assignment.length], data: assignment.slice() },
      agreement: { shape: [1], data: Float32Array.of(agreement) },
    }),
    load: (state) => {
      const { assignment: clustersOf, agreement: agreed } = state;
      if (!clustersOf || !agreed) {
        throw new Error('Expected a train state of `deepcluster` with `assignment` and `agreement`');
      }
      assignNamedArrays(buffers(), state, 'projector/');
      ready().top.load(state);
      assignment = Int32Array.from(clustersOf.data);
      agreement = agreed.data[0]!;
    },
    dispose: () => {
      encoder?.dispose();
      top?.dispose();
    },
  };
}
