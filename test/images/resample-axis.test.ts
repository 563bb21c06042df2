import assert from 'node:assert/strict';
import { identityDraw, type AugmentationDraw } from '../../src/images/augmentation.js';
import { PicturePlanes } from '../../src/images/picture-planes.js';
import { cropAxes, needsAveraging, triangleAxis } from '../../src/images/resample-axis.js';
import { RandomStream } from '../../src/numeric/random.js';

const random = RandomStream.of(1, 'shrink');
const size = 20;
const picture = Uint8Array.from({ length: size * size * 3 }, () => random.integer(256));

const averaged = (source: Uint8Array, { x, y, width, height, flip }: AugmentationDraw, n: number): Float32Array => {
  const planes = new PicturePlanes(n);
  const across = triangleAxis({ start: x * size, extent: width * size, size, n, reversed: flip });
  const down = triangleAxis({ start: y * size, extent: height * size, size, n, reversed: false });
  planes.resample(source, size, across, down);
  const target = new Float32Array(n * n * 3);
  planes.normaliseInto(target, 0, [1, 1, 1], [0, 0, 0]);
  return target;
};

/** All source pixels for each output pixel, in both dimensions at once. */
const reference = (n: number, draw: AugmentationDraw): number[] => {
  const [stepX, stepY] = [(draw.width * size) / n, (draw.height * size) / n];
  return Array.from({ length: n * n * 3 }, (_, at) => {
    const [row, column, c] = [Math.floor(at / 3 / n), Math.floor(at / 3) % n, at % 3];
    const cx = draw.x * size + ((draw.flip ? n - 1 - column : column) + 0.5) * stepX;
    const cy = draw.y * size + (row + 0.5) * stepY;
    let sum = 0;
    let weights = 0;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const weight =
          Math.max(0, 1 - Math.abs(x + 0.5 - cx) / Math.max(1, stepX)) *
          Math.max(0, 1 - Math.abs(y + 0.5 - cy) / Math.max(1, stepY));
        sum += weight * picture[(y * size + x) * 3 + c]!;
        weights += weight;
      }
    }
    return sum / weights / 255;
  });
};

describe('shrinking', () => {
  it('weighs all that falls into an output pixel by a triangle, for crops anywhere, upright or mirrored', () => {
    const boxes = [
      identityDraw,
      { ...identityDraw, flip: true },
      { ...identityDraw, x: 0.13, y: 0.31, width: 0.8, height: 0.55 },
      { ...identityDraw, x: 0.4, y: 0, width: 0.6, height: 1, flip: true },
    ];
    for (const n of [1, 3, 5, 7, 11]) {
      for (const draw of boxes) {
        const target = averaged(picture, draw, n);
        const expected = reference(n, draw);
        target.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-6, `${n} px, value ${i}`));
      }
    }
  });

  it('turns the finest stripes into an even grey, which interpolation would not', () => {
    const stripes = Uint8Array.from({ length: size * size * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255);
    const target = averaged(stripes, identityDraw, 5);
    target.forEach((value) => assert.ok(Math.abs(value - 0.5) < 0.05, `${value}`));
  });

  it('has weights that sum to 1 at every pixel, and none beyond the picture', () => {
    for (const draw of [identityDraw, { ...identityDraw, x: 0.3, width: 0.7, flip: true }]) {
      for (const n of [1, 4, 13, 20, 33]) {
        for (const { first, weights, taps } of Object.values(cropAxes(draw, size, n))) {
          for (let i = 0; i < n; i++) {
            const own = weights.subarray(i * taps, (i + 1) * taps);
            assert.ok(Math.abs(own.reduce((sum, weight) => sum + weight) - 1) < 1e-12);
            own.forEach((weight, k) => assert.ok(weight >= 0 && (weight === 0 || first[i]! + k < size)));
          }
        }
      }
    }
  });

  it('begins where a side shrinks by more than a half', () => {
    assert.equal(needsAveraging(identityDraw, 128, 96), false);
    assert.equal(needsAveraging(identityDraw, 144, 96), false);
    assert.equal(needsAveraging(identityDraw, 128, 64), true);
    assert.equal(needsAveraging({ ...identityDraw, width: 0.5, height: 0.5 }, 128, 64), false);
    assert.equal(needsAveraging({ ...identityDraw, width: 0.5, height: 0.9 }, 128, 64), true);
  });
});
