import { buildHead, type Head } from '../../network/head.js';
import { linear } from '../../network/layers.js';
import type { Trunk } from '../../network/trunk.js';
import type { RandomStream } from '../../numeric/random.js';
import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { representationDim } from '../encoder.js';
import { cutGrid } from '../patch-grid.js';
import { rotate } from '../rotate.js';
import { drawViews, type DrawView } from '../views.js';
import { buildContextNetwork, type ContextNetwork } from './context-network.js';
import { dropChannels } from './drop-channels.js';
import { encodePatches, type PatchStatistics } from './encode-patches.js';
import { layerNorm } from './layer-norm.js';
import { predictionLoss, type PredictionLoss } from './prediction-loss.js';

/** Parameters of contrastive predictive coding. */
export type CpcV2Options<V> = {
  /** Draws the one view of a sample, the picture that is cut up. */
  readonly drawView: DrawView<V>;
  /** Samples a step: the number of candidates, and so the loss of chance. */
  readonly batchSize: number;
  /** Patches a side. @default 5 */
  readonly cells?: number;
  /** Side of a patch, px. @default 32, a third of the small trunk's input */
  readonly patch?: number;
  /** From one patch to the next, px: they overlap by half. @default 16 */
  readonly stride?: number;
  /** Rows ahead of the nearest prediction: the first whose patches share no pixel with the context's. @default patch / stride */
  readonly firstStep?: number;
  /** Rows ahead of the farthest one. @default cells - 1 */
  readonly lastStep?: number;
  /** Directions of prediction: down; down and up; all four. @default 4 */
  readonly directions?: 1 | 2 | 4;
  /** Residual blocks of a context network. @default 2 */
  readonly blocks?: number;
  /** Channels inside its blocks. @default 128 */
  readonly hidden?: number;
  /** Length of predictions and targets. @default 64 */
  readonly dim?: number;
  /** What their products are multiplied with. @default 0.1 */
  readonly scale?: number;
  /** Probability that a patch loses two of its three channels. @default 0.5 */
  readonly dropChannels?: number;
  /** Over which patches the trunk's batch norm takes its statistics. @default 'apart' */
  readonly statistics?: PatchStatistics;
};

/** Quarter turns counterclockwise after which a direction points down. */
const directionsOf = { 1: ['down'], 2: ['down', 'up'], 4: ['down', 'left', 'up', 'right'] } as const;
const quartersTo = { down: 0, left: 1, up: 2, right: 3 } as const;

type Direction = keyof typeof quartersTo;

/** What one direction learns for itself. */
type Predictor = {
  readonly context: ContextNetwork;
  readonly target: Head;
  /** One linear map for each distance, `W_k`. */
  readonly steps: readonly { readonly ahead: number; readonly head: Head }[];
};

const check = (name: string, value: number, least: number): void => {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(
    `Expected \`${name}\` to be a whole number of at least ${least}, got \`${value}\` (${typeof value})`,
  );
};

/** A linear map of every cell of a grid. */
const mapCells = (head: Head, grid: Tensor4D): Tensor4D => {
  const [batch, rows, columns, channels] = grid.shape;
  return tf.reshape(head.apply(tf.reshape(grid, [-1, channels]) as Tensor2D, 'train'), [
    batch,
    rows,
    columns,
    head.dim,
  ]);
};

const average = (values: readonly Scalar[]): Scalar => tf.div(tf.addN([...values]), values.length) as Scalar;

/**
 * Contrastive predictive coding, version 2 (Hénaff 2020): a picture is a grid of overlapping patches, each encoded by itself; from a
 * context, which has seen some rows, the patches of rows to come are predicted, and each prediction must pick its patch out of all patches
 * of the batch. Four directions, by turning the grid.
 */
export function createCpcV2<V>(options: CpcV2Options<V>): Method<V> {
  const { drawView, batchSize, cells = 5, patch = 32, stride = 16, directions = 4 } = options;
  const { firstStep = Math.ceil(patch / stride), lastStep = cells - 1 } = options;
  const { blocks = 2, hidden = 128, dim = 64, scale = 0.1, dropChannels: drop = 0.5, statistics = 'apart' } = options;
  for (const [name, value] of Object.entries({ batchSize, patch, stride, blocks, hidden, dim })) check(name, value, 1);
  check('cells', cells, 2);
  check('firstStep', firstStep, 1);
  check('lastStep', lastStep, firstStep);
  if (lastStep >= cells) {
    throw new RangeError(
      `Expected predictions of fewer rows ahead than the ${cells} there are, got \`firstStep\` ${firstStep}, \`lastStep\` ${lastStep}`,
    );
  }
  if (!Object.hasOwn(directionsOf, directions)) {
    throw new RangeError(`Expected \`directions\` to be 1, 2 or 4, got \`${directions}\` (${typeof directions})`);
  }
  if (!(scale > 0))
    throw new RangeError(`Expected \`scale\` to be a number above 0, got \`${scale}\` (${typeof scale})`);
  if (!(drop >= 0 && drop <= 1)) {
    throw new RangeError(`Expected \`dropChannels\` to be a number from 0 to 1, got \`${drop}\` (${typeof drop})`);
  }
  if (statistics !== 'apart' && statistics !== 'shared') {
    throw new RangeError(`Expected \`statistics\` to be apart or shared, got \`${String(statistics)}\``);
  }
  let parts: { readonly trunk: Trunk; readonly predictors: ReadonlyMap<Direction, Predictor> } | undefined;
  const ready = () => {
    if (!parts) throw new Error('Expected `init` to be called before any other call');
    return parts;
  };
  /** Everything that learns, by its name. */
  const modules = (): [string, Pick<Head, 'variables' | 'rules' | 'dispose'>][] =>
    [...ready().predictors].flatMap(([direction, { context, target, steps }]) => [
      [`${direction}.context`, context],
      [`${direction}.target`, target],
      ...steps.map(({ ahead, head }): [string, Head] => [`${direction}.ahead${ahead}`, head]),
    ]);
  const named = <K extends 'variables' | 'rules'>(kind: K) =>
    new Map(
      modules().flatMap(([module, part]) =>
        [...(part[kind] as ReadonlyMap<string, never>)].map(([name, value]) => [`${module}.${name}`, value] as const),
      ),
    );

  const buildPredictor = (channels: number, random: RandomStream): Predictor => {
    const map = (): Head => buildHead([linear(dim, { init: { std: Math.sqrt(1 / channels) } })], channels, random);
    return {
      context: buildContextNetwork({ channels, hidden, blocks }, random),
      target: map(),
      steps: Array.from({ length: lastStep - firstStep + 1 }, (_, i) => ({ ahead: firstStep + i, head: map() })),
    };
  };

  const predict = (latents: Tensor4D, { context, target, steps }: Predictor): PredictionLoss[] => {
    const contexts = context.apply(latents);
    const targets = mapCells(target, latents);
    return steps.map(({ ahead, head }) => predictionLoss(mapCells(head, contexts), targets, ahead, scale));
  };

  const step = ([pictures]: readonly Tensor4D[], { random }: Batch): StepResult => {
    const { trunk, predictors } = ready();
    const patches = dropChannels(cutGrid(pictures!, { cells, patch, stride }), drop, random);
    const rows = encodePatches(trunk, patches, cells * cells, statistics);
    const latents = tf.reshape(layerNorm(rows), [-1, cells, cells, rows.shape[1]]) as Tensor4D;
    const losses = [...predictors].flatMap(([direction, predictor]) =>
      predict(rotate(latents, quartersTo[direction]), predictor),
    );
    return {
      loss: average(losses.map(({ loss }) => loss)),
      signals: { accuracy: average(losses.map((each) => each.accuracy)), embedding: l2Normalize(rows) },
    };
  };

  return {
    name: 'cpc-v2',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, _source, random) => {
      const channels = representationDim(trunk);
      const predictors = directionsOf[directions].map((direction): [Direction, Predictor] => [
        direction,
        buildPredictor(channels, random),
      ]);
      parts = { trunk, predictors: new Map(predictors) };
    },
    variables: () => named('variables'),
    rules: () => named('rules'),
    step,
    uniformLoss: () => Math.log(batchSize * cells * cells),
    // All state is in variables.
    save: () => ({}),
    load: () => {},
    dispose: () => {
      if (parts) for (const [, part] of modules()) part.dispose();
    },
  };
}
