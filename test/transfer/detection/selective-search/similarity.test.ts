import assert from 'node:assert/strict';
import type { Segmentation } from '../../../../src/transfer/detection/selective-search/graph-segmentation.js';
import { toColourSpace } from '../../../../src/transfer/detection/selective-search/colour-spaces.js';
import {
  codeRegions,
  colourBins,
  smoothDerivatives,
} from '../../../../src/transfer/detection/selective-search/region-codes.js';
import { describeRegions, type Regions } from '../../../../src/transfer/detection/selective-search/regions.js';
import {
  fillSimilarity,
  rowDistance,
  sizeSimilarity,
} from '../../../../src/transfer/detection/selective-search/similarity.js';
import { RandomStream } from '../../../../src/numeric/random.js';
import { clutter, paint } from './made-images.js';
import type { Raster } from '../../../../src/numeric/raster.js';

const describeImage = (image: Raster, segmentation: Segmentation): Regions => {
  const colour = toColourSpace(image, 'rgi');
  return describeRegions(
    segmentation,
    codeRegions(
      colour,
      colour.planes.map((plane) => Float32Array.from(plane)),
    ),
  );
};

const columns = (width: number, height: number, ...ends: number[]): Segmentation => ({
  width,
  height,
  labels: Int32Array.from({ length: width * height }, (_, i) => ends.filter((end) => i % width >= end).length),
  count: ends.length + 1,
});

describe('Similarity of regions', () => {
  it('of histograms is their intersection', () => {
    const random = RandomStream.of(3, 'rows');
    const rows = Float32Array.from({ length: 60 }, () => random.uniform());
    for (const from of [0, 30]) {
      const total = rows.subarray(from, from + 30).reduce((sum, value) => sum + value, 0);
      for (let i = from; i < from + 30; i++) rows[i]! /= total;
    }
    let intersection = 0;
    for (let i = 0; i < 30; i++) intersection += Math.min(rows[i]!, rows[30 + i]!);
    assert.ok(Math.abs(1 - rowDistance(rows, 0, 30, 30) / 2 - intersection) < 1e-6);
    assert.equal(rowDistance(rows, 30, 30, 30), 0);
  });

  it('of size is what the two leave of the image', () => {
    assert.equal(sizeSimilarity(10, 30, 100), 0.6);
    assert.equal(sizeSimilarity(60, 40, 100), 0);
  });

  it('of fill is 1 for two that make a rectangle, and less by the hole they leave', () => {
    const boxes = Int32Array.from([0, 0, 4, 5, 4, 0, 10, 5, 6, 6, 10, 10]);
    assert.equal(fillSimilarity(boxes, 0, 1, 20, 30, 100), 1);
    // The box around the first and the third is the whole 10 x 10.
    assert.equal(fillSimilarity(boxes, 0, 2, 20, 16, 100), 1 - (100 - 36) / 100);
    assert.equal(fillSimilarity(boxes, 2, 0, 16, 20, 100), 1 - (100 - 36) / 100);
  });
});

describe('Regions', () => {
  it('know their size, box and neighbours, corners included', () => {
    const labels = Int32Array.from([0, 0, 1, 0, 0, 1, 2, 2, 3]);
    const regions = describeImage(clutter(3, 3, 1), { width: 3, height: 3, labels, count: 4 });
    assert.deepEqual([...regions.sizes], [4, 2, 2, 1]);
    assert.deepEqual([...regions.boxes], [0, 0, 2, 2, 2, 0, 3, 2, 0, 2, 2, 3, 2, 2, 3, 3]);
    assert.deepEqual([...regions.pairs], [0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3]);
    assert.deepEqual([...describeImage(clutter(9, 2, 1), columns(9, 2, 3, 6)).pairs], [0, 1, 1, 2]);
  });

  it('have histograms of colour and texture that each add up to 1', () => {
    const { histograms, rowLength, colourLength, count } = describeImage(clutter(30, 20, 2), columns(30, 20, 7, 19));
    assert.equal(colourLength, 75);
    assert.equal(rowLength, 75 + 240);
    for (let region = 0; region < count; region++) {
      const row = histograms.subarray(region * rowLength, (region + 1) * rowLength);
      for (const part of [row.subarray(0, 75), row.subarray(75)]) {
        assert.ok(Math.abs(part.reduce((sum, value) => sum + value, 0) - 1) < 1e-5);
      }
    }
  });

  it('of one colour have one bin a channel, and all their texture in the first bins', () => {
    const { histograms } = describeImage(
      paint(6, 4, () => [255, 0, 0]),
      columns(6, 4),
    );
    const filled = [...histograms.keys()].filter((i) => histograms[i]! > 0);
    // Red of r g I is (255, 0, 76): bins 24, 0 and 7 of 25.
    assert.deepEqual(filled.slice(0, 3), [24, colourBins, 2 * colourBins + 7]);
    assert.deepEqual(
      filled.slice(3),
      Array.from({ length: 24 }, (_, half) => 75 + 10 * half),
    );
  });

  it('have derivatives of a slope that are its steepness, everywhere but at the border', () => {
    const plane = Float32Array.from({ length: 70 }, (_, i) => 3 * (i % 10) - 5 * Math.floor(i / 10));
    const { right, down } = smoothDerivatives(plane, 10, 7);
    for (let y = 1; y < 6; y++) {
      for (let x = 1; x < 9; x++) {
        assert.equal(right[y * 10 + x], 3);
        assert.equal(down[y * 10 + x], -5);
      }
    }
  });

  it('tell stripes across from stripes down by texture alone', () => {
    const image = paint(48, 24, (x, y) => Array<number>(3).fill((x < 16 ? y : x) % 4 < 2 ? 80 : 160));
    const { histograms, rowLength } = describeImage(image, columns(48, 24, 16, 32));
    const texture = (a: number, b: number): number =>
      1 - rowDistance(histograms, a * rowLength + 75, b * rowLength + 75, 240) / 2;
    assert.ok(texture(1, 2) > 0.9);
    assert.ok(texture(0, 1) < texture(1, 2) - 0.05, `${texture(0, 1)} ${texture(1, 2)}`);
  });
});
