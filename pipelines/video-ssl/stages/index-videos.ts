import { stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../../src/pipeline/canonical-json.js';
import { printable } from '../../../src/pipeline/printable.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item } from '../../../src/pipeline/stage.js';
import { findVideos } from '../../../src/video/find-videos.js';
import { indexParams } from '../params.js';

/** Where videos come from: a folder or list of the user's, or the demo's own stage. */
export type VideoOrigin = { readonly kind: 'path'; readonly path: string } | { readonly kind: 'demo' };

/** `index`: finds the videos, hashes them and looks into each. Two files with the same content are one video. */
export const indexStage = (origin: VideoOrigin) =>
  defineStage({
    name: 'index',
    version: 2,
    summary: 'find the videos, hash them, look into each',
    params: indexParams,
    inputs: origin.kind === 'demo' ? ['synthesize'] : [],
    onFailure: 'continue',
    items: async (ctx) => {
      const files =
        origin.kind === 'path'
          ? (await findVideos(origin.path)).map(({ path: file, label }) => ({ file, label }))
          : ctx
              .input('synthesize')
              .items.flatMap(({ artefacts }) => artefacts)
              .filter(({ name }) => name.endsWith('.mp4'))
              .map(({ path: file, name }) => ({ file, label: path.basename(name) }));
      const items = new Map<string, Item>();
      for (const { file, label } of files) {
        // A file that cannot be read still is an item, so that its rejection is on record.
        const unreadable = sha256(`unreadable ${label}`);
        // A pipe or a device would be read for ever.
        const isFile = await stat(file).then(
          (entry) => entry.isFile(),
          () => false,
        );
        const content = isFile ? await ctx.hashFile(file).catch(() => unreadable) : unreadable;
        const twin = items.get(content);
        if (twin) ctx.log(`${printable(label)} has the same content as ${printable(twin.label)}: taken once`);
        else items.set(content, { label, content, payload: { path: file } });
      }
      return [...items.values()];
    },
    work: { module: new URL('./index-videos.work.js', import.meta.url), runs: 'thread' },
  });
