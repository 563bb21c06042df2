import type { Json } from '../../../src/pipeline/json.js';
import { sha256 } from '../../../src/pipeline/canonical-json.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import { mineParams } from '../params.js';
import { usableVideos } from './index-videos.js';

/**
 * One video: where it is, and what `index` saw in it (a `VideoInfo`), so that it is not probed twice; and why it is not mined where it repeats another
 * one.
 */
export type MinePayload = { readonly path: string; readonly info: Json; readonly repeats?: string };

/** What mining one video came to, as later stages see it. */
export type MinedVideo = {
  readonly frames: number;
  readonly pairs: number;
  /** Time-steps and tracks by what became of them: `step: tracked`, `track: lost`, … */
  readonly decisions: Readonly<Record<string, number>>;
};

/**
 * `mine`: tracked pairs of patches from each video, with every decision on record. A video is an item. One that shows the recording of another is
 * rejected with that reason, which is part of what it is here: when the other one goes, it is mined.
 */
export const mineStage = defineStage({
  name: 'mine',
  version: 3,
  summary: 'find what moves, track it, cut out pairs',
  params: mineParams,
  inputs: ['index'],
  onFailure: 'continue',
  items: (ctx) =>
    Promise.resolve(
      usableVideos(ctx.input('index')).map(({ item: { label, content, payload, data }, repeats }) => ({
        label,
        content: repeats === undefined ? content : sha256(`${content} ${repeats}`),
        payload: {
          ...(payload as { path: string }),
          info: data,
          ...(repeats === undefined ? {} : { repeats }),
        } satisfies MinePayload,
      })),
    ),
  work: { module: new URL('./mine.work.js', import.meta.url), runs: 'thread', reads: [] },
});
