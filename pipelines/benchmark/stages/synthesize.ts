import { createHash } from 'node:crypto';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item } from '../../../src/pipeline/stage.js';
import { demoVideos } from '../../../src/synthetic/demo-videos.js';
import { synthesizeParams } from '../params.js';

/** What one item of `synthesize` makes. */
export type SynthesizePayload =
  { readonly make: 'video'; readonly index: number } | { readonly make: 'scenes' } | { readonly make: 'objects' };

/** Which parts of the demo a run needs: those that the user brought no data for. */
export type DemoParts = { readonly videos: boolean; readonly targets: boolean };

/** `synthesize`: renders the embedded demo, so that the main job runs with no download: videos to learn from, targets to try the features on. */
export const synthesizeStage = (parts: DemoParts) =>
  defineStage({
    name: 'synthesize',
    version: 1,
    summary: "render the demo's videos and targets",
    params: synthesizeParams,
    inputs: [],
    onFailure: 'stop',
    items: (ctx) => {
      const item = (label: string, payload: SynthesizePayload): Item => ({
        label,
        content: createHash('sha256').update(label).digest('hex'),
        payload,
      });
      const { seed, moving, length } = ctx.params;
      return Promise.resolve([
        ...(parts.videos
          ? demoVideos(seed, { moving, length }).map(({ name }, index) => item(name, { make: 'video', index }))
          : []),
        ...(parts.targets ? [item('scenes', { make: 'scenes' }), item('objects', { make: 'objects' })] : []),
      ]);
    },
    work: { module: new URL('./synthesize.work.js', import.meta.url), runs: 'thread' },
  });
