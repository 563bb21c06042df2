import type { Json } from '../../../src/pipeline/json.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import { mineParams } from '../params.js';

/** One video: where it is, and what `index` saw in it (a `VideoInfo`), so that it is not probed twice. */
export type MinePayload = { readonly path: string; readonly info: Json };

/** What mining one video came to, as later stages see it. */
export type MinedVideo = {
  readonly frames: number;
  readonly pairs: number;
  /** Time-steps and tracks by what became of them: `step: tracked`, `track: lost`, … */
  readonly decisions: Readonly<Record<string, number>>;
};

/** `mine`: tracked pairs of patches from each video, with every decision on record. A video is an item. */
export const mineStage = defineStage({
  name: 'mine',
  version: 2,
  summary: 'find what moves, track it, cut out pairs',
  params: mineParams,
  inputs: ['index'],
  onFailure: 'continue',
  items: (ctx) =>
    Promise.resolve(
      ctx
        .input('index')
        .items.filter(({ status }) => status === 'done')
        .map(({ label, content, payload, data }) => ({
          ...{ label, content },
          payload: { ...(payload as { path: string }), info: data } satisfies MinePayload,
        })),
    ),
  work: { module: new URL('./mine.work.js', import.meta.url), runs: 'thread' },
});
