import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Raster } from '../../src/numeric/raster.js';
import { decodeFrames } from '../../src/video/decode-frames.js';
import type { DecodeOptions } from '../../src/video/decode-frames.js';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import { startFfmpeg } from '../../src/video/ffmpeg-process.js';
import type { VideoFrame } from '../../src/video/frame.js';
import { rgbPatch } from '../../src/video/frame-colour.js';

export type Colour = readonly [number, number, number];

export const quadrants = {
  topLeft: [200, 40, 40],
  topRight: [40, 180, 60],
  bottomLeft: [50, 60, 200],
  bottomRight: [220, 220, 220],
} as const satisfies Record<string, Colour>;

/** Left edge of the black bar in frame `index` of `quadrantFrame`. */
export const barAt = (index: number): number => 8 + 4 * index;

/** Four coloured quarters and a black bar, 8 px wide, that moves 4 px a frame along the top. */
export const quadrantFrame = (index: number, width = 160, height = 120): Raster => {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const left = x < width / 2;
      const colour =
        y < height / 2
          ? left
            ? quadrants.topLeft
            : quadrants.topRight
          : left
            ? quadrants.bottomLeft
            : quadrants.bottomRight;
      const bar = y < 16 && x >= barAt(index) && x < barAt(index) + 8;
      data.set(bar ? [0, 0, 0] : colour, (y * width + x) * 3);
    }
  }
  return { width, height, channels: 3, data };
};

export const quadrantFrames = (count: number, width = 160, height = 120): Raster[] =>
  Array.from({ length: count }, (_, index) => quadrantFrame(index, width, height));

/** Frames as a file, with whatever options of ffmpeg the defect in question takes. */
export const makeVideo = async (
  file: string,
  frames: readonly Raster[],
  outputOptions: readonly string[],
  fps = 25,
): Promise<string> => {
  const { path: binary } = await findFfmpeg();
  const [{ width, height }] = frames as [Raster];
  const log: string[] = [];
  const end = await startFfmpeg({
    binary,
    input: Readable.from(frames.map(({ data }) => Buffer.from(data))),
    inputOptions: ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', String(fps)],
    output: file,
    outputOptions: [...outputOptions, '-y'],
    onLine: (line) => void log.push(line),
  }).ended;
  assert.equal(end.message, null, log.slice(-8).join('\n'));
  return file;
};

/** Copies the streams of a file into another with options before `-i` or after it. */
export const remux = async (
  from: string,
  to: string,
  before: readonly string[],
  after: readonly string[] = [],
): Promise<string> => {
  const { path: binary } = await findFfmpeg();
  const end = await startFfmpeg({
    binary,
    input: from,
    inputOptions: before,
    output: to,
    outputOptions: ['-c', 'copy', ...after, '-y'],
  }).ended;
  assert.equal(end.message, null);
  return to;
};

export const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '12', '-pix_fmt', 'yuv420p'];

/** All frames of a file, and what was complained about. */
export const decodeAll = async (
  file: string,
  options: DecodeOptions = {},
): Promise<{ frames: VideoFrame[]; warnings: string[] }> => {
  const frames: VideoFrame[] = [];
  const warnings: string[] = [];
  for await (const frame of decodeFrames(file, { ...options, onWarning: (message) => warnings.push(message) }))
    frames.push(frame);
  return { frames, warnings };
};

/** Mean colour of the middle of a box given in shares of the frame. */
export const colourAt = (frame: VideoFrame, x: number, y: number): Colour => {
  const box = { x: x * frame.width - 4, y: y * frame.height - 4, width: 8, height: 8 };
  const [r, g, b] = rgbPatch(frame, box, 1).data as unknown as Colour;
  return [r, g, b];
};

export const assertColour = (actual: Colour, expected: Colour, tolerance = 8): void => {
  const off = Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] as number))));
  assert.ok(off <= tolerance, `Expected about ${expected.join(', ')}, got ${[...actual].join(', ')}`);
};

/** Left edge of the dark bar in the top rows, px, or -1. */
export const findBar = ({ y, width }: VideoFrame, row = 4): number =>
  y.subarray(row * width, (row + 1) * width).findIndex((value) => value < 40);

/** A folder for the tests of one suite, gone afterwards. */
export const useFolder = (): { path: string } => {
  const folder = { path: '' };
  before(async () => {
    folder.path = await mkdtemp(path.join(tmpdir(), 'video-'));
  });
  after(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
};
