import assert from 'node:assert/strict';
import type { Raster } from '../../../../src/numeric/raster.js';
import { toColourSpace } from '../../../../src/transfer/detection/selective-search/colour-spaces.js';
import { gaussianBlur } from '../../../../src/transfer/detection/selective-search/gaussian-blur.js';
import {
  segmentGraph,
  type Segmentation,
} from '../../../../src/transfer/detection/selective-search/graph-segmentation.js';
import { buildPixelGraph, weightScale } from '../../../../src/transfer/detection/selective-search/pixel-graph.js';
import { clutter, paint, withNoise } from './made-images.js';

const smooth = (image: Raster): Float32Array[] =>
  toColourSpace(image, 'lab').planes.map((plane) => gaussianBlur(plane, image.width, image.height, 0.8));

const segment = (image: Raster, k: number, minSizePx: number): Segmentation =>
  segmentGraph(buildPixelGraph(smooth(image), image.width, image.height), { k, minSizePx });

const sizesOf = ({ labels, count }: Segmentation): number[] => {
  const sizes = Array<number>(count).fill(0);
  for (const label of labels) sizes[label]!++;
  return sizes;
};

/** Algorithm 1 of the paper as it reads, with labels that are rewritten at each join. */
const segmentSlowly = (image: Raster, k: number, minSizePx: number): Int32Array => {
  const { width, height } = image;
  const planes = smooth(image);
  const edges: { weight: number; order: number; a: number; b: number }[] = [];
  for (let i = 0; i < width * height; i++) {
    [
      [1, 0],
      [0, 1],
      [1, 1],
      [-1, 1],
    ].forEach(([dx, dy], direction) => {
      const x = (i % width) + dx!;
      const y = Math.floor(i / width) + dy!;
      if (x < 0 || x >= width || y >= height) return;
      const j = y * width + x;
      const distance = Math.sqrt(planes.reduce((sum, plane) => sum + (plane[i]! - plane[j]!) ** 2, 0));
      edges.push({ weight: Math.round(distance * weightScale) / weightScale, order: 4 * i + direction, a: i, b: j });
    });
  }
  edges.sort((e, f) => e.weight - f.weight || e.order - f.order);
  const labels = Int32Array.from({ length: width * height }, (_, i) => i);
  const internal = new Float64Array(labels.length);
  const sizeOf = (label: number): number => labels.filter((other) => other === label).length;
  const join = (a: number, b: number): void => labels.forEach((label, i) => void (label === b && (labels[i] = a)));
  for (const { weight, a: i, b: j } of edges) {
    const [a, b] = [labels[i]!, labels[j]!];
    if (a === b || weight > Math.min(internal[a]! + k / sizeOf(a), internal[b]! + k / sizeOf(b))) continue;
    join(a, b);
    internal[a] = weight;
  }
  for (const { a: i, b: j } of edges) {
    const [a, b] = [labels[i]!, labels[j]!];
    if (a !== b && Math.min(sizeOf(a), sizeOf(b)) < minSizePx) join(a, b);
  }
  const numbers = new Map<number, number>();
  return labels.map((label) => {
    if (!numbers.has(label)) numbers.set(label, numbers.size);
    return numbers.get(label)!;
  });
};

const halves = paint(40, 30, (x) => (x < 17 ? [200, 60, 40] : [40, 90, 180]));

describe('Gaussian smoothing', () => {
  it('keeps a flat plane and the sum of a point, whose spread is the given one', () => {
    const flat = gaussianBlur(new Uint8Array(35).fill(131), 7, 5, 0.8);
    for (const value of flat) assert.ok(Math.abs(value - 131) < 1e-4);
    const point = new Uint8Array(21 * 21);
    point[10 * 21 + 10] = 255;
    for (const sigma of [0.8, 1.6]) {
      let [sum, spread] = [0, 0];
      gaussianBlur(point, 21, 21, sigma).forEach((value, i) => {
        sum += value;
        spread += value * ((i % 21) - 10) ** 2;
      });
      assert.ok(Math.abs(sum - 255) < 1e-3);
      assert.ok(Math.abs(Math.sqrt(spread / sum) - sigma) < 0.02 * sigma);
    }
  });

  it('is the same when the plane is transposed', () => {
    const plane = Uint8Array.from({ length: 63 }, (_, i) => (i * 37) % 256);
    const turned = Uint8Array.from({ length: 63 }, (_, i) => plane[(i % 7) * 9 + Math.floor(i / 7)]!);
    const a = gaussianBlur(plane, 9, 7, 0.8);
    const b = gaussianBlur(turned, 7, 9, 0.8);
    for (let y = 0; y < 7; y++) for (let x = 0; x < 9; x++) assert.ok(Math.abs(a[y * 9 + x]! - b[x * 7 + y]!) < 1e-3);
  });
});

describe('Graph segmentation', () => {
  it('finds two flat areas, to the pixel', () => {
    const sharp = toColourSpace(halves, 'lab').planes.map((plane) => Float32Array.from(plane));
    const { labels, count } = segmentGraph(buildPixelGraph(sharp, 40, 30), { k: 100, minSizePx: 20 });
    assert.equal(count, 2);
    labels.forEach((label, i) => assert.equal(label, i % 40 < 17 ? 0 : 1));
  });

  it('still finds the two under noise', () => {
    const { labels, count } = segment(withNoise(halves, 12), 150, 50);
    assert.equal(count, 2);
    const wrong = labels.filter((label, i) => label !== (i % 40 < 17 ? 0 : 1)).length;
    assert.ok(wrong < 0.02 * labels.length, `${wrong} pixels on the wrong side`);
  });

  it('makes fewer segments of a larger k, and one of an image without an edge', () => {
    const image = withNoise(clutter(60, 50, 3), 10);
    const counts = [10, 50, 200, 1000].map((k) => segment(image, k, 1).count);
    for (let i = 1; i < counts.length; i++) assert.ok(counts[i]! < counts[i - 1]!, counts.join(' '));
    const flat = paint(9, 4, () => [3, 4, 5]);
    assert.equal(segment(flat, 0, 0).count, 1);
  });

  it('leaves no segment below the least size, and takes the scan for the order of the labels', () => {
    const segmentation = segment(withNoise(clutter(60, 50, 4), 10), 20, 40);
    assert.ok(segmentation.count > 5);
    assert.ok(Math.min(...sizesOf(segmentation)) >= 40);
    let seen = 0;
    for (const label of segmentation.labels) {
      assert.ok(label <= seen);
      if (label === seen) seen++;
    }
    assert.equal(seen, segmentation.count);
  });

  it('segments exactly as the algorithm written down plainly', () => {
    for (const [seed, k, minSizePx] of [
      [1, 30, 1],
      [2, 60, 8],
      [3, 150, 20],
    ] as const) {
      const image = clutter(26, 21, seed);
      assert.deepEqual(segment(image, k, minSizePx).labels, segmentSlowly(image, k, minSizePx));
    }
  });

  it('holds each edge once, sorted by weight', () => {
    const image = clutter(13, 9, 5);
    const { edges, starts } = buildPixelGraph(smooth(image), 13, 9);
    assert.equal(edges.length, 12 * 9 + 13 * 8 + 2 * 12 * 8);
    assert.equal(new Set(edges).size, edges.length);
    assert.equal(starts.at(-1), edges.length);
  });
});
