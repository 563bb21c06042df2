import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/numeric/random.js';
import { WasmKernel } from '../../src/numeric/wasm-kernel.js';
import { flowKernelBytes, type FlowKernel } from '../../src/tracking/flow-kernel-bytes.js';
import { FlowPyramids } from '../../src/tracking/flow-pyramids.js';
import type { GreyImage } from '../../src/tracking/grey-image.js';
import { openCv } from '../../src/tracking/opencv.js';
import { OpticalFlow } from '../../src/tracking/optical-flow.js';
import type { PointList } from '../../src/tracking/point-list.js';
import { decodeFrames } from '../../src/video/decode-frames.js';
import { halfLuma } from '../../src/video/half-luma.js';
import { renderLuma, texture } from './rendered.js';

type Warp = (x: number, y: number) => readonly [number, number];

const [width, height] = [181, 133];
const look = texture(7, 6);

/** The picture whose pixel (x, y) shows the texture at `warp(x, y)`, with noise of the sensor. */
const pictureOf = (warp: Warp, noise = 0, seed = 1): GreyImage => {
  const random = RandomStream.of(seed, 'sensor');
  const at = (x: number, y: number): number =>
    look(...warp(x - 0.5, y - 0.5)) + (noise > 0 ? random.normal(0, noise) : 0);
  return { width, height, data: renderLuma(width, height, at) };
};
const still: Warp = (x, y) => [x, y];

/** Points between pixels too. */
const gridOf = (step: number, margin: number): PointList => {
  const x: number[] = [];
  const y: number[] = [];
  for (let row = margin; row < height - margin; row += step) {
    for (let column = margin; column < width - margin; column += step) {
      x.push(column + ((row * 7) % 10) / 10);
      y.push(row + ((column * 3) % 10) / 10);
    }
  }
  return { x: Float32Array.from(x), y: Float32Array.from(y) };
};

const flow = (): OpticalFlow => new OpticalFlow({ windowPx: 15, levels: 3 });

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];

/** The same by OpenCV; NaN where it lost a point. */
const openCvFlow = (first: GreyImage, second: GreyImage, { x, y }: PointList): PointList => {
  const cv = openCv();
  const mats = [first, second].map((image) => {
    const mat = new cv.Mat(image.height, image.width, cv.CV_8UC1);
    mat.data.set(image.data);
    return mat;
  });
  const points = new cv.Mat(x.length, 1, cv.CV_32FC2);
  x.forEach((value, i) => points.data32F.set([value, y[i]], 2 * i));
  const made = [new cv.Mat(), new cv.Mat(), new cv.Mat()];
  const criteria = new cv.TermCriteria(cv.TermCriteria_COUNT + cv.TermCriteria_EPS, 20, 0.01);
  const [ends, status, error] = made;
  cv.calcOpticalFlowPyrLK(mats[0], mats[1], points, ends, status, error, new cv.Size(15, 15), 3, criteria);
  const result = {
    x: x.map((_, i) => (status.data[i] === 1 ? ends.data32F[2 * i] : NaN)),
    y: y.map((_, i) => (status.data[i] === 1 ? ends.data32F[2 * i + 1] : NaN)),
  };
  for (const mat of [...mats, points, ...made]) mat.delete();
  return result;
};

/** Distances where both followed a point, and how many one lost and the other did not. */
const compare = (a: PointList, b: PointList): { distances: number[]; unlike: number } => {
  const distances: number[] = [];
  let unlike = 0;
  a.x.forEach((x, i) => {
    if (Number.isNaN(x) !== Number.isNaN(b.x[i])) unlike++;
    else if (!Number.isNaN(x)) distances.push(Math.hypot(x - b.x[i], a.y[i] - b.y[i]));
  });
  return { distances, unlike };
};

describe('Optical flow', () => {
  for (const [name, to, limit] of [
    ['a shift by a fraction of a pixel', (x, y) => [x + 0.37, y - 0.61], 0.02],
    ['a shift beyond the window', (x, y) => [x + 17.3, y - 11.8], 0.02],
    ['a zoom by 4 %', (x, y) => [(x - width / 2) * 1.04 + width / 2, (y - height / 2) * 1.04 + height / 2], 0.12],
    [
      'a turn by 2 degrees',
      (x, y) => {
        const [dx, dy] = [x - width / 2, y - height / 2];
        const [c, s] = [Math.cos(Math.PI / 90), Math.sin(Math.PI / 90)];
        return [width / 2 + c * dx - s * dy, height / 2 + s * dx + c * dy];
      },
      0.12,
    ],
  ] as const satisfies readonly (readonly [string, Warp, number])[]) {
    it(`follows ${name} to ${limit} pixels at the median`, () => {
      // The second picture shows at `to(p)` what the first shows at `p`.
      const second = pictureOf(inverse(to));
      const points = gridOf(9, 28);
      const missesOf = (ends: PointList): number[] =>
        Array.from(points.x, (x, i) => {
          const [u, v] = to(x, points.y[i]);
          return Math.hypot(ends.x[i] - u, ends.y[i] - v);
        });
      const misses = missesOf(flow().follow(pictureOf(still), second, points));
      assert.ok(misses.every((miss) => !Number.isNaN(miss)));
      assert.ok(quantile(misses, 0.5) < limit, `${quantile(misses, 0.5)}`);
      const reference = missesOf(openCvFlow(pictureOf(still), second, points));
      for (const share of [0.5, 0.9]) {
        const [ours, theirs] = [misses, reference].map((values) => quantile(values, share));
        assert.ok(ours <= 1.05 * theirs + 0.002, `${ours}, OpenCV ${theirs}`);
      }
    });
  }

  it('ends where that of OpenCV does, and loses what that loses, up to the border', () => {
    const points = gridOf(4, 0);
    for (const shift of [0.4, 5.3]) {
      const first = pictureOf(still, 3, 1);
      const second = pictureOf((x, y) => [x - shift, 1.01 * y + shift / 2], 3, 2);
      const { distances, unlike } = compare(flow().follow(first, second, points), openCvFlow(first, second, points));
      assert.ok(quantile(distances, 0.5) < 0.003, `${quantile(distances, 0.5)}`);
      assert.ok(quantile(distances, 0.95) < 0.05, `${quantile(distances, 0.95)}`);
      assert.ok(unlike <= 0.01 * points.x.length, `${unlike} of ${points.x.length}`);
    }
  });

  it('ends where that of OpenCV does on a real clip', async function () {
    const file = path.resolve('../shared/data/video/clips/otb__Basketball.mp4');
    if (!existsSync(file)) {
      console.log(`      skipped: no ${file}`);
      return this.skip();
    }
    const images: GreyImage[] = [];
    for await (const frame of decodeFrames(file)) {
      const half = halfLuma(frame);
      images.push({ width: half.width, height: half.height, data: half.y });
      if (images.length > 4) break;
    }
    const points = gridOf(6, 4);
    const [first, , second] = images;
    const { distances, unlike } = compare(flow().follow(first, second, points), openCvFlow(first, second, points));
    assert.ok(distances.length > 0.8 * points.x.length);
    assert.ok(quantile(distances, 0.5) < 0.002, `${quantile(distances, 0.5)}`);
    assert.ok(quantile(distances, 0.9) < 0.02, `${quantile(distances, 0.9)}`);
    assert.ok(unlike <= 0.02 * points.x.length, `${unlike} of ${points.x.length}`);
  });

  it('loses a point without texture, one with an edge only, and one that leaves; NaN stays NaN', () => {
    const plain: GreyImage = { width, height, data: new Uint8Array(width * height).fill(90) };
    const edge: GreyImage = { width, height, data: renderLuma(width, height, (x) => (x < 90 ? 30 : 200)) };
    const at = { x: Float32Array.of(90, NaN, -40), y: Float32Array.of(60, NaN, 60) };
    for (const image of [plain, edge]) {
      const { x, y } = flow().follow(image, image, at);
      assert.ok([...x, ...y].every(Number.isNaN));
    }
    const picture = pictureOf(still);
    const held = flow().follow(picture, picture, at);
    assert.ok(Math.hypot(held.x[0] - 90, held.y[0] - 60) < 1e-3);
    assert.ok(Number.isNaN(held.x[1]) && Number.isNaN(held.x[2]));
  });

  it('does not depend on what was followed before, on other sizes, or on how many images came between', () => {
    const pictures = Array.from({ length: 15 }, (_, t) => pictureOf((x, y) => [x - 0.8 * t, y + 0.3 * t], 1, t));
    const points = gridOf(11, 20);
    const wanted = flow().follow(pictures[0], pictures[1], points);
    const used = flow();
    const small: GreyImage = { width: 20, height: 17, data: renderLuma(20, 17, look) };
    for (let t = 1; t < pictures.length; t++) used.follow(pictures[t - 1], pictures[t], points);
    assert.deepEqual(used.follow(pictures[0], pictures[1], points), wanted);
    assert.deepEqual(used.follow(pictures[0], pictures[1], points), wanted);
    const [centre] = [{ x: Float32Array.of(10), y: Float32Array.of(8) }];
    assert.ok(Math.abs(used.follow(small, small, centre).x[0] - 10) < 1e-3);
    assert.deepEqual(used.follow(pictures[0], pictures[1], points), wanted);
  });

  it('says what is wrong with an option or an image', () => {
    assert.throws(
      () => new OpticalFlow({ windowPx: 16, levels: 3 }),
      /Expected `windowPx` to be an odd number from 3 to 15, got `16`/,
    );
    assert.throws(
      () => new OpticalFlow({ windowPx: 15, levels: -1 }),
      /Expected `levels` to be a whole number of at least 0/,
    );
    const other: GreyImage = { width: 20, height: 20, data: new Uint8Array(400) };
    assert.throws(
      () => flow().follow(pictureOf(still), other, gridOf(20, 20)),
      /two images of one size, got 181 x 133 and 20 x 20/,
    );
  });
});

describe('Pyramids for optical flow', () => {
  it('are blurred by 1 4 6 4 1 and halved, with the gradients of Scharr, mirrored at the border, as plain loops have them', () => {
    const kernel = new WasmKernel<FlowKernel>(flowKernelBytes);
    const pyramids = new FlowPyramids(kernel, 2, 3, 15);
    const image = pictureOf(still, 5);
    const table = pyramids.of(image);
    assert.equal(pyramids.levels, 4);
    let level: Level = { width, height, data: Float64Array.from(image.data) };
    for (let k = 0; k < pyramids.levels; k++) {
      if (k > 0) level = halvedLevel(level);
      const [columns, rows, stride] = kernel.ints.subarray(pyramids.sizes / 4 + 3 * k);
      assert.deepEqual([columns, rows], [level.width, level.height]);
      const planes = [0, 1, 2].map((plane) => kernel.ints[table / 4 + 3 * k + plane]);
      const values = new Int16Array(kernel.bytes.buffer);
      const at = mirroredReader(level);
      for (let y = -3; y < rows + 3; y++) {
        for (let x = -3; x < columns + 3; x++) {
          const read = planes.map((plane) => values[(plane + y * stride) / 2 + x]);
          // Each level rounds to 1/32 a few times.
          const allowed = k === 0 ? 0 : 2 * k;
          const inside = x >= 0 && y >= 0 && x < columns && y < rows;
          const gx = inside ? scharr((i, j) => at(x + i, y + j)) : 0;
          const gy = inside ? scharr((i, j) => at(x + j, y + i)) : 0;
          [32 * at(x, y), gx, gy].forEach((wanted, plane) => {
            assert.ok(
              Math.abs(read[plane] - wanted) <= allowed,
              `level ${k}, (${x}, ${y}), plane ${plane}: ${read[plane]}, expected ${wanted}`,
            );
          });
        }
      }
    }
  });

  it('are made once as long as they are kept, and the least recent goes first', () => {
    const kernel = new WasmKernel<FlowKernel>(flowKernelBytes);
    const pyramids = new FlowPyramids(kernel, 2, 3, 15);
    const [a, b, c] = [1, 2, 3].map((seed) => pictureOf(still, 2, seed));
    const [first, second] = [pyramids.of(a), pyramids.of(b)];
    assert.notEqual(first, second);
    assert.equal(pyramids.of(a), first);
    assert.equal(pyramids.of(c), second);
    const { length } = kernel.bytes;
    for (let t = 0; t < 20; t++) pyramids.of({ ...a });
    assert.equal(kernel.bytes.length, length);
  });
});

type Level = { width: number; height: number; data: Float64Array };

const mirroredReader =
  ({ width, height, data }: Level) =>
  (x: number, y: number): number => {
    const mirror = (i: number, n: number): number => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i);
    return data[mirror(y, height) * width + mirror(x, width)];
  };

const halvedLevel = (level: Level): Level => {
  const at = mirroredReader(level);
  const [columns, rows] = [(level.width + 1) >> 1, (level.height + 1) >> 1];
  const weights = [1, 4, 6, 4, 1];
  const data = new Float64Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      weights.forEach((down, j) =>
        weights.forEach((across, i) => {
          data[y * columns + x] += (down * across * at(2 * x + i - 2, 2 * y + j - 2)) / 256;
        }),
      );
    }
  }
  return { width: columns, height: rows, data };
};

/** `3 10 3` across and `-1 0 1` along the first axis. */
const scharr = (at: (along: number, across: number) => number): number =>
  [3, 10, 3].reduce((sum, weight, k) => sum + weight * (at(1, k - 1) - at(-1, k - 1)), 0);

/** Of a map that is affine. */
const inverse = (map: Warp): Warp => {
  const [e, f] = map(0, 0);
  const [a, c] = [map(1, 0)[0] - e, map(1, 0)[1] - f];
  const [b, d] = [map(0, 1)[0] - e, map(0, 1)[1] - f];
  const determinant = a * d - b * c;
  return (x, y) => [(d * (x - e) - b * (y - f)) / determinant, (a * (y - f) - c * (x - e)) / determinant];
};
