import assert from 'node:assert/strict';
import { toColourSpace, type ColourSpace } from '../../../../src/transfer/detection/selective-search/colour-spaces.js';
import { paint } from './made-images.js';

const one = (space: ColourSpace, colour: readonly number[]): number[] =>
  toColourSpace(
    paint(1, 1, () => colour),
    space,
  ).planes.map((plane) => plane[0]!);

/** L*a*b* by its definition, without tables. */
const labOf = (colour: readonly number[]): number[] => {
  const [r, g, b] = colour.map((value) =>
    value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const x = f((0.412453 * r! + 0.35758 * g! + 0.180423 * b!) / 0.950456);
  const y = f(0.212671 * r! + 0.71516 * g! + 0.072169 * b!);
  const z = f((0.019334 * r! + 0.119193 * g! + 0.950227 * b!) / 1.088754);
  return [(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128];
};

describe('Colour spaces of selective search', () => {
  it('turn a third of the hue circle from red to green and from green to blue', () => {
    assert.deepEqual(one('hsv', [200, 0, 0]), [0, 255, 200]);
    assert.deepEqual(one('hsv', [0, 255, 0]), [85, 255, 255]);
    assert.deepEqual(one('hsv', [0, 0, 255]), [170, 255, 255]);
    assert.deepEqual(one('hsv', [255, 255, 0]), [42, 255, 255]);
    assert.deepEqual(one('hue', [255, 0, 1]), [255]);
  });

  it('give greys no hue and no saturation, and black no division by zero', () => {
    assert.deepEqual(one('hsv', [77, 77, 77]), [0, 0, 77]);
    assert.deepEqual(one('hsv', [0, 0, 0]), [0, 0, 0]);
    assert.deepEqual(one('rgi', [0, 0, 0]), [85, 85, 0]);
    assert.deepEqual(one('rgi', [60, 60, 60]), [85, 85, 60]);
    assert.deepEqual(one('lab', [0, 0, 0]), [0, 128, 128]);
    assert.deepEqual(one('lab', [255, 255, 255]), [255, 128, 128]);
  });

  it('know L*a*b* to one step in 8 bits', () => {
    for (let r = 0; r < 256; r += 15) {
      for (let g = 0; g < 256; g += 15) {
        for (let b = 0; b < 256; b += 15) {
          const exact = labOf([r, g, b]);
          one('lab', [r, g, b]).forEach((value, i) => assert.ok(Math.abs(value - exact[i]!) <= 1, `${r} ${g} ${b}`));
        }
      }
    }
  });

  it('treat a grey raster as the same grey in colour', () => {
    const values = Uint8Array.from([0, 5, 100, 200, 255, 31]);
    const grey = { width: 3, height: 2, channels: 1 as const, data: values };
    const colour = paint(3, 2, (x, y) => Array<number>(3).fill(values[y * 3 + x]!));
    for (const space of ['hsv', 'lab', 'rgi', 'hue', 'intensity'] as const) {
      assert.deepEqual(toColourSpace(grey, space), toColourSpace(colour, space), space);
    }
  });
});
