import assert from 'node:assert/strict';
import { intersect, iou, moveInside, shareInside } from '../../src/numeric/box.js';
import { mean, median, quantile, std } from '../../src/numeric/statistics.js';

describe('boxes', () => {
  const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

  it('overlap by intersection over union', () => {
    assert.equal(iou(box(0, 0, 10, 10), box(5, 0, 10, 10)), 50 / 150);
    assert.equal(iou(box(0, 0, 10, 10), box(10, 0, 10, 10)), 0);
    assert.equal(iou(box(0, 0, 0, 10), box(0, 0, 0, 10)), 0);
    assert.equal(iou(box(1.5, 2, 4, 4), box(1.5, 2, 4, 4)), 1);
  });

  it('have an empty intersection, not a negative one, where they do not meet', () => {
    assert.deepEqual(intersect(box(0, 0, 4, 4), box(9, 9, 4, 4)), box(9, 9, 0, 0));
  });

  it('are moved into the frame by the least, and cut where they are larger', () => {
    assert.deepEqual(moveInside(box(-5, 92.5, 10, 10), 100, 100), box(0, 90, 10, 10));
    assert.deepEqual(moveInside(box(3, 4, 10, 10), 100, 100), box(3, 4, 10, 10));
    assert.deepEqual(moveInside(box(-10, 5, 120, 10), 100, 100), box(0, 5, 100, 10));
  });

  it('know how much of them lies inside a frame', () => {
    assert.equal(shareInside(box(-5, 0, 10, 10), 100, 100), 0.5);
    assert.equal(shareInside(box(95, 95, 10, 10), 100, 100), 0.25);
    assert.equal(shareInside(box(10, 10, 10, 10), 100, 100), 1);
  });
});

describe('statistics', () => {
  it('reports mean and the sample standard deviation over seeds', () => {
    assert.equal(mean([1, 2, 3, 4]), 2.5);
    assert.ok(Math.abs(std([1, 2, 3, 4]) - 1.2909944487358056) < 1e-15);
    assert.equal(std([5]), 0);
    assert.ok(Number.isNaN(std([])));
  });

  it('interpolates quantiles as numpy does, without reordering its input', () => {
    const values = [4, 1, 3, 2];
    assert.equal(median(values), 2.5);
    assert.ok(Math.abs(quantile(values, 0.9) - 3.7) < 1e-12);
    assert.deepEqual(values, [4, 1, 3, 2]);
  });
});
