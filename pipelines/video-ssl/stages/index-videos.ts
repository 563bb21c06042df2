import { stat } from 'node:fs/promises';
import path from 'node:path';
import { findRepeats } from '../../../src/images/find-repeats.js';
import type { FramePrint } from '../../../src/images/frame-fingerprint.js';
import { loadPrints } from '../../../src/images/print-file.js';
import type { SameVideo } from '../../../src/images/same-video.js';
import { sha256 } from '../../../src/pipeline/canonical-json.js';
import { printable } from '../../../src/pipeline/printable.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { FinishedItem, Item, ItemsContext, StageOutput } from '../../../src/pipeline/stage.js';
import { findVideos } from '../../../src/video/find-videos.js';
import type { VideoInfo } from '../../../src/video/probe-video.js';
import { indexParams } from '../params.js';
import type { FetchPayload } from './fetch.js';

/** Where videos come from: a folder of the user's, a list (whose addresses the stage `fetch` brings), or the demo's own stage. */
export type VideoOrigin =
  { readonly kind: 'path'; readonly path: string; readonly list: boolean } | { readonly kind: 'demo' };

/** What `index` saw in a video. */
export type IndexedVideo = VideoInfo & {
  /** Frames that were fingerprinted. */
  readonly prints: number;
};

/** A video that shows the recording of another one (see `findRepeats`); both by the sha256 of their files. */
export type RepeatedVideo = {
  readonly content: string;
  readonly of: string;
} & Pick<SameVideo, 'share' | 'offset' | 'mirrored'>;

/** What `index` as a whole came to. */
export type IndexedVideos = { readonly repeats: readonly RepeatedVideo[] };

/** A usable video, with the reason why it is not learned from where it repeats another one. */
export type UsableVideo = { readonly item: FinishedItem; readonly repeats: string | undefined };

const describeRepeat = ({ share, offset, mirrored }: RepeatedVideo, label: string): string => {
  const late = Math.abs(offset).toFixed(1);
  const parts = [
    `${Math.round(100 * share)} % of the shorter one's frames`,
    ...(late === '0.0' ? [] : [`${late} s ${offset > 0 ? 'into it' : 'before it begins'}`]),
    ...(mirrored ? ['mirrored'] : []),
  ];
  return `same recording as ${label} (${parts.join(', ')})`;
};

/** The videos that `index` found usable, and which of them repeat another one. */
export const usableVideos = ({ items, data }: StageOutput): readonly UsableVideo[] => {
  const done = items.filter(({ status }) => status === 'done');
  const labels = new Map(done.map(({ content, label }) => [content, label]));
  const { repeats } = data as unknown as IndexedVideos;
  const reasons = new Map(
    repeats.map((repeat) => [repeat.content, describeRepeat(repeat, labels.get(repeat.of) ?? repeat.of)]),
  );
  return done.map((item) => ({ item, repeats: reasons.get(item.content) }));
};

/** The fingerprints that `index` took of a video. */
export const printsOf = async ({ artefacts, label }: FinishedItem): Promise<readonly FramePrint[]> => {
  const index = artefacts.find(({ name }) => name === 'prints.json');
  if (!index) throw new Error(`Expected the fingerprints of ${label} to have been written`);
  return (await loadPrints(path.dirname(index.path))).prints;
};

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

/**
 * `index`: finds the videos, hashes them, looks into each, and takes fingerprints of its frames. Two files with the same content are one video; of several
 * that show the same recording, encoded anew or cut out, one is named as the one to learn from, since pairs of the others would serve as false
 * negatives for it.
 */
export const indexStage = (origin: VideoOrigin) =>
  defineStage({
    name: 'index',
    version: 3,
    summary: 'find the videos, hash them, look into each, find those that show the same recording',
    params: indexParams,
    sharedParams: ({ maxSeconds, everySeconds }) => ({ maxSeconds, everySeconds }),
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
    work: { module: new URL('./index-videos.work.js', import.meta.url), runs: 'thread', reads: [] },
    reduce: async (ctx) => {
      if (ctx.params.sameVideo === 'keep') return { data: { repeats: [] } satisfies IndexedVideos };
      const videos = ctx.items.filter(({ status }) => status === 'done');
      const found = await findRepeats(
        videos.map((item) => {
          const { width, height, prints } = item.data as unknown as IndexedVideo;
          return { content: item.content, frames: prints, pixels: width * height, load: () => printsOf(item) };
        }),
      );
      const repeats = found
        .map(({ video, of, same: { share, offset, mirrored } }): RepeatedVideo => ({
          ...{ content: videos[video]!.content, of: videos[of]!.content, share, offset, mirrored },
        }))
        .sort((a, b) => (a.content < b.content ? -1 : 1));
      if (repeats.length > 0)
        ctx.log(`${repeats.length} of ${videos.length} videos show a recording that another one shows`);
      return { data: { repeats } satisfies IndexedVideos };
    },
  });
