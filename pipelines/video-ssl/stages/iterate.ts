import { createHash } from 'node:crypto';
import path from 'node:path';
import { defineStage } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import { findRow } from '../../rows/index.js';
import { iterateParams } from '../params.js';
import type { PretrainParams } from '../../benchmark/params.js';
import { networksOf, openedTargets } from '../../benchmark/stages/finished.js';
import { sharedParams } from '../../benchmark/stages/pretrain.js';

/** One network of the paper's iterative scheme. */
export type IteratePayload = {
  readonly method: string;
  readonly seed: number;
  /** Folder of the weights to begin from. */
  readonly model: string;
  /** Folder of the decoded detection target. */
  readonly folder: string;
};

/** How a row of the table is named whose network went from ranking to detection and back. */
export const iterativeName = (method: string): string => `${method}-iterative`;

/**
 * `iterate`: the paper's iterative scheme (Wang & Gupta 2015, section 5). A network trained by ranking is fine-tuned for detection
 * on the training part of a target, and what came out of it is trained by ranking again; the stage `transfer` then fine-tunes it for detection once
 * more. Only the training part of the target is seen. Its rows are `<method>-iterative`.
 */
export const iterateStage = (methods: readonly string[], target: string) =>
  defineStage({
    name: 'iterate',
    version: 4,
    summary: `ranking, detection on ${target}, and ranking again`,
    params: iterateParams,
    inputs: ['pack', 'pretrain', 'targets'],
    onFailure: 'stop',
    items: (ctx) => {
      const found = openedTargets(ctx.input('targets')).find(({ label }) => label === target);
      if (found?.kind !== 'detection') {
        throw new UsageError(`Expected --iterate to name a folder of --detection, got \`${target}\``);
      }
      const pretrain = ctx.input('pretrain');
      // The second round learns by the same parameters as the first.
      const first = pretrain.params as unknown as PretrainParams;
      return Promise.resolve(
        networksOf(pretrain)
          .filter(({ method }) => methods.includes(method))
          .map(({ method, seed, weights, model }) => ({
            label: `${iterativeName(method)}, seed ${seed}`,
            content: createHash('sha256')
              .update(
                JSON.stringify([
                  ...[method, seed, weights, found.digest, sharedParams(first)],
                  ...[findRow(method, 'pairs').own(first), ctx.input('pack').digest],
                ]),
              )
              .digest('hex'),
            payload: {
              method,
              seed,
              model,
              folder: path.resolve(found.folder),
            } satisfies IteratePayload,
          })),
      );
    },
    work: { module: new URL('./iterate.work.js', import.meta.url), runs: 'tensors' },
  });
