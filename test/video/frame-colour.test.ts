import assert from 'node:assert/strict';
import type { VideoFrame } from '../../src/video/frame.js';
import { rgbPatch, toRgb } from '../../src/video/frame-colour.js';
import { halfLuma } from '../../src/video/half-luma.js';
import { workingSize } from '../../src/video/working-size.js';

const frame = (
  width: number,
  height: number,
  luma: (x: number, y: number) => number,
  u = 128,
  v = 128,
): VideoFrame => ({
  ...{ index: 0, time: 0, width, height },
  y: Uint8Array.from({ length: width * height }, (_, i) => luma(i % width, Math.floor(i / width))),
  u: new Uint8Array((width * height) / 4).fill(u),
  v: new Uint8Array((width * height) / 4).fill(v),
});

const pixel = ({ data, width }: { data: Uint8Array; width: number }, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('colours of a frame', () => {
  it('follow BT.601 in limited range', () => {
    // Y, U, V of black, white, and the 100 % bars as the standard has them.
    const bars: [number[], number[]][] = [
      [
        [16, 128, 128],
        [0, 0, 0],
      ],
      [
        [235, 128, 128],
        [255, 255, 255],
      ],
      [
        [81, 90, 240],
        [255, 0, 0],
      ],
      [
        [145, 54, 34],
        [0, 255, 0],
      ],
      [
        [41, 240, 110],
        [0, 0, 255],
      ],
      [
        [210, 16, 146],
        [255, 255, 0],
      ],
    ];
    for (const [[y, u, v], expected] of bars) {
      const flat = frame(4, 4, () => y!, u!, v!);
      for (const raster of [toRgb(flat), rgbPatch(flat, { x: 0, y: 0, width: 4, height: 4 }, 4)]) {
        pixel(raster, 2, 1).forEach((value, i) =>
          assert.ok(Math.abs(value - expected[i]!) <= 2, `${expected} came as ${pixel(raster, 2, 1)}`),
        );
      }
    }
  });

  it('clamp what lies outside', () => {
    assert.deepEqual(pixel(toRgb(frame(2, 2, () => 0)), 0, 0), [0, 0, 0]);
    assert.deepEqual(pixel(toRgb(frame(2, 2, () => 255)), 0, 0), [255, 255, 255]);
  });

  it('are cut out pixel by pixel at whole positions and the same size', () => {
    const picture = frame(16, 12, (x, y) => 20 + 10 * x + 4 * y);
    const whole = toRgb(picture);
    const patch = rgbPatch(picture, { x: 3, y: 2, width: 8, height: 8 }, 8);
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 8; x++) assert.deepEqual(pixel(patch, x, y), pixel(whole, x + 3, y + 2));
  });

  it('are interpolated at fractional positions: a ramp stays a ramp', () => {
    const picture = frame(32, 32, (x) => 20 + 4 * x);
    const patch = rgbPatch(picture, { x: 5.5, y: 4.25, width: 10, height: 10 }, 20);
    for (let x = 0; x < 20; x++) {
      const luma = 20 + 4 * (5.5 + (x + 0.5) / 2 - 0.5);
      assert.ok(Math.abs(pixel(patch, x, 7)[0]! - (255 / 219) * (luma - 16)) <= 1, `column ${x}`);
    }
  });

  it('are averaged when shrunk: a fine chequerboard becomes grey, not aliased', () => {
    const patch = rgbPatch(
      frame(64, 64, (x, y) => ((x + y) % 2 === 0 ? 16 : 235)),
      { x: 0, y: 0, width: 64, height: 64 },
      16,
    );
    for (let i = 3; i < 13; i++) assert.ok(Math.abs(pixel(patch, i, i)[1]! - 127.5) <= 2);
  });

  it('go on at the edges', () => {
    const patch = rgbPatch(
      frame(8, 8, (x) => (x === 0 ? 235 : 16)),
      { x: -20, y: -20, width: 8, height: 8 },
      8,
    );
    assert.deepEqual(pixel(patch, 4, 4), [255, 255, 255]);
  });

  it('place chroma where its pixels are', () => {
    const picture = frame(16, 16, () => 128);
    for (let row = 0; row < 8; row++)
      for (let column = 4; column < 8; column++) (picture.v as Uint8Array)[row * 8 + column] = 200;
    const patch = rgbPatch(picture, { x: 4, y: 4, width: 8, height: 8 }, 8);
    assert.ok(pixel(patch, 0, 4)[0]! < 140 && pixel(patch, 7, 4)[0]! > 235);
    assert.ok(
      Math.abs(pixel(patch, 3, 4)[0]! + pixel(patch, 4, 4)[0]! - pixel(patch, 0, 4)[0]! - pixel(patch, 7, 4)[0]!) <= 4,
      'the step lies at x = 8',
    );
  });

  it('refuse an empty box and a size that is none', () => {
    const picture = frame(8, 8, () => 100);
    assert.throws(() => rgbPatch(picture, { x: 0, y: 0, width: 0, height: 4 }, 8), /Expected `box` to have an area/);
    assert.throws(() => rgbPatch(picture, { x: NaN, y: 0, width: 4, height: 4 }, 8), RangeError);
    assert.throws(() => rgbPatch(picture, { x: 0, y: 0, width: 4, height: 4 }, 1.5), /Expected `size`/);
  });
});

describe('luma at half the size', () => {
  it('is the rounded mean of 2 x 2, without a last odd column', () => {
    const half = halfLuma({ width: 5, height: 2, y: Uint8Array.from([1, 2, 10, 20, 9, 3, 4, 30, 41, 9]) });
    assert.deepEqual([half.width, half.height, [...half.data]], [2, 1, [3, 25]]);
  });

  it('is that at every width, and stays as it is when the next one is made', () => {
    const planes = Array.from({ length: 70 }, (_, i) => {
      const [width, height] = [i + 1, (i * 7) % 9];
      return {
        width,
        height,
        y: Uint8Array.from({ length: width * height }, (_, at) => (at * at * 31 + 97 * i) & 255),
      };
    });
    const halves = planes.map(halfLuma);
    planes.forEach(({ width, height, y }, i) => {
      const expected = [];
      for (let row = 0; row + 1 < height; row += 2) {
        for (let at = row * width; at + 1 < (row + 1) * width; at += 2) {
          expected.push((y[at]! + y[at + 1]! + y[at + width]! + y[at + width + 1]! + 2) >> 2);
        }
      }
      assert.deepEqual([...halves[i]!.data], expected, `${width} x ${height}`);
    });
  });
});

describe('the working size', () => {
  it('keeps the aspect at the area, is even and never larger than the source', () => {
    assert.deepEqual(workingSize({ width: 1920, height: 1080, pixelAspect: 1 }), { width: 690, height: 388 });
    assert.deepEqual(workingSize({ width: 320, height: 240, pixelAspect: 1 }), { width: 320, height: 240 });
    assert.deepEqual(workingSize({ width: 161, height: 121, pixelAspect: 1 }), { width: 160, height: 120 });
    assert.deepEqual(workingSize({ width: 160, height: 240, pixelAspect: 2 }), { width: 160, height: 120 });
    assert.deepEqual(workingSize({ width: 720, height: 576, pixelAspect: 0.5 }), { width: 360, height: 576 });
    assert.deepEqual(workingSize({ width: 1, height: 1, pixelAspect: 1 }), { width: 2, height: 2 });
  });
});
