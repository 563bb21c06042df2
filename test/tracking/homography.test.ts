import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { mapPoint } from '../../src/tracking/camera-model.js';
import { findHomography } from '../../src/tracking/homography.js';
import { openCv } from '../../src/tracking/opencv.js';
import type { PointList } from '../../src/tracking/point-list.js';

const [width, height] = [320, 240];
/** A pan with some turning, zoom and tilt. */
const truth = [1.03, -0.04, 12, 0.05, 0.98, -7, 1.5e-4, -8e-5, 1];
const corners = [
  [0, 0],
  [width, 0],
  [0, height],
  [width, height],
] as const;

/** Points over the frame and where `truth` takes them, all but the first `agreeing` of them anywhere. */
const scene = (count: number, agreeing: number, noise: number, seed: number): { from: PointList; to: PointList } => {
  const random = RandomStream.of(seed, 'points');
  const [x, y, u, v] = [0, 1, 2, 3].map(() => new Float32Array(count));
  for (let i = 0; i < count; i++) {
    x[i] = random.uniform(0, width);
    y[i] = random.uniform(0, height);
    const [px, py] = mapPoint(truth, x[i], y[i]);
    u[i] = i < agreeing ? px + random.normal(0, noise) : random.uniform(0, width);
    v[i] = i < agreeing ? py + random.normal(0, noise) : random.uniform(0, height);
  }
  return { from: { x, y }, to: { x: u, y: v } };
};

/** Largest distance between where two homographies take the frame's corners. */
const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(
    ...corners.map(([x, y]) => {
      const [[u, v], [p, q]] = [mapPoint(a, x, y), mapPoint(b, x, y)];
      return Math.hypot(u - p, v - q);
    }),
  );

const agreeingWith = (h: ArrayLike<number>, from: PointList, to: PointList, px: number): number =>
  from.x.reduce((count, x, i) => {
    const [u, v] = mapPoint(h, x, from.y[i]);
    return Math.hypot(to.x[i] - u, to.y[i] - v) <= px ? count + 1 : count;
  }, 0);

const byOpenCv = (from: PointList, to: PointList, px: number): Float64Array => {
  const cv = openCv();
  const [source, target] = [from, to].map(({ x, y }) => {
    const mat = new cv.Mat(x.length, 1, cv.CV_32FC2);
    x.forEach((value, i) => mat.data32F.set([value, y[i]], 2 * i));
    return mat;
  });
  const mask = new cv.Mat();
  const found = cv.findHomography(source, target, cv.RANSAC, px, mask);
  const h = Float64Array.from(found.data64F);
  for (const mat of [source, target, mask, found]) mat.delete();
  return h;
};

describe('A homography among points', () => {
  it('is the one through four points, exactly', () => {
    const from = { x: Float32Array.of(0, 300, 20, 280), y: Float32Array.of(0, 10, 200, 230) };
    const to = { x: Float32Array.of(11, 290, 40, 310), y: Float32Array.of(-4, 20, 180, 240) };
    const h = findHomography(from, to, { px: 1 });
    assert.ok(h);
    from.x.forEach((x, i) => {
      const [u, v] = mapPoint(h, x, from.y[i]);
      assert.ok(Math.hypot(u - to.x[i], v - to.y[i]) < 1e-6);
    });
  });

  it('is the true one where all points agree, to the digits of float32', () => {
    const { from, to } = scene(60, 60, 0, 1);
    const h = findHomography(from, to, { px: 0.5 });
    assert.ok(h && apart(h, truth) < 1e-3, `${h && apart(h, truth)}`);
  });

  for (const share of [0.8, 0.5, 0.35]) {
    it(`is found where ${Math.round(100 - 100 * share)} % of the points lie anywhere, as near the true one as OpenCV's`, () => {
      const [ours, theirs] = [[] as number[], [] as number[]];
      for (let seed = 1; seed <= 12; seed++) {
        const { from, to } = scene(400, 400 * share, 0.3, seed);
        const h = findHomography(from, to, { px: 1 });
        assert.ok(h);
        const reference = byOpenCv(from, to, 1);
        ours.push(apart(h, truth));
        theirs.push(apart(reference, truth));
        const [count, wanted] = [h, reference].map((each) => agreeingWith(each, from, to, 1));
        assert.ok(count >= wanted - 4, `${count} agree, with OpenCV's ${wanted}`);
        assert.ok(Math.max(...ours) < 0.6, `${Math.max(...ours)} pixels off`);
      }
      const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      assert.ok(mean(ours) <= 1.1 * mean(theirs), `off by ${mean(ours)}, OpenCV's by ${mean(theirs)}`);
    });
  }

  it('follows the larger of two motions', () => {
    const { from, to } = scene(300, 300, 0.2, 3);
    for (let i = 0; i < 120; i++) {
      to.x[i] = from.x[i] + 40;
      to.y[i] = from.y[i] - 25;
    }
    const h = findHomography(from, to, { px: 1 });
    assert.ok(h && apart(h, truth) < 0.5);
  });

  it('has no solution for fewer than four points, points on one line, one point many times, or points that agree on nothing', () => {
    const line = {
      x: Float32Array.from({ length: 30 }, (_, i) => 5 * i),
      y: Float32Array.from({ length: 30 }, (_, i) => 3 * i),
    };
    assert.equal(findHomography(line, line, { px: 1 }), undefined);
    const one = { x: new Float32Array(30).fill(7), y: new Float32Array(30).fill(9) };
    assert.equal(findHomography(one, one, { px: 1 }), undefined);
    const three = { x: Float32Array.of(0, 9, 3), y: Float32Array.of(0, 2, 8) };
    assert.equal(findHomography(three, three, { px: 1 }), undefined);
    const none = { x: new Float32Array(0), y: new Float32Array(0) };
    assert.equal(findHomography(none, none, { px: 1 }), undefined);
  });

  it('is the same again', () => {
    const { from, to } = scene(200, 90, 0.4, 5);
    assert.deepEqual(findHomography(from, to, { px: 1 }), findHomography(from, to, { px: 1 }));
  });
});
