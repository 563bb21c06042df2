import assert from 'node:assert/strict';
import { GaussianBlur, gaussianKernel } from '../../src/images/gaussian-blur.js';
import { RandomStream } from '../../src/numeric/random.js';

/** Both dimensions at once, pixel by pixel, over a kernel that is not cut. */
const reference = (picture: Float64Array, size: number, sigma: number): Float64Array => {
  const reach = Math.ceil(8 * sigma);
  const mirrored = (at: number): number => (at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at);
  return picture.map((_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size, i % 3];
    let sum = 0;
    let weights = 0;
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const weight = Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
        sum += weight * picture[(mirrored(y + dy) * size + mirrored(x + dx)) * 3 + c]!;
        weights += weight;
      }
    }
    return sum / weights;
  });
};

const noise = (size: number): Float64Array => {
  const random = RandomStream.of(size, 'noise');
  return Float64Array.from({ length: size * size * 3 }, () => random.uniform());
};

const blurred = (picture: Float64Array, size: number, sigma: number): Float64Array => {
  const to = new Float64Array(picture.length);
  new GaussianBlur(size).blur(picture, to, gaussianKernel(sigma));
  return to;
};

describe('Gaussian blur', () => {
  it('has kernels that sum to 1 over both sides, and are a Gaussian to an eighth of a level', () => {
    for (const sigma of [0.05, 0.1, 0.3, 0.5, 0.86, 1, 1.7, 2, 4.2]) {
      const kernel = gaussianKernel(sigma);
      const sum = kernel.reduce((total, weight, k) => total + (k === 0 ? weight : 2 * weight), 0);
      assert.ok(Math.abs(sum - 1) < 1e-12, `${sigma}`);
      const whole = Array.from({ length: 101 }, (_, k) => Math.exp(-((k - 50) ** 2) / (2 * sigma * sigma)));
      const total = whole.reduce((a, b) => a + b);
      kernel.forEach((weight, k) => assert.ok(Math.abs(weight - whole[50 + k]! / total) < 1 / 2048, `${sigma} ${k}`));
    }
  });

  it('has a kernel of one tap where there is nothing to blur, and longer ones the wider it is', () => {
    assert.deepEqual(
      [0.04, 0.1, 0.2, 0.3, 0.5, 0.86].map((sigma) => gaussianKernel(sigma).length),
      [1, 1, 1, 2, 3, 4],
    );
  });

  it('spreads a single bright pixel as the outer product of the kernel with itself', () => {
    const size = 15;
    const picture = new Float64Array(size * size * 3);
    picture[(7 * size + 7) * 3 + 1] = 1;
    const kernel = gaussianKernel(0.8);
    const weight = (apart: number): number => kernel[Math.abs(apart)] ?? 0;
    blurred(picture, size, 0.8).forEach((value, i) => {
      const [y, x, c] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size, i % 3];
      const expected = c === 1 ? weight(y - 7) * weight(x - 7) : 0;
      assert.ok(Math.abs(value - expected) < 1e-12, `${x} ${y} ${c}`);
    });
  });

  it('agrees with a slow sum over both dimensions, mirrored at the border, for every length of kernel', () => {
    for (const [size, sigma] of [
      [9, 0.25],
      [9, 0.5],
      [11, 0.8],
      [14, 1.3],
      [17, 2],
    ] as const) {
      const picture = noise(size);
      const expected = reference(picture, size, sigma);
      blurred(picture, size, sigma).forEach((value, i) => {
        assert.ok(Math.abs(value - expected[i]!) < 1e-3, `sigma ${sigma}, value ${i}: ${value} for ${expected[i]}`);
      });
    }
  });

  it('leaves a plain picture plain, and can be used for one blur after another', () => {
    const blur = new GaussianBlur(8);
    const plain = new Float64Array(8 * 8 * 3).fill(0.3);
    const to = new Float64Array(plain.length);
    for (const sigma of [1, 0.3, 0.6, 1]) {
      blur.blur(plain, to, gaussianKernel(sigma));
      to.forEach((value) => assert.ok(Math.abs(value - 0.3) < 1e-12));
    }
  });
});
