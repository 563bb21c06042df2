import assert from 'node:assert/strict';
import { identityDraw } from '../../src/images/augmentation.js';
import { gaussianKernel } from '../../src/images/gaussian-kernel.js';
import { PicturePlanes } from '../../src/images/picture-planes.js';
import { cropAxes } from '../../src/images/resample-axis.js';
import { RandomStream } from '../../src/numeric/random.js';
import {
  slowBlur,
  slowBrightness,
  slowContrast,
  slowGrey,
  slowHue,
  slowMeanGrey,
  slowResample,
  slowSaturation,
  slowSolarize,
} from './slow-renderer.js';

/** Rows of whole vectors and others. */
const sizes = [1, 2, 3, 4, 5, 8, 11, 18];

/** Some pixels of one value, pure colours and ties between channels; the rest at random. */
const bytesOf = (n: number): Uint8Array => {
  const random = RandomStream.of(n, 'planes');
  const bytes = Uint8Array.from({ length: n * n * 3 }, () => random.integer(256));
  bytes.set([90, 90, 90, 255, 0, 0, 0, 255, 255, 7, 200, 200, 0, 0, 0, 255, 255, 255].slice(0, bytes.length));
  return bytes;
};
const fractions = (bytes: Uint8Array): Float64Array => Float64Array.from(bytes, (byte) => byte / 255);

const planesOf = (bytes: Uint8Array, n: number): PicturePlanes => {
  const planes = new PicturePlanes(n);
  const { across, down } = cropAxes(identityDraw, n, n);
  planes.resample(bytes, n, across, down);
  return planes;
};

/** As `[n, n, 3]`, from the third value of an array on, whose others must stay as they are. */
const valuesOf = (planes: PicturePlanes, n: number): Float32Array => {
  const target = new Float32Array(n * n * 3 + 5).fill(-7);
  planes.normaliseInto(target, 2, [1, 1, 1], [0, 0, 0]);
  assert.deepEqual([...target.subarray(0, 2), ...target.subarray(-3)], [-7, -7, -7, -7, -7]);
  return target.subarray(2, -3);
};

const assertNear = (values: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.equal(values.length, expected.length);
  for (let i = 0; i < values.length; i++) {
    const apart = Math.abs(values[i]! - expected[i]!);
    assert.ok(apart <= tolerance, `${what}, value ${i}: ${values[i]} for ${expected[i]}`);
  }
};

describe('a picture in planes', () => {
  type Step = readonly [
    name: string,
    change: (planes: PicturePlanes) => void,
    slow: (picture: Float64Array) => Float64Array,
  ];
  const factors = [0, 0.2, 0.7, 1, 1.3, 1.8];
  const steps: readonly Step[] = [
    ...factors.flatMap((f): Step[] => [
      [`brightness ${f}`, (planes) => planes.adjustBrightness(f), (picture) => slowBrightness(picture, f)],
      [`contrast ${f}`, (planes) => planes.adjustContrast(f), (picture) => slowContrast(picture, f)],
      [`saturation ${f}`, (planes) => planes.adjustSaturation(f), (picture) => slowSaturation(picture, f)],
    ]),
    ...[-0.5, -0.3, -1 / 6, 0, 0.01, 1 / 3, 0.5].map((turns): Step => [
      `hue ${turns}`,
      (planes) => planes.adjustHue(turns),
      (picture) => slowHue(picture, turns),
    ]),
    ['grey', (planes) => planes.turnGrey(), slowGrey],
    ...[0, 0.4999, 1].map((threshold): Step => [
      `solarize ${threshold}`,
      (planes) => planes.solarize(threshold),
      (picture) => slowSolarize(picture, threshold),
    ]),
  ];

  it('is changed by every colour step as slow loops change it, at every size', () => {
    for (const n of sizes) {
      const bytes = bytesOf(n);
      for (const [name, change, slow] of steps) {
        const planes = planesOf(bytes, n);
        change(planes);
        assertNear(valuesOf(planes, n), slow(fractions(bytes)), 1e-6, `${name} at ${n} px`);
      }
    }
  });

  it('is changed by one step after another, in either order', () => {
    const n = 11;
    const bytes = bytesOf(n);
    const [a, b] = [planesOf(bytes, n), fractions(bytes)];
    a.adjustHue(0.2);
    a.adjustContrast(1.4);
    a.adjustSaturation(0.6);
    assertNear(valuesOf(a, n), slowSaturation(slowContrast(slowHue(b, 0.2), 1.4), 0.6), 2e-6, 'hue first');
    const c = planesOf(bytes, n);
    c.adjustSaturation(0.6);
    c.adjustBrightness(1.2);
    c.adjustContrast(1.4);
    c.adjustHue(0.2);
    const slow = slowHue(slowContrast(slowBrightness(slowSaturation(b, 0.6), 1.2), 1.4), 0.2);
    assertNear(valuesOf(c, n), slow, 2e-6, 'saturation first');
  });

  it('has the mean grey of its pixels alone, though rows are padded', () => {
    for (const n of [...sizes, 97]) {
      const bytes = bytesOf(n);
      const planes = planesOf(bytes, n);
      assert.ok(Math.abs(planes.meanGrey() - slowMeanGrey(fractions(bytes))) < 2e-7, `${n} px`);
    }
  });

  it('keeps a hue that is turned there and back, or all the way round', () => {
    const n = 9;
    const bytes = bytesOf(n);
    for (const turns of [
      [0.3, -0.3],
      [0.5, 0.5],
      [0.25, 0.25, 0.25, 0.25],
    ]) {
      const planes = planesOf(bytes, n);
      for (const turn of turns) planes.adjustHue(turn);
      assertNear(valuesOf(planes, n), fractions(bytes), 2e-6, `${turns}`);
    }
  });

  it('is blurred as by a slow sum over both dimensions, mirrored at the border, for every length of kernel', () => {
    for (const [n, sigma] of [
      [2, 0.3],
      [5, 0.5],
      [9, 0.25],
      [11, 0.8],
      [16, 1.3],
      [17, 2],
      [21, 0.86],
      [36, 4.2],
    ] as const) {
      const bytes = bytesOf(n);
      const planes = planesOf(bytes, n);
      planes.blur(gaussianKernel(sigma));
      assertNear(valuesOf(planes, n), slowBlur(fractions(bytes), gaussianKernel(sigma)), 1e-6, `${sigma} at ${n} px`);
    }
  });

  it('is blurred again and again from where it is, and not at all by a kernel of one tap', () => {
    const n = 13;
    const bytes = bytesOf(n);
    const planes = planesOf(bytes, n);
    let slow = fractions(bytes);
    for (const sigma of [1, 0.1, 0.6, 1]) {
      planes.blur(gaussianKernel(sigma));
      slow = slowBlur(slow, gaussianKernel(sigma));
      assertNear(valuesOf(planes, n), slow, 2e-6, `${sigma}`);
    }
  });

  it('is refused a blur that reaches beyond its mirror image', () => {
    assert.throws(
      () => planesOf(bytesOf(4), 4).blur([0.2, 0.1, 0.1, 0.1, 0.1]),
      /Expected .*4 px, got a radius of 4 px/,
    );
  });

  it('is normalised by channel', () => {
    const n = 3;
    const bytes = bytesOf(n);
    const target = new Float32Array(n * n * 3);
    planesOf(bytes, n).normaliseInto(target, 0, [2, 3, 4], [-1, -2, -3]);
    const expected = fractions(bytes).map((value, i) => (2 + (i % 3)) * value - 1 - (i % 3));
    assertNear(target, expected, 1e-6, 'normalised');
  });

  it('is begun anew by the next one of the thread, of whatever size, whatever was left in memory', () => {
    for (const n of [36, 1, 21, 5, 200, 3]) {
      const bytes = bytesOf(n);
      const planes = planesOf(bytes, n);
      planes.adjustContrast(0.5);
      planes.blur(gaussianKernel(0.2));
      assertNear(valuesOf(planes, n), slowContrast(fractions(bytes), 0.5), 1e-6, `${n} px`);
    }
  });

  it('is multiplied on the way in, and clipped where that is above 1', () => {
    const n = 7;
    const draw = { ...identityDraw, x: 0.1, y: 0.2, width: 0.6, height: 0.7 };
    for (const size of [7, 40]) {
      const bytes = bytesOf(size);
      const { across, down } = cropAxes(draw, size, n);
      const planes = new PicturePlanes(n);
      planes.resample(bytes, size, across, down, 1.7);
      assertNear(valuesOf(planes, n), slowResample(bytes, size, across, down, 1.7), 1e-6, `${size} px`);
    }
  });
});
