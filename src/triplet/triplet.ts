import type { RandomStream } from '../numeric/random.js';
import { tf, type Tensor2D, type Tensor4D } from '../runtime/tensors.js';
import type { Trunk } from '../network/trunk.js';
import { alignmentOf } from '../training/alignment-uniformity.js';
import type { Batch, Method, Source, StepResult } from '../training/method.js';
import { EarlierRows, emptyRow } from './earlier-rows.js';
import { checkNegativeRule, selectNegatives, type NegativeRule } from './negatives.js';
import { pairSimilarities, rankingLoss, selectionMatrix } from './ranking-loss.js';

/** The Siamese-triplet method's parameters. */
export type TripletOptions<V> = {
  /** Draws a view of one end of a track. */
  readonly drawView: (end: 'a' | 'b', random: RandomStream) => V;
  /** Margin on cosines. The paper has 0.5, the released prototxt 1. @default 0.5 */
  readonly margin?: number;
  /** Negatives an anchor, K. @default 4 */
  readonly negatives?: number;
  /** Once hard mining has begun: share of K taken among the K hardest. @default 0.5 */
  readonly hardRatio?: number;
  /** Once hard mining has begun: share of K taken at random from the rest. @default 0.5 */
  readonly randomRatio?: number;
  /** Steps of the whole run; `randomShare` is a share of them. */
  readonly steps: number;
  /** Share of the run with random negatives only, before hard mining begins; 1 = never. @default 0.5 */
  readonly randomShare?: number;
  /** What is mined then: `hard` as the paper and its code, `semi-hard` leaves out what is more similar than the positive. @default hard */
  readonly mining?: 'hard' | 'semi-hard';
  /**
   * Whether a track of the same video is a negative too, where it is seen at the same time in another place (`Source.apart`): such
   * negatives are not told by the video's look. Other tracks of the video never are: they may be the same thing. @default false
   */
  readonly sameVideoNegatives?: boolean;
  /** So many tracks of a video stand together in a batch, so that there are such negatives. @default 1 */
  readonly perVideo?: number;
  /** Embeddings of earlier batches that are candidates too. @default 0 */
  readonly queue?: number;
};

/**
 * Learning from tracks (Wang & Gupta 2015, section 4, with the released code's loss and selection): the two ends of a track are
 * to be nearer to each other than either is to patches of other videos. One pass of the trunk over both ends; random negatives
 * first, hard ones later. Semi-hard negatives, negatives from the same video and a queue of earlier batches are not in the paper.
 */
export function createTriplet<V>(options: TripletOptions<V>): Method<V> {
  const { drawView, steps, margin = 0.5, negatives: count = 4 } = options;
  const { hardRatio = 0.5, randomRatio = 0.5, randomShare = 0.5, mining = 'hard' } = options;
  const { sameVideoNegatives = false, perVideo = 1, queue: queueRows = 0 } = options;
  const randomRule: NegativeRule = { count, hardRatio: 0, randomRatio: 1, margin };
  const hardRule: NegativeRule = { count, hardRatio, randomRatio, margin, semiHard: mining === 'semi-hard' };
  checkNegativeRule(hardRule);
  if (!(randomShare >= 0 && randomShare <= 1)) {
    throw new RangeError(
      `Expected \`randomShare\` to be a number from 0 to 1, got \`${randomShare}\` (${typeof randomShare})`,
    );
  }
  for (const [name, value, least] of [
    ['perVideo', perVideo, 1],
    ['queue', queueRows, 0],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new RangeError(
      `Expected \`${name}\` to be a whole number of at least ${least}, got \`${value}\` (${typeof value})`,
    );
  }
  const hardFrom = Math.round(steps * randomShare);
  let trunk: Trunk | undefined;
  let source: Source<V> | undefined;
  let earlier: EarlierRows | undefined;

  const step = (views: readonly Tensor4D[], batch: Batch): StepResult => {
    if (!trunk) throw new Error('Expected `init` to be called before `step`');
    const embedding = trunk.embed(tf.concat4d([...views], 0), 'train');
    const [first, second] = tf.split(embedding, 2, 0) as [Tensor2D, Tensor2D];
    const similarities = pairSimilarities(first, second, earlier?.tensor());
    const rowLabels = Int32Array.from([...batch.videos, ...batch.videos, ...(earlier?.videos ?? [])]);
    const rowSamples = [...batch.indices, ...batch.indices, ...(earlier?.samples ?? [])];
    const apart = sameVideoNegatives ? source?.apart : undefined;
    const values = similarities.first.dataSync<'float32'>();
    const chosen = selectNegatives(
      {
        similarities: values,
        positives: similarities.positive.dataSync<'float32'>(),
        anchorLabels: batch.videos,
        rowLabels,
        ...(apart ? { apart: (anchor, row) => apart(batch.indices[anchor]!, rowSamples[row]!) } : {}),
      },
      batch.step < hardFrom ? randomRule : hardRule,
      batch.random,
    );
    const selected = selectionMatrix(chosen, rowLabels.length);
    const { loss, active } = rankingLoss(similarities, selected, { margin, count });
    return {
      loss,
      signals: {
        active,
        positive: tf.mean(similarities.positive),
        alignment: alignmentOf(similarities.positive),
        negative: meanOfOthers(values, batch.videos, rowLabels),
        embedding,
      },
      ...(earlier ? { commit: remember(earlier, embedding, batch) } : {}),
    };
  };

  return {
    name: 'triplet',
    views: (_sample, random) => [drawView('a', random), drawView('b', random)],
    perVideo,
    init: (network, samples, random) => {
      trunk = network;
      source = samples;
      const { channels } = network.layers.find(({ name }) => name === 'embedding') ?? { channels: 0 };
      if (queueRows > 0) earlier = new EarlierRows(queueRows, channels, random);
    },
    variables: () => new Map(),
    step,
    // Equal features make every hinge term the margin.
    uniformLoss: () => margin,
    save: () => earlier?.save() ?? {},
    load: (state) => earlier?.load(state),
    dispose: () => earlier?.dispose(),
  };
}

/** Puts the batch's embeddings into the queue, once the step is done. */
function remember(earlier: EarlierRows, embedding: Tensor2D, { videos, indices }: Batch): () => void {
  const values = embedding.dataSync<'float32'>().slice();
  return () => earlier.push(values, Int32Array.from([...videos, ...videos]), Int32Array.from([...indices, ...indices]));
}

/** Mean similarity of the anchors to rows of other videos; 0 where there are none. */
function meanOfOthers(similarities: Float32Array, anchorLabels: Int32Array, rowLabels: Int32Array): number {
  let sum = 0;
  let count = 0;
  anchorLabels.forEach((label, anchor) => {
    rowLabels.forEach((other, row) => {
      if (other === label || other === emptyRow) return;
      sum += similarities[anchor * rowLabels.length + row]!;
      count++;
    });
  });
  return count === 0 ? 0 : sum / count;
}
