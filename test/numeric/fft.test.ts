import assert from 'node:assert/strict';
import { FourierPlan, nextFastLength } from '../../src/numeric/fft.js';
import { FourierPlan2 } from '../../src/numeric/fft2.js';
import { RandomStream } from '../../src/numeric/random.js';

const noise = (length: number, label: string): Float64Array => {
  const random = RandomStream.of(3, label);
  return Float64Array.from({ length }, () => random.normal());
};

const close = (got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-10): void => {
  assert.equal(got.length, wanted.length);
  for (let i = 0; i < got.length; i++) {
    assert.ok(Math.abs(got[i] - wanted[i]) < tolerance, `value ${i}: expected ${wanted[i]}, got ${got[i]}`);
  }
};

/** `X[k] = sum_n x[n] exp(-2 pi i k n / N)` along the middle axis, term by term. */
const naive = (
  re: Float64Array,
  im: Float64Array,
  outer: number,
  length: number,
  inner: number,
): [Float64Array, Float64Array] => {
  const outRe = new Float64Array(re.length);
  const outIm = new Float64Array(re.length);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      for (let n = 0; n < length; n++) {
        const angle = (-2 * Math.PI * ((k * n) % length)) / length;
        for (let q = 0; q < inner; q++) {
          const from = (o * length + n) * inner + q;
          const to = (o * length + k) * inner + q;
          outRe[to] += re[from] * Math.cos(angle) - im[from] * Math.sin(angle);
          outIm[to] += re[from] * Math.sin(angle) + im[from] * Math.cos(angle);
        }
      }
    }
  }
  return [outRe, outIm];
};

describe('Fourier transform', () => {
  for (const length of [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 24, 25, 30, 32, 45, 60]) {
    it(`agrees with the sum it is defined by at length ${length}`, () => {
      const [outer, inner] = [2, 3];
      const re = noise(outer * length * inner, 're');
      const im = noise(outer * length * inner, 'im');
      const wanted = naive(re, im, outer, length, inner);
      const work = [new Float64Array(re.length), new Float64Array(re.length)];
      new FourierPlan(length).transform(re, im, work[0], work[1], outer, inner);
      close(re, wanted[0]);
      close(im, wanted[1]);
    });
  }

  it('comes back from two dimensions and several channels', () => {
    const plan = new FourierPlan2(12, 20, 4);
    const re = noise(12 * 20 * 4, 're');
    const im = noise(12 * 20 * 4, 'im');
    const kept = [re.slice(), im.slice()];
    plan.forward(re, im);
    assert.ok(Math.abs(re[5] - kept[0][5]) > 1e-3);
    plan.inverse(re, im);
    close(re, kept[0]);
    close(im, kept[1]);
  });

  it('turns a shift into the right place of the correlation peak', () => {
    const plan = new FourierPlan2(8, 10, 1);
    const x = noise(80, 'image');
    const shifted = Float64Array.from(
      x,
      (_, i) => x[((Math.floor(i / 10) + 8 - 2) % 8) * 10 + (((i % 10) + 10 - 3) % 10)],
    );
    const [xi, si] = [new Float64Array(80), new Float64Array(80)];
    plan.forward(x, xi);
    plan.forward(shifted, si);
    const re = x.map((value, i) => value * shifted[i] + xi[i] * si[i]);
    const im = x.map((value, i) => value * si[i] - xi[i] * shifted[i]);
    plan.inverse(re, im);
    assert.equal(re.indexOf(Math.max(...re)), 2 * 10 + 3);
  });

  it('says which lengths it takes', () => {
    assert.deepEqual([1, 7, 11, 13, 17, 23, 31].map(nextFastLength), [1, 8, 12, 15, 18, 24, 32]);
    assert.throws(() => new FourierPlan(14), /Expected `length` to be a product of 2, 3 and 5, got `14` \(number\)/);
    assert.throws(() => new FourierPlan(0), RangeError);
  });
});
