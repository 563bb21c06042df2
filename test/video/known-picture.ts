import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { Raster } from '../../src/numeric/raster.js';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import { startFfmpeg } from '../../src/video/ffmpeg-process.js';
import type { VideoFrame } from '../../src/video/frame.js';
import { assertColour, colourAt, quadrants } from './fixtures.js';

const bits = 8;

/**
 * A picture that says which way up it is and which frame it is: a strip along the top, one eighth high, of eight blocks that are black or white, the
 * frame's number in binary, the highest digit on the left; below it four coloured quarters.
 */
export const numberedFrame = (number: number, width = 160, height = 120): Raster => {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const left = x < width / 2;
      const [above, below] = left
        ? [quadrants.topLeft, quadrants.bottomLeft]
        : [quadrants.topRight, quadrants.bottomRight];
      const digit = (number >> (bits - 1 - Math.floor((x * bits) / width))) & 1;
      const colour = y < height / 8 ? [255 * digit, 255 * digit, 255 * digit] : y < height / 2 ? above : below;
      data.set(colour, (y * width + x) * 3);
    }
  }
  return { width, height, channels: 3, data };
};

export const numberedFrames = (count: number, width = 160, height = 120): Raster[] =>
  Array.from({ length: count }, (_, number) => numberedFrame(number, width, height));

/** The number that a decoded frame shows. Fails where a block is neither black nor white. */
export const readNumber = ({ y, width, height }: VideoFrame): number => {
  let number = 0;
  for (let i = 0; i < bits; i++) {
    const luma = y[Math.floor(height / 16) * width + Math.floor(((i + 0.5) * width) / bits)] as number;
    assert.ok(luma < 70 || luma > 180, `block ${i} has luma ${luma}`);
    number = 2 * number + Number(luma > 128);
  }
  return number;
};

/** The colours of the four quarters. */
export const assertQuarters = (frame: VideoFrame, tolerance = 4): void => {
  assertColour(colourAt(frame, 0.25, 0.35), quadrants.topLeft, tolerance);
  assertColour(colourAt(frame, 0.75, 0.35), quadrants.topRight, tolerance);
  assertColour(colourAt(frame, 0.25, 0.75), quadrants.bottomLeft, tolerance);
  assertColour(colourAt(frame, 0.75, 0.75), quadrants.bottomRight, tolerance);
};

/** Weights of red and blue in luma. */
const lumaWeights = {
  ...{ bt709: [0.2126, 0.0722], smpte170m: [0.299, 0.114], smpte240m: [0.212, 0.087] },
  ...{ bt2020nc: [0.2627, 0.0593] },
} as const;

/** How colours are coded. `gbr` has no luma, `ycgco` no weights. */
export type Coding = {
  readonly matrix: keyof typeof lumaWeights | 'gbr' | 'ycgco';
  readonly full: boolean;
  readonly depth: 8 | 10 | 12;
};

const code = ([r, g, b]: readonly [number, number, number], { matrix, full, depth }: Coding): number[] => {
  const top = 2 ** depth - 1;
  const step = 2 ** (depth - 8);
  const luma = (value: number): number => (full ? value * top : (16 + 219 * value) * step);
  const chroma = (value: number): number => (full ? value * top : 224 * step * value) + 128 * step;
  if (matrix === 'gbr') return [luma(g), luma(b), luma(r)];
  if (matrix === 'ycgco') return [luma(r / 4 + g / 2 + b / 4), chroma(-r / 4 + g / 2 - b / 4), chroma(r / 2 - b / 2)];
  const [red, blue] = lumaWeights[matrix];
  const y = red * r + (1 - red - blue) * g + blue * b;
  return [luma(y), chroma((b - y) / (2 * (1 - blue))), chroma((r - y) / (2 * (1 - red)))];
};

/** A picture by its colours (0 to 1, as they are coded), as raw planes in 4:4:4, the first alone where it is grey. */
export const planesOf = (
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly [number, number, number],
  coding: Coding,
  grey = false,
): Buffer => {
  const bytes = coding.depth > 8 ? 2 : 1;
  const planes = Array.from({ length: grey ? 1 : 3 }, () => Buffer.alloc(width * height * bytes));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const values = code(colour(x, y), coding);
      planes.forEach((plane, i) => {
        const value = Math.min(2 ** coding.depth - 1, Math.max(0, Math.round(values[i] as number)));
        plane.writeUIntLE(value, (y * width + x) * bytes, bytes);
      });
    }
  }
  return Buffer.concat(planes);
};

/** The numbered frames as raw planes. */
export const numberedPlanes = (count: number, coding: Coding, grey = false): Buffer =>
  Buffer.concat(
    numberedFrames(count).map(({ width, height, data }) =>
      planesOf(
        width,
        height,
        (x, y) => {
          const at = (y * width + x) * 3;
          return [data[at]! / 255, data[at + 1]! / 255, data[at + 2]! / 255];
        },
        coding,
        grey,
      ),
    ),
  );

/** Encodes raw planes (4:4:4 or grey, as `pixelFormat` has it), untouched unless `options` say otherwise. */
export const encodePlanes = async (
  file: string,
  planes: Buffer,
  input: {
    readonly width: number;
    readonly height: number;
    readonly pixelFormat: string;
    readonly tags?: readonly string[];
  },
  options: readonly string[],
): Promise<string> => {
  const { path: binary } = await findFfmpeg();
  const log: string[] = [];
  const end = await startFfmpeg({
    ...{ binary, input: Readable.from([planes]), output: file, onLine: (line) => void log.push(line) },
    inputOptions: [
      ...['-f', 'rawvideo', '-pix_fmt', input.pixelFormat, '-s', `${input.width}x${input.height}`, '-r', '25'],
      ...(input.tags ?? []),
    ],
    outputOptions: [...options, '-y'],
  }).ended;
  assert.equal(end.message, null, log.slice(-8).join('\n'));
  return file;
};
