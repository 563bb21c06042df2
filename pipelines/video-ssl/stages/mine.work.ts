import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { drawTrack } from '../../../src/drawing/contact-sheet.js';
import { writeRaster } from '../../../src/drawing/image-file.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { encodePair, PairWriter } from '../../../src/shards/pairs.js';
import { minePairs } from '../../../src/tracking/mine-pairs.js';
import { decodeFrames } from '../../../src/video/decode-frames.js';
import { againIfKilled } from '../../../src/video/decoder-killed.js';
import type { VideoFrame } from '../../../src/video/frame.js';
import type { VideoInfo } from '../../../src/video/probe-video.js';
import { VideoRejection } from '../../../src/video/video-rejection.js';
import type { MineParams } from '../params.js';
import type { MinePayload, MinedVideo } from './mine.js';

/** Mines one video: writes its pairs as a tar shard, its decisions as JSON lines, and one track drawn on its frames. */
const work: Work<MineParams> = async (item, ctx) => {
  const began = performance.now();
  const { path: file, info, repeats } = item.payload as MinePayload;
  if (repeats !== undefined) return { status: 'rejected', reason: repeats };
  const { areaPx, ...mining } = ctx.params;
  const counted = async function* (frames: AsyncIterable<VideoFrame>): AsyncGenerator<VideoFrame> {
    for await (const frame of frames) {
      if (frame.index % 25 === 0) ctx.progress({ done: frame.index, unit: 'frames' });
      yield frame;
    }
  };
  const mine = async () => {
    const warnings: string[] = [];
    const decoded = decodeFrames(file, {
      ...{ areaPx, info: info as VideoInfo, signal: ctx.signal },
      onWarning: (message) => warnings.push(message),
    });
    // Written as they come, so that memory does not grow with the length of the video.
    const pairs = new PairWriter(ctx.outputs, { perShard: Number.MAX_SAFE_INTEGER });
    const decisions = createWriteStream(path.join(ctx.outputs, 'decisions.jsonl'));
    const written = finished(decisions);
    written.catch(() => undefined); // told by the `await` below
    try {
      const summary = await minePairs(
        { sha256: item.content, label: item.label },
        counted(decoded),
        { ...mining, strips: 1 },
        {
          pair: async (pair) => pairs.add(await encodePair(pair)),
          decision: (decision) => void decisions.write(`${JSON.stringify(decision)}\n`),
        },
      );
      await pairs.close();
      decisions.end();
      await written;
      return { warnings, summary };
    } finally {
      await pairs.abandon();
      decisions.destroy();
      await written.catch(() => undefined);
    }
  };
  try {
    // Half a video must not pass for a whole one, since the verdict stands.
    const { warnings, summary } = await againIfKilled(mine, ctx);
    for (const { key, rasters, boxes } of summary.strips) {
      await writeRaster(path.join(ctx.outputs, `track-${key}.jpg`), drawTrack(rasters, boxes, { height: 120 }));
    }
    const decisions = Object.fromEntries([
      ...Object.entries(summary.steps).map(([name, count]) => [`step: ${name}`, count] as const),
      ...Object.entries(summary.trackOutcomes).map(([name, count]) => [`track: ${name}`, count] as const),
    ]);
    const data: MinedVideo = { frames: summary.frames, pairs: summary.pairs, decisions };
    return { status: 'done', data, notes: { seconds: (performance.now() - began) / 1000, warnings } };
  } catch (error) {
    if (error instanceof VideoRejection) return { status: 'rejected', reason: error.reason };
    throw error;
  }
};

export default work;
