import { stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../../src/pipeline/canonical-json.js';
import { printable } from '../../../src/pipeline/printable.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item, ItemsContext } from '../../../src/pipeline/stage.js';
import { findVideos } from '../../../src/video/find-videos.js';
import { indexParams } from '../params.js';
import type { FetchPayload } from './fetch.js';

/** Where videos come from: a folder of the user's, a list (whose addresses the stage `fetch` brings), or the demo's own stage. */
export type VideoOrigin =
  { readonly kind: 'path'; readonly path: string; readonly list: boolean } | { readonly kind: 'demo' };

type LabelledFile = { readonly file: string; readonly label: string };

const renderedFiles = (ctx: ItemsContext<unknown>): LabelledFile[] =>
  ctx
    .input('synthesize')
    .items.flatMap(({ artefacts }) => artefacts)
    .filter(({ name }) => name.endsWith('.mp4'))
    .map(({ path: file, name }) => ({ file, label: path.basename(name) }));

/** The files of a folder or list; what was fetched stands where the list names its address, and what was not is on record in `fetch`. */
const namedFiles = async (
  { path: source, list }: Extract<VideoOrigin, { kind: 'path' }>,
  ctx: ItemsContext<unknown>,
): Promise<LabelledFile[]> => {
  const fetched = new Map(
    (list ? ctx.input('fetch').items : []).map(({ payload, artefacts }) => [
      (payload as FetchPayload).address,
      artefacts[0]?.path,
    ]),
  );
  return (await findVideos(source)).flatMap((named) => {
    if ('path' in named) return [{ file: named.path, label: named.label }];
    const file = fetched.get(named.address);
    return file === undefined ? [] : [{ file, label: named.label }];
  });
};

/** `index`: finds the videos, hashes them and looks into each. Two files with the same content are one video. */
export const indexStage = (origin: VideoOrigin) =>
  defineStage({
    name: 'index',
    version: 2,
    summary: 'find the videos, hash them, look into each',
    params: indexParams,
    inputs: origin.kind === 'demo' ? ['synthesize'] : origin.list ? ['fetch'] : [],
    onFailure: 'continue',
    items: async (ctx) => {
      const files = origin.kind === 'path' ? await namedFiles(origin, ctx) : renderedFiles(ctx);
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
