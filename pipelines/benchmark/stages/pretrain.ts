import { createHash } from 'node:crypto';
import { ZodError } from 'zod';
import { architectures } from '../../../src/network/build-trunk.js';
import type { Json } from '../../../src/pipeline/json.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { StageOutput } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import { imageMethods } from '../../methods/index.js';
import { variantOf, type Variant } from '../../rows/variants.js';
import type { Row } from '../../rows/row.js';
import { pretrainParams } from '../params.js';
import type { PretrainParams } from '../params.js';
import type { StartWeights } from '../start-weights.js';
import { bufferOf } from '../training-memory.js';

/** What one training run is. */
export type PretrainPayload = {
  /** The row it is for. */
  readonly method: string;
  readonly learnsFrom: Row['learnsFrom'];
  readonly seed: number;
  readonly variant?: Variant;
  /** Weights to begin with; absent = drawn from the seed. */
  readonly from?: StartWeights;
  /** A folder of classes to watch it by. No part of what the run is: the same weights come out with and without it. */
  readonly watch?: string;
};

/** The stage that leaves each kind of training set. */
export const setStages: Readonly<Record<Row['learnsFrom'], string>> = { pairs: 'pack', images: 'images' };

/**
 * What every run depends on. What a single method has for itself stands in the content of its items; how often a checkpoint is
 * written, and how a training is watched, decides nothing; where memory decides the order of the samples, that stands in the content, too.
 */
export const sharedParams = (params: PretrainParams): Json => {
  const {
    triplet: _triplet,
    checkpointEvery: _checkpoints,
    watch: _watch,
    memoryMb: _memory,
    shuffle: _shuffle,
    ...shared
  } = params;
  const own: ReadonlySet<string> = new Set(imageMethods.map(({ name }) => name));
  return Object.fromEntries(Object.entries(shared).filter(([name]) => !own.has(name)));
};

/** Samples of a kind that the stages before came to. */
const countOf = (set: StageOutput, learnsFrom: Row['learnsFrom']): number => {
  const { pairs, pictures } = set.data as { pairs?: number; pictures?: number };
  return (learnsFrom === 'pairs' ? pairs : pictures) ?? 0;
};

/** What is wrong with a row's own parameters, said under the name they are set by. */
const checkOwn = (row: Row, params: PretrainParams, inputSize: number, samples: number): void => {
  try {
    row.training?.check?.(params, inputSize, samples);
  } catch (error) {
    if (error instanceof ZodError) {
      throw new UsageError(
        `${row.name}: ${error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
      );
    }
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`pretrain.${row.imageMethod ?? 'triplet'}, for the row \`${row.name}\`: ${error.message}`);
  }
};

const checkRow = (row: Row, params: PretrainParams, count: number): void => {
  if (!row.training) return;
  const { inputSize } = architectures[row.architecture ?? params.architecture]!;
  const batch = row.training.batchSize(params, inputSize);
  const samples = row.training.samples(count);
  if (batch <= samples) {
    checkOwn(row, params, inputSize, samples);
    return;
  }
  const most = Math.floor((params.batchPairs * samples) / batch);
  if (most < 2) {
    throw new UsageError(
      `Expected more samples for \`${row.name}\` than the ${samples} there are: even the smallest batch would not be filled`,
    );
  }
  const [there, more] =
    row.learnsFrom === 'pairs'
      ? ['the pairs that were mined', ', or mine more pairs (`--set mine.stepFrames=4`, more videos)']
      : [`as there are ${samples} pictures for \`${row.name}\``, ', or give more pictures'];
  throw new UsageError(
    `Expected \`pretrain.batchPairs\` to be at most ${most}, ${there}, got \`${params.batchPairs}\`: ` +
      `\`--set pretrain.batchPairs=${most}\`${more}`,
  );
};

/** The stage's parameters; where weights are given to begin with, the trunk must be theirs, which is said before anything runs. */
const paramsFor = (planned: readonly PlannedRow[], from: StartWeights | undefined) => {
  if (from === undefined) return pretrainParams;
  const own = planned.flatMap(({ row, variant }) => (variant ? variantOf(row, variant) : row).architecture ?? []);
  const odd = own.find((architecture) => architecture !== from.architecture);
  if (odd !== undefined) {
    throw new UsageError(`Expected --init to be weights of \`${odd}\`, got those of \`${from.architecture}\``);
  }
  return pretrainParams.refine(({ architecture }) => architecture === from.architecture, {
    path: ['architecture'],
    error: `expected \`${from.architecture}\`, whose weights --init names`,
  });
};

/** A row to train, perhaps in a variant of itself. */
export type PlannedRow = { readonly row: Row; readonly variant?: Variant };

/** What trainings begin with and are watched by, beside what decides them in the parameters. */
export type PretrainOptions = {
  /** Weights to begin with. @default drawn ones */
  readonly from?: StartWeights | undefined;
  /** A folder of classes. @default none */
  readonly watch?: string | undefined;
};

/** `pretrain`: one training run a row and seed; each is an item, so that a new method or seed trains only itself. */
export const pretrainStage = (
  planned: readonly PlannedRow[],
  seeds: readonly number[],
  { from, watch }: PretrainOptions = {},
) =>
  defineStage({
    name: 'pretrain',
    version: 4,
    summary: 'train every method and control, each seed',
    params: paramsFor(planned, from) as unknown as import('zod').ZodType<PretrainParams>,
    // What a single method has for itself stands in the content of its items.
    sharedParams,
    inputs: [...new Set(planned.map(({ row }) => setStages[row.learnsFrom]))].sort(),
    onFailure: 'stop',
    items: (ctx) => {
      const rows = planned.map(({ row, variant }) => {
        const set = ctx.input(setStages[row.learnsFrom]);
        const changed = variant ? variantOf(row, variant) : row;
        const count = countOf(set, row.learnsFrom);
        if (variant?.maxImages !== undefined && variant.maxImages > count) {
          throw new UsageError(
            `Expected --pictures to be at most the ${count} pictures to learn from, got \`${variant.maxImages}\``,
          );
        }
        checkRow(changed, ctx.params, variant?.maxImages ?? count);
        // Some of the pictures are always held whole.
        const isPart = variant?.maxImages !== undefined && variant.maxImages < count;
        const buffer = isPart || !row.training ? undefined : bufferOf(set, row.learnsFrom, ctx.params);
        return { row: changed, name: row.name, variant, digest: set.digest, buffer };
      });
      return Promise.resolve(
        seeds.flatMap((seed) =>
          rows.map(({ row, name, variant, digest, buffer }) => ({
            label: `${row.name}, seed ${seed}`,
            content: createHash('sha256')
              .update(
                JSON.stringify([
                  ...[row.name, seed, row.own(ctx.params), digest, ...(variant ? [variant] : [])],
                  ...(from && row.training ? [{ from: from.sha256 }] : []),
                  ...(buffer ? [buffer] : []),
                ]),
              )
              .digest('hex'),
            payload: {
              ...{ method: name, learnsFrom: row.learnsFrom, seed },
              ...(variant ? { variant } : {}),
              ...(from && row.training ? { from } : {}),
              ...(watch !== undefined && row.training ? { watch } : {}),
            } satisfies PretrainPayload,
          })),
        ),
      );
    },
    work: { module: new URL('./pretrain.work.js', import.meta.url), runs: 'tensors' },
  });
