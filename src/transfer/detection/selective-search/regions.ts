import type { Segmentation } from './graph-segmentation.js';
import { regionHistograms, type RegionCodes } from './region-codes.js';

/**
 * The segments that grouping begins with: pixels of each (`sizes`), bounding boxes (`boxes`, 4 a segment: x0, y0, x1, y1, the last two past the
 * end), which touch each other (`pairs`, 2 a pair, smaller number first, sorted), and normalised histograms (`rowLength` a
 * segment, the first `colourLength` of colour, the others of texture). `imageSize` in pixels.
 */
export type Regions = {
  readonly count: number;
  readonly imageSize: number;
  readonly sizes: Int32Array;
  readonly boxes: Int32Array;
  readonly pairs: Int32Array;
  readonly histograms: Float32Array;
  readonly colourLength: number;
  readonly rowLength: number;
};

const measureSegments = ({ width, height, labels, count }: Segmentation): { sizes: Int32Array; boxes: Int32Array } => {
  const sizes = new Int32Array(count);
  const boxes = new Int32Array(count * 4);
  for (let region = 0; region < count; region++) {
    boxes[region * 4] = width;
    boxes[region * 4 + 1] = height;
  }
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width;) {
      const label = labels[i];
      const start = x;
      do {
        x++;
        i++;
      } while (x < width && labels[i] === label);
      const box = label * 4;
      sizes[label] += x - start;
      if (start < boxes[box]) boxes[box] = start;
      if (y < boxes[box + 1]) boxes[box + 1] = y;
      if (x > boxes[box + 2]) boxes[box + 2] = x;
      boxes[box + 3] = y + 1;
    }
  }
  return { sizes, boxes };
};

/** Pairs of labels that lie side by side, in the eight directions of the pixel graph; each once, sorted. */
const touchingPairs = ({ width, height, labels, count }: Segmentation): Int32Array => {
  const seen = new Set<number>();
  let last = -1;
  const meet = (a: number, b: number): void => {
    const key = a < b ? a * count + b : b * count + a;
    if (key === last) return;
    last = key;
    seen.add(key);
  };
  for (let y = 0, i = 0; y < height; y++) {
    const below = y + 1 < height;
    for (let x = 0; x < width; x++, i++) {
      const label = labels[i];
      if (x + 1 < width && labels[i + 1] !== label) meet(label, labels[i + 1]);
      if (!below) continue;
      if (labels[i + width] !== label) meet(label, labels[i + width]);
      if (x + 1 < width && labels[i + width + 1] !== label) meet(label, labels[i + width + 1]);
      if (x > 0 && labels[i + width - 1] !== label) meet(label, labels[i + width - 1]);
    }
  }
  const keys = Float64Array.from(seen).sort();
  const pairs = new Int32Array(keys.length * 2);
  keys.forEach((key, i) => {
    pairs[2 * i] = Math.floor(key / count);
    pairs[2 * i + 1] = key % count;
  });
  return pairs;
};

/** Sizes, boxes, neighbours and histograms of the segments of an image. */
export const describeRegions = (segmentation: Segmentation, codes: RegionCodes): Regions => {
  const { sizes, boxes } = measureSegments(segmentation);
  return {
    count: segmentation.count,
    imageSize: segmentation.labels.length,
    sizes,
    boxes,
    pairs: touchingPairs(segmentation),
    histograms: regionHistograms(codes, segmentation.labels, sizes),
    colourLength: codes.colourLength,
    rowLength: codes.rowLength,
  };
};
