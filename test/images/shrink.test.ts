import assert from 'node:assert/strict';
import { identityDraw } from '../../src/images/augmentation.js';
import { needsAveraging, shrinkInto } from '../../src/images/shrink.js';
import { RandomStream } from '../../src/numeric/random.js';

const random = RandomStream.of(1, 'shrink');
const size = 20;
const picture = Uint8Array.from({ length: size * size * 3 }, () => random.integer(256));

/** All source pixels for each output pixel, in both dimensions at once. */
const reference = (n: number, draw: typeof identityDraw): number[] => {
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
        const target = new Float64Array(n * n * 3);
        shrinkInto(target, n, picture, size, draw);
        const expected = reference(n, draw);
        target.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-12, `${n} px, value ${i}`));
      }
    }
  });

  it('turns the finest stripes into an even grey, which interpolation would not', () => {
    const stripes = Uint8Array.from({ length: size * size * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255);
    const target = new Float64Array(5 * 5 * 3);
    shrinkInto(target, 5, stripes, size, identityDraw);
    target.forEach((value) => assert.ok(Math.abs(value - 0.5) < 0.05, `${value}`));
  });

  it('begins where a side shrinks by more than a half', () => {
    assert.equal(needsAveraging(identityDraw, 128, 96), false);
    assert.equal(needsAveraging(identityDraw, 144, 96), false);
    assert.equal(needsAveraging(identityDraw, 128, 64), true);
    assert.equal(needsAveraging({ ...identityDraw, width: 0.5, height: 0.5 }, 128, 64), false);
    assert.equal(needsAveraging({ ...identityDraw, width: 0.5, height: 0.9 }, 128, 64), true);
  });
});
