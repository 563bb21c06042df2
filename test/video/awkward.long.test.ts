import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { decodeFrames } from '../../src/video/decode-frames.js';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import type { VideoFrame } from '../../src/video/frame.js';
import { toRgb } from '../../src/video/frame-colour.js';
import { passthrough, probeVideo } from '../../src/video/probe-video.js';
import type { VideoInfo } from '../../src/video/probe-video.js';
import { folder, long, outcomes } from './awkward-outcomes.js';

const compared = 12;
/** As many as a track and its look-ahead need. */
const held = 31;

/** The first frames as ffmpeg gives them by itself: its own choice of filters, its own conversion to RGB. */
const plainFrames = async (file: string, info: VideoInfo, width: number, height: number): Promise<Uint8Array[]> => {
  const ffmpeg = await findFfmpeg();
  const untagged = info.colorSpace === 'unknown' && info.width * info.height >= 1280 * 720;
  const scale = `scale=${width}:${height}:flags=bicubic${untagged ? ':in_color_matrix=bt709' : ''}`;
  const options = ['-loglevel', 'error', '-i', file, '-map', `0:${info.stream}`, '-vf', scale, ...passthrough(ffmpeg)];
  const { stdout } = await promisify(execFile)(
    ffmpeg.path,
    [...options, '-frames:v', String(compared), '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 30 },
  );
  const size = width * height * 3;
  return Array.from({ length: stdout.length / size }, (_, i) => stdout.subarray(i * size, (i + 1) * size));
};

/** Means of the three channels over 12 x 12 cells. */
const cells = (data: Uint8Array, width: number, height: number): Float64Array => {
  const grid = 12;
  const sums = new Float64Array(grid * grid * 3);
  const counts = new Float64Array(grid * grid);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = Math.floor((y * grid) / height) * grid + Math.floor((x * grid) / width);
      counts[cell]!++;
      for (let c = 0; c < 3; c++) sums[cell * 3 + c]! += data[(y * width + x) * 3 + c]!;
    }
  }
  return sums.map((sum, i) => sum / Math.max(1, counts[Math.floor(i / 3)]!));
};

describe('the pictures of the awkward videos', function () {
  before(async function () {
    if (!existsSync(folder) || (await findFfmpeg()).libavutil[0] < 60) {
      console.log(`      skipped: no ${folder}, or an ffmpeg older than the table`);
      this.skip();
    }
  });

  for (const [name, outcome] of Object.entries(outcomes)) {
    if (outcome instanceof RegExp) continue;
    it(`${name}: the first are those that ffmpeg gives by itself`, async function () {
      const file = path.join(folder, name);
      const info = await probeVideo(file);
      // What becomes of high dynamic range is checked against its formula elsewhere.
      if (/smpte2084|arib/.test(info.colorTransfer)) this.skip();
      const frames = [];
      for await (const frame of decodeFrames(file, { info, maxFrames: compared })) frames.push(frame);
      const { width, height } = frames[0]!;
      const plain = await plainFrames(file, info, width, height);
      assert.equal(frames.length, plain.length);
      let worst = 0;
      frames.forEach((frame, i) => {
        const ours = cells(toRgb(frame).data as Uint8Array, width, height);
        const theirs = cells(plain[i]!, width, height);
        ours.forEach((value, j) => (worst = Math.max(worst, Math.abs(value - theirs[j]!))));
      });
      console.log(`      ${name}: largest difference of a cell ${worst.toFixed(1)}`);
      assert.ok(worst < 10, `a cell differs by ${worst}`);
    });
  }

  it(`${long} is decoded to its end in memory that stays flat, while its latest ${held} frames are held`, async () => {
    const [count, lastTime] = outcomes[long] as readonly [number, number, string];
    const latest: VideoFrame[] = [];
    const resident: number[] = [];
    let last = -1;
    let buffers = 0;
    for await (const frame of decodeFrames(path.join(folder, long))) {
      assert.ok(frame.time > last);
      last = frame.time;
      latest.push(frame);
      if (latest.length > held) latest.shift();
      if (frame.index % 250 === 249) {
        const { rss, arrayBuffers } = process.memoryUsage();
        resident.push(rss);
        buffers = Math.max(buffers, arrayBuffers);
      }
    }
    const frames = (latest.at(-1)?.index ?? -1) + 1;
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
    console.log(`      resident, MB: ${resident.map(megabytes).join(' ')}; most in buffers ${megabytes(buffers)}`);
    assert.equal(frames, count);
    assert.ok(Math.abs(last - lastTime) < 0.01, `the last at ${last}`);
    assert.ok(buffers < 200e6, `${buffers} bytes held`);
    const half = resident.length >> 1;
    const most = (values: readonly number[]): number => Math.max(...values);
    assert.ok(most(resident.slice(half)) < most(resident.slice(0, half)) + 30e6, 'it grows');
  });
});
