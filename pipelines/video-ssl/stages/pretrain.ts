import { createHash } from 'node:crypto';
import type { Json } from '../../../src/pipeline/json.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import type { MethodEntry } from '../methods.js';
import { pretrainParams } from '../params.js';
import type { PretrainParams } from '../params.js';
import type { PackedPairs } from './pack.js';

/** What one training run is. */
export type PretrainPayload = { readonly method: string; readonly seed: number };

/**
 * What every run depends on. What a single method has for itself stands in the content of its items; how often a checkpoint is
 * written decides nothing.
 */
export const sharedParams = (params: PretrainParams): Json => {
  const { triplet: _triplet, npid: _npid, checkpointEvery: _checkpoints, ...shared } = params;
  return shared;
};

/** `pretrain`: one training run a method and seed; each is an item, so that a new method or seed trains only itself. */
export const pretrainStage = (methods: readonly MethodEntry[], seeds: readonly number[]) =>
  defineStage({
    name: 'pretrain',
    version: 1,
    summary: 'train every method and control, each seed',
    params: pretrainParams,
    // What a single method has for itself stands in the content of its items.
    sharedParams,
    inputs: ['pack'],
    onFailure: 'stop',
    items: (ctx) => {
      const pairs = ctx.input('pack').digest;
      const { pairs: available } = ctx.input('pack').data as PackedPairs;
      const { batchPairs } = ctx.params;
      if (methods.some(({ assemble }) => assemble) && batchPairs > available) {
        throw new UsageError(
          `Expected \`pretrain.batchPairs\` to be at most ${available}, the pairs that were mined, got \`${batchPairs}\`: ` +
            `\`--set pretrain.batchPairs=${available}\`, or mine more pairs (\`--set mine.stepFrames=4\`, more videos)`,
        );
      }
      return Promise.resolve(
        seeds.flatMap((seed) =>
          methods.map(({ name, own }) => ({
            label: `${name}, seed ${seed}`,
            content: createHash('sha256')
              .update(JSON.stringify([name, seed, own(ctx.params), pairs]))
              .digest('hex'),
            payload: { method: name, seed } satisfies PretrainPayload,
          })),
        ),
      );
    },
    work: { module: new URL('./pretrain.work.js', import.meta.url), runs: 'tensors' },
  });
