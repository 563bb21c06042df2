import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeRaster } from '../drawing/image-file.js';
import type { Raster } from '../numeric/raster.js';
import { RandomStream } from '../numeric/random.js';
import { drawBackground } from './background.js';
import { createCanvas, drawBackgroundOnce, drawSprite, exposeCanvas, sensorNoise, type Canvas } from './canvas.js';
import { families, familyNames } from './families.js';
import { compose, shift, turnAndScale, type Homography } from './homography.js';
import { drawLook, paintSprite } from './sprite.js';

/** How many pictures of objects, and how large. */
export type ObjectOptions = {
  /** A class. @default 25 */
  readonly train?: number;
  /** A class. @default 15 */
  readonly test?: number;
  /** Side in pixels. @default 96 */
  readonly size?: number;
};

/** Squeezes along one direction, as a flat object seen at a slant. */
const slant = (random: RandomStream): Homography => {
  const direction = random.uniform(0, Math.PI);
  return compose(turnAndScale(direction, 1), turnAndScale(0, 1, random.uniform(0.78, 1)), turnAndScale(-direction, 1));
};

const drawOne = (
  canvas: Canvas,
  random: RandomStream,
  family: number,
  place: [number, number],
  radius: number,
  spin: number,
  strange: number,
): void => {
  const sprite = paintSprite(drawLook(random, family, strange), Math.max(32, Math.ceil(3 * radius)));
  const pose = compose(shift(...place), slant(random), turnAndScale(random.uniform(-spin, spin), radius));
  const bend = { amplitude: random.uniform(0, 0.08), frequency: random.uniform(1.5, 3), phase: random.uniform(0, 6.3) };
  drawSprite(canvas, sprite, pose, 1, bend);
};

/**
 * One picture of an object of class `family`, a pure function of (seed, split, family, index). The object differs in size, pose,
 * slant, light and place; it may be cut by the border, covered in part, and one in seven wears another family's pattern. All colours are drawn without regard to the class.
 */
export const renderObject = (seed: number, split: string, family: number, index: number, size = 96): Raster => {
  const random = RandomStream.of(seed, 'object', split, family, index);
  const canvas = createCanvas(size, size);
  const scale = (size / 96) * random.uniform(0.6, 1.1);
  const plane = compose(
    turnAndScale(random.uniform(0, 2 * Math.PI), scale),
    shift(-random.integer(512), -random.integer(512)),
  );
  drawBackgroundOnce(canvas, drawBackground(random, random.uniform(0.06, 0.2)), plane);
  const somewhere = (): [number, number] => [random.uniform(0, size), random.uniform(0, size)];
  const anyFamily = (): number => random.integer(families.length);
  if (random.chance(0.5))
    drawOne(canvas, random, anyFamily(), somewhere(), size * random.uniform(0.08, 0.14), Math.PI, 0.5);
  const place: [number, number] = [size * random.uniform(0.44, 0.56), size * random.uniform(0.44, 0.56)];
  drawOne(canvas, random, family, place, size * random.uniform(0.34, 0.47), 0.5, 0.15);
  if (random.chance(0.25))
    drawOne(canvas, random, anyFamily(), somewhere(), size * random.uniform(0.08, 0.14), Math.PI, 0.5);
  const light = {
    gain: random.uniform(0.7, 1.2),
    slopeX: random.uniform(-0.4, 0.4),
    slopeY: random.uniform(-0.4, 0.4),
  };
  return exposeCanvas(canvas, light, sensorNoise(random.bits(), random.uniform(2, 7)), random);
};

/**
 * Writes a classification target of the same families as the demo's videos, under other looks, backgrounds and light:
 * `train/<class>/NNNN.png` and `test/<class>/NNNN.png`. Returns the class names, in order.
 */
export const writeObjects = async (
  dir: string,
  seed: number,
  options: ObjectOptions = {},
): Promise<readonly string[]> => {
  const { train = 25, test = 15, size = 96 } = options;
  for (const [split, count] of Object.entries({ train, test })) {
    for (const [family, name] of familyNames.entries()) {
      const folder = path.join(dir, split, name);
      await mkdir(folder, { recursive: true });
      for (let index = 0; index < count; index++) {
        const file = path.join(folder, `${String(index).padStart(4, '0')}.png`);
        await writeRaster(file, renderObject(seed, split, family, index, size));
      }
    }
  }
  return familyNames;
};
