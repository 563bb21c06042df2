import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadDetection, openDetectionDataset } from '../../../../src/images/detection-dataset.js';
import { iou, type Box } from '../../../../src/numeric/box.js';
import { RandomStream } from '../../../../src/numeric/random.js';
import type { Raster } from '../../../../src/numeric/raster.js';
import { RankedBoxes } from '../../../../src/transfer/detection/selective-search/ranked-boxes.js';
import {
  selectiveSearch,
  type SelectiveSearchMode,
} from '../../../../src/transfer/detection/selective-search/selective-search.js';
import { clutter, paint, withNoise } from './made-images.js';

const boxesOf = (found: Float32Array): Box[] =>
  Array.from({ length: found.length / 4 }, (_, i) => {
    const [x0, y0, x1, y1] = found.subarray(4 * i, 4 * i + 4);
    return { x: x0!, y: y0!, width: x1! - x0!, height: y1! - y0! };
  });

const bestOverlap = (boxes: readonly Box[], object: Box): number =>
  boxes.reduce((best, box) => Math.max(best, iou(box, object)), 0);

const shared = path.resolve('..', 'shared', 'data', 'images', 'detection', 'voc2012-100');

describe('Selective search', () => {
  it('finds an object of several colours on a busy background', () => {
    const object = { x: 37, y: 22, width: 40, height: 30 };
    const background = clutter(120, 90, 9);
    const image = paint(120, 90, (x, y) => {
      if (x >= 37 && x < 77 && y >= 22 && y < 52) return x < 57 ? [230, 220, 40] : [250, 180, 30];
      return [...background.data.subarray(3 * (y * 120 + x), 3 * (y * 120 + x) + 3)];
    });
    for (const mode of ['fast', 'quality'] as const) {
      const overlap = bestOverlap(boxesOf(selectiveSearch(withNoise(image, 6), { mode })), object);
      assert.ok(overlap > 0.8, `${mode}: ${overlap}`);
    }
  });

  it('gives different boxes inside the image, and in quality mode more of them', () => {
    const image = clutter(90, 70, 2);
    const counts = (['fast', 'quality'] as const).map((mode) => {
      const boxes = boxesOf(selectiveSearch(image, { mode }));
      for (const { x, y, width, height } of boxes) {
        assert.ok(x >= 0 && y >= 0 && width >= 1 && height >= 1 && x + width <= 90 && y + height <= 70);
      }
      assert.equal(new Set(boxes.map((box) => JSON.stringify(box))).size, boxes.length);
      return boxes.length;
    });
    assert.ok(counts[1]! > counts[0]!, counts.join(' '));
  });

  it('gives the same boxes for the same seed, and the same in another order for another', () => {
    const image = clutter(90, 70, 3);
    const first = selectiveSearch(image, { mode: 'fast', seed: 7 });
    assert.deepEqual(selectiveSearch(image, { mode: 'fast', seed: 7 }), first);
    const other = selectiveSearch(image, { mode: 'fast', seed: 8 });
    assert.notDeepEqual(other, first);
    const sorted = (found: Float32Array): string[] =>
      boxesOf(found)
        .map((box) => JSON.stringify(box))
        .sort();
    assert.deepEqual(sorted(other), sorted(first));
  });

  it('cuts the list from behind, and drops what is too narrow', () => {
    const image = clutter(90, 70, 4);
    const every = selectiveSearch(image, { mode: 'fast' });
    assert.deepEqual(selectiveSearch(image, { mode: 'fast', maxBoxes: 25 }), every.slice(0, 100));
    const wide = boxesOf(selectiveSearch(image, { mode: 'fast', minSidePx: 16 }));
    assert.deepEqual(
      wide,
      boxesOf(every).filter(({ width, height }) => Math.min(width, height) >= 16),
    );
    assert.ok(wide.length < every.length / 4);
  });

  it('takes grey rasters, and images of any smallness', () => {
    const whole = (width: number, height: number): number[] => [0, 0, width, height];
    for (const [width, height] of [
      [1, 1],
      [1, 9],
      [7, 1],
      [2, 2],
    ] as const) {
      for (const mode of ['fast', 'quality'] as const) {
        const found = selectiveSearch(clutter(width, height, 1), { mode });
        assert.ok(
          boxesOf(found).some((box) => box.width === width && box.height === height),
          `${width} x ${height}`,
        );
      }
    }
    const flat = paint(40, 30, () => [120, 130, 140]);
    assert.deepEqual([...selectiveSearch(flat, { mode: 'quality' })], whole(40, 30));
    assert.equal(selectiveSearch(flat, { mode: 'fast', minSidePx: 31 }).length, 0);
    const grey: Raster = {
      width: 40,
      height: 30,
      channels: 1,
      data: clutter(40, 30, 5).data.filter((_, i) => i % 3 === 1),
    };
    assert.ok(selectiveSearch(grey, { mode: 'fast' }).length > 4);
  });

  it('says what is wrong with an image or an option', () => {
    const image = clutter(8, 8, 1);
    const refuse = (raster: Raster, options: object, message: RegExp): void =>
      assert.throws(() => selectiveSearch(raster, { mode: 'fast', ...options }), { name: 'RangeError', message });
    refuse({ ...image, width: 0 }, {}, /Expected an image of 1 to .* pixels, got 0 x 8/);
    refuse({ ...image, width: 9 }, {}, /Expected 216 bytes of image, got 192/);
    refuse({ ...image, channels: 4 as 3 }, {}, /1 or 3 channels, got `4` \(number\)/);
    refuse(image, { mode: 'slow' as SelectiveSearchMode }, /`mode` to be fast or quality, got `slow` \(string\)/);
    refuse(image, { mode: 'toString' as SelectiveSearchMode }, /`mode` to be fast or quality/);
    refuse(image, { maxBoxes: 0 }, /`maxBoxes` to be an integer from 1, or Infinity, got `0`/);
    refuse(image, { maxBoxes: 2.5 }, /`maxBoxes`/);
    refuse(image, { minSidePx: -1 }, /`minSidePx` to be a number from 0, got `-1`/);
    refuse(image, { seed: NaN }, /`seed` to be a number, got `NaN`/);
  });

  it('covers the objects of photographs', async function () {
    if (!existsSync(shared)) {
      console.log('      (skipped: no shared data beside the project)');
      this.skip();
    }
    this.timeout(30_000);
    const dataset = await openDetectionDataset(shared);
    const images = (await loadDetection({ ...dataset, train: [], test: dataset.test.slice(0, 5) }, 400)).test;
    const overlaps: number[] = [];
    for (const { raster, objects } of images) {
      const boxes = boxesOf(selectiveSearch(raster, { mode: 'fast', maxBoxes: 1000 }));
      for (const { box, difficult } of objects) if (!difficult) overlaps.push(bestOverlap(boxes, box));
    }
    assert.ok(overlaps.length >= 10);
    const recall = (least: number): number => overlaps.filter((overlap) => overlap >= least).length / overlaps.length;
    assert.ok(recall(0.5) >= 0.7, `${recall(0.5)} at 0.5`);
    assert.ok(recall(0.7) >= 0.4, `${recall(0.7)} at 0.7`);
  });
});

describe('Ranking of boxes', () => {
  it('puts large regions first on average, by position times a random number', () => {
    const count = 200;
    const firsts = Array.from({ length: 300 }, (_, seed) => {
      const ranked = new RankedBoxes(1);
      // Region i (in order of creation) is told by its x; position 1 is the last.
      ranked.add(
        Int32Array.from({ length: 4 * count }, (_, i) => [i >> 2, 0, 1000, 1000][i % 4]!),
        RandomStream.of(seed, 'rank'),
      );
      return [...ranked.best(Infinity)].filter((_, i) => i % 4 === 0);
    });
    const meanPlace = (region: number): number =>
      firsts.reduce((sum, order) => sum + order.indexOf(region), 0) / firsts.length;
    assert.ok(meanPlace(count - 1) < 10);
    assert.ok(meanPlace(count - 20) < meanPlace(count / 2));
    assert.ok(meanPlace(count / 2) < meanPlace(0));
    // And yet not always the largest first: that is what the random number is for.
    assert.ok(firsts.some(([first]) => first !== count - 1));
  });

  it('keeps a box once, at its best rank, through all growth', () => {
    const ranked = new RankedBoxes(1);
    const boxes = Int32Array.from({ length: 4 * 5000 }, (_, i) => [i >> 2, 0, (i >> 2) + 5, 9][i % 4]!);
    ranked.add(boxes, RandomStream.of(1, 'a'));
    const alone = ranked.best(Infinity);
    ranked.add(boxes, RandomStream.of(1, 'a'));
    assert.deepEqual(ranked.best(Infinity), alone);
    assert.equal(alone.length, boxes.length);
    // Alone it stands at position 1, so that its rank is below 1.
    ranked.add(boxes.subarray(0, 4), RandomStream.of(2, 'b'));
    const placeOfFirst = (found: Float32Array): number => boxesOf(found).findIndex(({ x }) => x === 0);
    assert.ok(placeOfFirst(ranked.best(Infinity)) < placeOfFirst(alone));
    assert.equal(ranked.best(Infinity).length, alone.length);
  });
});
