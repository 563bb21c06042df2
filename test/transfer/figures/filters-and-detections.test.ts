import assert from 'node:assert/strict';
import { createRaster } from '../../../src/drawing/primitives.js';
import type { LoadedImage } from '../../../src/images/detection-dataset.js';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import type { Raster } from '../../../src/numeric/raster.js';
import { classColour, detectionCells, detectionPictures } from '../../../src/transfer/figures/detection-pictures.js';
import { drawFilters } from '../../../src/transfer/figures/first-layer-filters.js';
import { neighbourSheet } from '../../../src/transfer/figures/neighbour-sheet.js';

const pixel = ({ width, data }: Raster, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('first-layer filters', () => {
  // Two filters of 1 x 2 pixels: the first weak and red, the second strong, blue on its right.
  const weights = new Float32Array(1 * 2 * 3 * 2);
  const set = (x: number, channel: number, filter: number, value: number): void => {
    weights[(x * 3 + channel) * 2 + filter] = value;
  };
  set(0, 0, 0, 0.1);
  set(1, 0, 0, -0.1);
  set(0, 2, 1, -1);
  set(1, 2, 1, 4);

  it('are scaled each by its own largest weight, zero in the middle, the strongest first', () => {
    const sheet = drawFilters(weights, [1, 2, 3, 2], { scale: 2, columns: 2 });
    assert.deepEqual([sheet.width, sheet.height], [3 + 2 * 7, 3 + 5]);
    assert.deepEqual(pixel(sheet, 3, 3), [128, 128, 96]);
    assert.deepEqual(pixel(sheet, 5, 3), [128, 128, 255]);
    assert.deepEqual(pixel(sheet, 10, 3), [255, 128, 128]);
    assert.deepEqual(pixel(sheet, 12, 3), [0, 128, 128]);
    assert.deepEqual(pixel(sheet, 8, 3), [255, 255, 255]);
  });

  it('are shown in red, green, blue where the network reads them the other way round', () => {
    assert.deepEqual(pixel(drawFilters(weights, [1, 2, 3, 2], { scale: 2, reversed: true }), 5, 3), [255, 128, 128]);
  });

  it('of nothing but zeros are grey, and those of one channel, too', () => {
    const grey = drawFilters(new Float32Array([0, 1, 0, -1]), [1, 2, 1, 2], { scale: 1 });
    assert.deepEqual(pixel(grey, 3, 3), [255, 255, 255]);
    assert.deepEqual(pixel(grey, 4, 3), [0, 0, 0]);
    assert.deepEqual(pixel(grey, 3 + 2 + 3, 3), [128, 128, 128]);
  });

  it('of another shape, and weights that are no numbers, are refused', () => {
    assert.throws(() => drawFilters(weights, [1, 2, 2, 3]), /Expected `weights` of shape .* got \[1, 2, 2, 3\]/);
    assert.throws(() => drawFilters(new Float32Array([NaN]), [1, 1, 1, 1]), /Expected finite weights/);
  });
});

describe('pictures of detections', () => {
  const classes = ['cat', 'dog'];
  const image = (name: string, objects: LoadedImage['objects'] = []): LoadedImage => ({
    name,
    raster: createRaster(100, 60, [0, 0, 0]),
    scale: 1,
    objects,
  });
  const object = (label: number, x: number, difficult = false) => ({
    label,
    box: { x, y: 20, width: 30, height: 30 },
    difficult,
    crowd: false,
  });
  const one = image('one', [object(0, 10), object(1, 60, true)]);

  it('draw finds that are right through, others dashed, and leave the image below as it was', () => {
    const found = [
      { image: 0, label: 0, score: 0.9, box: { x: 12, y: 20, width: 30, height: 30 } },
      { image: 0, label: 1, score: 0.8, box: { x: 10, y: 20, width: 30, height: 30 } },
    ];
    const draw = (detections: typeof found) => detectionPictures([one], detections, classes)[0]!.predicted;
    /** How many pixels of the box's lower edge have its colour. */
    const edge = (raster: Raster, x: number, label: number): number =>
      Array.from({ length: 30 }, (_, k) => pixel(raster, x + k, 49)).filter(
        (colour) => String(colour) === String(classColour(label)),
      ).length;
    assert.equal(edge(draw([found[0]!]), 12, 0), 30);
    const dashed = edge(draw([found[1]!]), 10, 1);
    assert.ok(dashed > 10 && dashed < 25, `${dashed}`);
    assert.ok(one.raster.data.every((value) => value === 0));
  });

  it('count a true box once: a second find of it is dashed', () => {
    const box = { x: 10, y: 20, width: 30, height: 30 };
    const twice = [
      { image: 0, label: 0, score: 0.9, box },
      { image: 0, label: 0, score: 0.5, box: { ...box, x: 14 } },
    ];
    const { predicted } = detectionPictures([one], twice, classes)[0]!;
    // The second box's right edge stands alone; somewhere on it is a gap.
    const right = Array.from({ length: 28 }, (_, k) => String(pixel(predicted, 43, 21 + k)));
    assert.ok(right.includes('0,0,0') && right.includes(String(classColour(0))));
  });

  it('show the truth, difficult objects dashed, and the best boxes alone', () => {
    const { truth } = detectionPictures([one], [], classes)[0]!;
    const column = (x: number): string[] => Array.from({ length: 28 }, (_, k) => String(pixel(truth, x, 21 + k)));
    assert.ok(column(38).every((colour) => colour === String(classColour(0))));
    assert.ok(column(88).includes('0,0,0'));
    const many = Array.from({ length: 9 }, (_, k) => ({
      ...{ image: 0, label: 0, score: k / 10 },
      box: { x: 10 * k, y: 20, width: 8, height: 30 },
    }));
    const best = detectionPictures([one], many, classes, { boxes: 1 })[0]!.predicted;
    assert.deepEqual(pixel(best, 20, 48), [0, 0, 0]);
    assert.deepEqual(pixel(best, 80, 34), [...classColour(0)]);
  });

  it('are spread evenly over the list, shrunk to a side, and line up as cells', () => {
    const images = Array.from({ length: 10 }, (_, k) => image(`image ${k}`));
    const pictures = detectionPictures(images, [], classes, { count: 2, side: 50 });
    assert.deepEqual(pictures.map(({ name }) => name), ['image 2', 'image 7']); // prettier-ignore
    assert.deepEqual([pictures[0]!.truth.width, pictures[0]!.truth.height], [50, 30]);
    assert.deepEqual(detectionCells(pictures).map(({ raster }) => raster.width), [104, 104]); // prettier-ignore
  });

  it('refuse a find in a picture or of a class that is not there', () => {
    const box = { x: 0, y: 0, width: 1, height: 1 };
    assert.throws(
      () => detectionPictures([one], [{ image: 1, label: 0, score: 1, box }], classes),
      /Expected detections of 1 pictures and 2 classes, got picture 1, class 0/,
    );
  });

  it('give every class of COCO a colour of its own', () => {
    assert.equal(new Set(Array.from({ length: 80 }, (_, label) => String(classColour(label)))).size, 80);
  });
});

describe('the sheet of neighbours', () => {
  const cache = pixelCacheOf([createRaster(8, 8, [200, 0, 0]), createRaster(8, 8, [0, 0, 200])]);
  const rows = [
    { query: 0, neighbours: [{ index: 1, similarity: 1 }, { index: 0, similarity: 0.5 }] }, // prettier-ignore
  ];

  it('sets the query apart, and frames neighbours of its class', () => {
    const labels = { queries: [5, 6], bank: [6, 5] };
    const sheet = neighbourSheet(rows, cache, cache, { side: 20, labels });
    assert.deepEqual(pixel(sheet, 4, 4), [200, 0, 0]);
    assert.deepEqual(pixel(sheet, 3 + 20 + 7, 10), [120, 120, 120]);
    const first = 3 + 23 + 14;
    assert.deepEqual(pixel(sheet, first, 4), [60, 200, 80]);
    assert.deepEqual(pixel(sheet, first + 10, 12), [0, 0, 200]);
    assert.deepEqual(pixel(sheet, first + 23, 4), [200, 0, 0]);
    assert.throws(() => neighbourSheet([], cache, cache), /at least one row/);
  });
});
