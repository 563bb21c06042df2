import assert from 'node:assert/strict';
import { iou } from '../../src/numeric/box.js';
import { suppressNonMaxima } from '../../src/numeric/nms.js';
import { RandomStream } from '../../src/numeric/random.js';

const boxOf = (boxes: Float32Array, i: number) => ({
  x: boxes[4 * i]!,
  y: boxes[4 * i + 1]!,
  width: boxes[4 * i + 2]! - boxes[4 * i]!,
  height: boxes[4 * i + 3]! - boxes[4 * i + 1]!,
});

/** One kept box at a time, over everything that is left. */
const slow = (boxes: Float32Array, scores: readonly number[], least: number, labels?: readonly number[]): number[] => {
  let left = scores.map((_, i) => i);
  const kept: number[] = [];
  while (left.length > 0) {
    const best = left.reduce((a, b) => (scores[b]! > scores[a]! ? b : a));
    kept.push(best);
    left = left.filter(
      (i) => i !== best && !(labels?.[i] === labels?.[best] && iou(boxOf(boxes, i), boxOf(boxes, best)) > least),
    );
  }
  return kept;
};

describe('non-maximum suppression', () => {
  it('keeps the best of boxes that overlap, and what a suppressed box would have suppressed', () => {
    // A row: neighbours overlap by 1/3, the ends do not meet.
    const boxes = Float32Array.of(0, 0, 10, 10, 5, 0, 15, 10, 10, 0, 20, 10);
    assert.deepEqual([...suppressNonMaxima(boxes, [0.9, 0.8, 0.7])], [0, 2]);
    assert.deepEqual([...suppressNonMaxima(boxes, [0.7, 0.9, 0.8])], [1]);
    assert.deepEqual([...suppressNonMaxima(boxes, [0.7, 0.9, 0.8], { iou: 0.34 })], [1, 2, 0]);
  });

  it('keeps a box that overlaps by exactly the limit', () => {
    const boxes = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5);
    assert.equal(suppressNonMaxima(boxes, [2, 1], { iou: 0.5 }).length, 2);
    assert.equal(suppressNonMaxima(boxes, [2, 1], { iou: 0.49 }).length, 1);
  });

  it('keeps the first of equal scores, boxes of other labels, and no more than the limit', () => {
    const boxes = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 10, 50, 50, 60, 60);
    assert.deepEqual([...suppressNonMaxima(boxes, [1, 1, 1])], [0, 2]);
    assert.deepEqual([...suppressNonMaxima(boxes, [1, 1, 1], { labels: [0, 1, 0] })], [0, 1, 2]);
    assert.deepEqual([...suppressNonMaxima(boxes, [1, 1, 2], { limit: 1 })], [2]);
    assert.deepEqual([...suppressNonMaxima(new Float32Array(), [])], []);
  });

  it('equals a slow reference on random boxes', () => {
    const random = RandomStream.of(7, 'nms');
    for (let round = 0; round < 20; round++) {
      const scores = Array.from({ length: 60 }, () => random.integer(40));
      const labels = scores.map(() => random.integer(3));
      const boxes = Float32Array.from(
        scores.flatMap(() => {
          const [x, y] = [random.integer(40), random.integer(40)];
          return [x, y, x + 1 + random.integer(30), y + 1 + random.integer(30)];
        }),
      );
      assert.deepEqual([...suppressNonMaxima(boxes, scores, { iou: 0.4 })], slow(boxes, scores, 0.4));
      assert.deepEqual([...suppressNonMaxima(boxes, scores, { iou: 0.4, labels })], slow(boxes, scores, 0.4, labels));
    }
  });

  it('refuses what does not fit', () => {
    assert.throws(() => suppressNonMaxima(new Float32Array(4), [1, 2]), /four numbers a score/);
    assert.throws(() => suppressNonMaxima(new Float32Array(4), [1], { iou: 2 }), /Expected `iou`/);
    assert.throws(() => suppressNonMaxima(new Float32Array(4), [NaN]), /got NaN at 0/);
  });
});
