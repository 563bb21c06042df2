import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Box } from '../src/numeric/box.js';
import type { GreyImage } from '../src/tracking/grey-image.js';

/** One annotated target of a sequence, at the size of `images`. */
export type Target = { readonly name: string; readonly boxes: readonly Box[] };

/** A sequence of frames in colour (`rgb`, one after the other) and as luma, with the targets annotated in it. */
export type Sequence = {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
  readonly images: readonly GreyImage[];
  readonly targets: readonly Target[];
};

/** Data sets whose first pixel is 1, as MATLAB counts. */
const COUNTS_FROM_ONE = /^(OTB|DAVIS)/;

/**
 * Reads the sequences under `folder` (`<name>/img/*.jpg`, `<name>/groundtruth_rect*.txt` with a line `x,y,width,height` a frame), one
 * after the other, their frames made `lines` high. A sequence with several files of boxes has several targets.
 */
export async function* readSequences(folder: string, lines: number): AsyncGenerator<Sequence> {
  for (const name of readdirSync(folder).sort()) {
    const files = readdirSync(join(folder, name, 'img')).filter((file) => file.endsWith('.jpg'));
    const frames: Uint8Array[] = [];
    let [width, height, scale] = [0, 0, 1];
    for (const file of files.sort()) {
      const picture = sharp(join(folder, name, 'img', file));
      scale = lines / (await picture.metadata()).height;
      const small = picture.resize({ height: lines }).toColourspace('srgb').removeAlpha();
      const { data, info } = await small.raw().toBuffer({ resolveWithObject: true });
      ({ width, height } = info);
      frames.push(data);
    }
    const origin = COUNTS_FROM_ONE.test(name) ? 1 : 0;
    const truths = readdirSync(join(folder, name)).filter((file) => file.startsWith('groundtruth_rect'));
    const targets = truths.sort().map((file) => ({
      name: name + file.slice('groundtruth_rect'.length, -'.txt'.length),
      boxes: readBoxes(join(folder, name, file), origin, scale),
    }));
    const images = frames.map((rgb) => ({ width, height, data: lumaOf(rgb) }));
    yield { name, width, height, rgb: Buffer.concat(frames), images, targets };
  }
}

const readBoxes = (file: string, origin: number, scale: number): Box[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(/[,\s]+/).map(Number))
    .map(([x, y, width, height]) => ({
      x: (x - origin) * scale,
      y: (y - origin) * scale,
      width: width * scale,
      height: height * scale,
    }));

/** Luma of ITU-R BT.601. */
const lumaOf = (rgb: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: rgb.length / 3 }, (_, i) =>
    Math.round(0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2]),
  );
