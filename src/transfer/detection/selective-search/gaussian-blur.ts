/** The weights of a Gaussian from the centre outwards, so that centre + twice the others is 1. */
const halfKernel = (sigma: number): Float64Array => {
  const radius = Math.max(3, Math.ceil(3 * sigma));
  const weights = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
  const total = weights.reduce((sum, weight, i) => sum + (i === 0 ? weight : 2 * weight), 0);
  return weights.map((weight) => weight / total);
};

/**
 * A plane of `width * height` values smoothed by a Gaussian of standard deviation `sigma` pixels, cut off at three of them (at
 * least 3 pixels); beyond the border the outermost value goes on, as in Felzenszwalb & Huttenlocher's code.
 */
export const gaussianBlur = (plane: Uint8Array, width: number, height: number, sigma: number): Float32Array => {
  const kernel = halfKernel(sigma);
  const radius = kernel.length - 1;
  const across = new Float32Array(width * height);
  const line = new Float32Array(width + 2 * radius);
  const [k0, k1, k2, k3] = kernel;
  for (let y = 0, at = 0; y < height; y++, at += width) {
    line.fill(plane[at], 0, radius);
    line.set(plane.subarray(at, at + width), radius);
    line.fill(plane[at + width - 1], radius + width);
    for (let x = 0, centre = radius; x < width; x++, centre++) {
      let sum =
        k0 * line[centre] +
        k1 * (line[centre - 1] + line[centre + 1]) +
        k2 * (line[centre - 2] + line[centre + 2]) +
        k3 * (line[centre - 3] + line[centre + 3]);
      for (let i = 4; i <= radius; i++) sum += kernel[i] * (line[centre - i] + line[centre + i]);
      across[at + x] = sum;
    }
  }
  const blurred = new Float32Array(width * height);
  const last = (height - 1) * width;
  for (let y = 0, at = 0; y < height; y++, at += width) {
    const u1 = Math.max(0, at - width);
    const u2 = Math.max(0, at - 2 * width);
    const u3 = Math.max(0, at - 3 * width);
    const d1 = Math.min(last, at + width);
    const d2 = Math.min(last, at + 2 * width);
    const d3 = Math.min(last, at + 3 * width);
    for (let x = 0; x < width; x++) {
      blurred[at + x] =
        k0 * across[at + x] +
        k1 * (across[u1 + x] + across[d1 + x]) +
        k2 * (across[u2 + x] + across[d2 + x]) +
        k3 * (across[u3 + x] + across[d3 + x]);
    }
    for (let i = 4; i <= radius; i++) {
      const up = Math.max(0, at - i * width);
      const down = Math.min(last, at + i * width);
      for (let x = 0; x < width; x++) blurred[at + x] += kernel[i] * (across[up + x] + across[down + x]);
    }
  }
  return blurred;
};
