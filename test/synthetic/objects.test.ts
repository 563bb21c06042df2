import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Raster } from '../../src/numeric/raster.js';
import { RandomStream } from '../../src/numeric/random.js';
import { familyNames } from '../../src/synthetic/families.js';
import { drawLook } from '../../src/synthetic/sprite.js';
import { renderObject, writeObjects } from '../../src/synthetic/write-objects.js';

const meanColour = ({ data }: Raster): number[] =>
  [0, 1, 2].map((k) => {
    let sum = 0;
    for (let i = k; i < data.length; i += 3) sum += data[i]!;
    return (3 * sum) / data.length;
  });

/** Grey gradients by direction (8) in 4 x 4 cells, to unit length: a plain description of shape. */
const gradients = ({ width, data }: Raster): number[] => {
  const cells = new Array<number>(128).fill(0);
  const grey = (x: number, y: number): number => data[(y * width + x) * 3]! + 2 * data[(y * width + x) * 3 + 1]!;
  for (let y = 1; y < width - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const dx = grey(x + 1, y) - grey(x - 1, y);
      const dy = grey(x, y + 1) - grey(x, y - 1);
      const direction = Math.floor(((Math.atan2(dy, dx) + Math.PI) / Math.PI) * 4) % 8;
      const cell = Math.floor((4 * y) / width) * 4 + Math.floor((4 * x) / width);
      cells[cell * 8 + direction]! += Math.sqrt(dx * dx + dy * dy);
    }
  }
  const length = Math.hypot(...cells);
  return cells.map((value) => value / length);
};

describe('the object target', function () {
  const pictures = (split: string, count: number): { family: number; raster: Raster }[] =>
    familyNames.flatMap((_, family) =>
      Array.from({ length: count }, (_, index) => ({ family, raster: renderObject(1, split, family, index) })),
    );
  let train: { family: number; raster: Raster }[];
  let test: { family: number; raster: Raster }[];
  before(() => {
    train = pictures('train', 16);
    test = pictures('test', 10);
  });

  /** Accuracy of the nearest class mean of a description. */
  const nearestMean = (describeRaster: (raster: Raster) => number[]): number => {
    const means = familyNames.map((_, family) => {
      const mine = train.filter((entry) => entry.family === family).map(({ raster }) => describeRaster(raster));
      return mine[0]!.map((_, k) => mine.reduce((sum, vector) => sum + vector[k]!, 0) / mine.length);
    });
    const right = test.filter(({ family, raster }) => {
      const vector = describeRaster(raster);
      const distances = means.map((centre) => centre.reduce((sum, value, k) => sum + (value - vector[k]!) ** 2, 0));
      return distances.indexOf(Math.min(...distances)) === family;
    });
    return right.length / test.length;
  };

  it('does not give its classes away by colour', () => {
    const accuracy = nearestMean(meanColour);
    assert.ok(accuracy < 0.35, `nearest mean colour is right in ${accuracy}`);
  });

  it('can be learned from shape, but not trivially', () => {
    const accuracy = nearestMean(gradients);
    assert.ok(accuracy > 0.4 && accuracy < 0.95, `nearest mean gradients are right in ${accuracy}`);
  });

  it('gives each picture for its numbers alone, and no two alike', () => {
    assert.deepEqual(
      renderObject(1, 'test', 3, 2),
      test.find(({ family }) => family === 3) && test[3 * 10 + 2]!.raster,
    );
    const all = new Set([...train, ...test].map(({ raster }) => Buffer.from(raster.data).toString('base64')));
    assert.equal(all.size, train.length + test.length);
  });

  it('lies in folders by split and class', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'objects-'));
    try {
      const names = await writeObjects(dir, 1, { train: 2, test: 1, size: 48 });
      assert.deepEqual((await readdir(path.join(dir, 'train'))).sort(), [...names].sort());
      assert.deepEqual(await readdir(path.join(dir, 'train', 'star')), ['0000.png', '0001.png']);
      assert.deepEqual(await readdir(path.join(dir, 'test', 'star')), ['0000.png']);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('refuses a family that does not exist', () => {
    assert.throws(() => drawLook(RandomStream.of(1), 8), /Expected `family` to be an integer from 0 to 7, got `8`/);
  });
});
