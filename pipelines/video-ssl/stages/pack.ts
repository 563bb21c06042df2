import { readFile } from 'node:fs/promises';
import { contactSheet } from '../../../src/drawing/contact-sheet.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import { pairChecksFile, writePairCache } from '../../../src/images/pair-cache-file.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { FinishedItem, ReduceContext } from '../../../src/pipeline/stage.js';
import { decodeJpeg } from '../../../src/shards/jpeg.js';
import { decodePair, readPairs, writePairs } from '../../../src/shards/pairs.js';
import type { Pair } from '../../../src/shards/pairs.js';
import { packParams } from '../params.js';
import type { PackParams } from '../params.js';
import { describeRefused, refusedVideos } from '../refused-videos.js';
import { TooFewPairs, type RefusedVideo } from '../too-few-pairs.js';
import type { MinedVideo } from './mine.js';

/** What packing came to. */
export type PackedPairs = {
  readonly pairs: number;
  readonly videos: number;
  readonly mostOfOneVideo: number;
  readonly shards: number;
};

const shardsOf = (item: FinishedItem): string[] =>
  item.artefacts.filter(({ name }) => name.endsWith('.tar')).map(({ path: file }) => file);

/** The end of a file's name, without its extension, as far as there is room. */
const endOf = (label: string, room: number): string => {
  const name = label.replace(/\.[^.]*$/, '');
  return name.length <= room ? name : `..${name.slice(2 - room)}`;
};

/** The pairs of all videos in the order of the videos' hashes, at most `most` of one video, evenly spread over it. */
async function* pairsOf(items: readonly FinishedItem[], most: number): AsyncGenerator<Pair> {
  for (const item of items) {
    const { pairs } = item.data as MinedVideo;
    const kept = Math.min(pairs, most);
    let position = 0;
    let taken = 0;
    for await (const pair of readPairs(shardsOf(item))) {
      if (taken < kept && position === Math.floor((taken * pairs) / kept)) {
        taken++;
        yield pair;
      }
      position++;
    }
  }
}

const drawPairs = async (
  ctx: ReduceContext<PackParams>,
  shards: readonly string[],
  keys: readonly string[],
): Promise<void> => {
  const { seed, sheetPairs } = ctx.params;
  const chosen = new Set(
    RandomStream.of(seed, 'sheet')
      .sample(keys.length, Math.min(sheetPairs, keys.length))
      .map((index) => keys[index]),
  );
  const cells = [];
  for await (const pair of readPairs(shards)) {
    if (!chosen.has(pair.record.key)) continue;
    const { record, a, b } = await decodePair(pair);
    // The numbers in full; of the video's name the end, by which the files of one source differ.
    const numbers = `@${record.startFrame} peak ${record.minPeak.toFixed(2)} fb ${record.forwardBackwardIou.toFixed(2)}`;
    const caption = `${endOf(record.videoLabel, 36 - numbers.length)} ${numbers}`;
    cells.push({ raster: [a, b], caption });
  }
  await writeFigure(
    ctx.outputs,
    'figure-pairs',
    {
      kind: 'contact-sheet',
      title: 'Mined pairs',
      caption: `${cells.length} of ${keys.length} pairs, drawn by seed: start of the track and its end, below them the smallest KCF peak and the forward-backward overlap.`,
    },
    contactSheet(cells, { columns: 4, height: 112 }),
  );
};

const drawTracks = async (ctx: ReduceContext<PackParams>, items: readonly FinishedItem[]): Promise<void> => {
  const strips = items.flatMap(({ label, artefacts }) =>
    artefacts.filter(({ name }) => name.startsWith('track-')).map((artefact) => ({ label, file: artefact.path })),
  );
  if (strips.length === 0) return;
  const chosen = RandomStream.of(ctx.params.seed, 'tracks').sample(strips.length, Math.min(8, strips.length));
  const cells = [];
  for (const index of chosen.sort((a, b) => a - b)) {
    const { file, label } = strips[index]!;
    cells.push({ raster: await decodeJpeg(await readFile(file)), caption: label });
  }
  await writeFigure(
    ctx.outputs,
    'figure-tracks',
    {
      kind: 'tracks',
      title: 'Tracks on frames',
      caption: `Tracks of ${cells.length} videos, drawn by seed: frames spread evenly over each track, with the box.`,
    },
    contactSheet(cells, { columns: 1 }),
  );
};

/** How often each decision of mining fell, over all videos. */
const decisionTotals = (items: readonly FinishedItem[]): ReadonlyMap<string, number> => {
  const total = new Map<string, number>();
  for (const item of items) {
    for (const [reason, count] of Object.entries((item.data as MinedVideo).decisions)) {
      total.set(reason, (total.get(reason) ?? 0) + count);
    }
  }
  return total;
};

const drawDecisions = async (ctx: ReduceContext<PackParams>, total: ReadonlyMap<string, number>): Promise<void> => {
  const bars = [...total].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value }));
  await writeFigure(ctx.outputs, 'figure-decisions', {
    kind: 'bars',
    title: 'What became of the time-steps and tracks',
    caption: 'Counts over all videos, by reason.',
    data: { bars },
  });
};

/** Why there is nothing to train on, and where to look. */
const tooFew = (
  withPairs: number,
  videos: number,
  total: ReadonlyMap<string, number>,
  refused: readonly RefusedVideo[],
): string => {
  const few = 'at least 2 must, since negatives come from other videos.';
  if (videos === 0 && refused.length > 0) {
    const all = refused.length === 1 ? 'the one video was' : `all ${refused.length} videos were`;
    return `${all} refused: ${describeRefused(refused)}.\nNone gave pairs; ${few}`;
  }
  const reasons = [...total]
    .filter(([, count]) => count > 0)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([reason, count]) => `  ${count} x ${reason}`);
  return [
    `${withPairs} of ${videos} ${videos === 1 ? 'video' : 'videos'} gave pairs; ${few}`,
    ...(refused.length > 0 ? [`Besides, ${refused.length} refused: ${describeRefused(refused)}.`] : []),
    ...(reasons.length > 0 ? ['What became of the time-steps and tracks, over all videos:', ...reasons] : []),
    'Every decision stands in `mine/*/*/decisions.jsonl` of the run folder. Try `--set mine.stepFrames=4`, or more videos.',
  ].join('\n');
};

/**
 * `pack`: the pairs of all videos as WebDataset shards, a cache of their decoded pixels, and the pictures that show what was
 * mined.
 */
export const packStage = defineStage({
  name: 'pack',
  version: 2,
  summary: 'write the pairs as tar shards, decode them once, draw what was mined',
  params: packParams,
  inputs: ['mine'],
  onFailure: 'stop',
  reduce: async (ctx) => {
    const items = ctx
      .input('mine')
      .items.filter(({ status, data }) => status === 'done' && (data as MinedVideo).pairs > 0)
      .sort((a, b) => (a.content < b.content ? -1 : 1));
    const mined = ctx.input('mine').items.filter(({ status }) => status === 'done');
    const decisions = decisionTotals(mined);
    if (items.length < 2) {
      const refused = refusedVideos(ctx.finished);
      throw new TooFewPairs(tooFew(items.length, mined.length, decisions, refused), refused);
    }
    await drawDecisions(ctx, decisions);
    const { perShard, maxPairsPerVideo, cachePx } = ctx.params;
    const written = await writePairs(pairsOf(items, maxPairsPerVideo), ctx.outputs, { perShard });
    const shards = written.map(({ path: file }) => file);
    const { keys, videos, video } = await writePairCache(ctx.outputs, readPairs(shards), cachePx);
    await drawPairs(ctx, shards, keys);
    await drawTracks(ctx, items);
    const perVideo = new Int32Array(videos.length);
    for (const number of video) perVideo[number]!++;
    return {
      data: {
        pairs: keys.length,
        videos: videos.length,
        mostOfOneVideo: perVideo.reduce((most, count) => Math.max(most, count), 0),
        shards: shards.length,
      } satisfies PackedPairs,
      // They say again what the pixels say.
      volatile: [pairChecksFile],
    };
  },
});
