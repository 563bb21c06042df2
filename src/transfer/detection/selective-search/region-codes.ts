import type { ColourPlanes } from './colour-spaces.js';

/** Bins of a colour channel's histogram (Uijlings et al. 2013, 3.2). */
export const colourBins = 25;
/** Bins of the histogram of one half-rectified derivative. */
const textureBins = 10;
/** Orientations of the derivatives, each in its positive and its negative half: the paper's eight. */
const orientations = 4;

/**
 * Which bins of a region's histograms each pixel falls into: pixel i into `codes[i * perPixel]` … `codes[(i + 1) * perPixel - 1]`. A row of
 * histograms has, for every channel, 25 bins of colour, and then for every channel and orientation 10 bins of the derivative's
 * positive half and 10 of its negative half. `colourLength` and `rowLength` count bins.
 */
export type RegionCodes = {
  readonly codes: Uint16Array;
  readonly channels: number;
  readonly perPixel: number;
  readonly colourLength: number;
  readonly rowLength: number;
};

/**
 * Derivatives of a smoothed plane to the right and downwards, by Sobel's operator over 8, the outermost pixels repeated: on a plane
 * smoothed with 0.8 it is, but for third orders, the derivative of a Gaussian of standard deviation `sqrt(0.8^2 + 0.5) = 1.07`.
 */
export const smoothDerivatives = (
  plane: Float32Array,
  width: number,
  height: number,
): { right: Float32Array; down: Float32Array } => {
  const right = new Float32Array(width * height);
  const down = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const here = y * width;
    const above = Math.max(0, y - 1) * width;
    const below = Math.min(height - 1, y + 1) * width;
    for (let x = 0; x < width; x++) {
      const w = x === 0 ? 0 : x - 1;
      const e = x === width - 1 ? x : x + 1;
      const a = plane[below + e] - plane[above + w];
      const b = plane[above + e] - plane[below + w];
      right[here + x] = (a + b + 2 * (plane[here + e] - plane[here + w])) / 8;
      down[here + x] = (a - b + 2 * (plane[below + x] - plane[above + x])) / 8;
    }
  }
  return { right, down };
};

/** Bins to a unit of derivative, for each half of each orientation, so that the image's extreme falls into the last bin. */
const binScales = (right: Float32Array, down: Float32Array): Float64Array => {
  const extremes = new Float64Array(2 * orientations);
  let [r0, r1, d0, d1, s0, s1, t0, t1] = extremes;
  for (let i = 0; i < right.length; i++) {
    const r = right[i];
    const d = down[i];
    const s = r + d;
    const t = d - r;
    if (r > r0) r0 = r;
    if (r < r1) r1 = r;
    if (d > d0) d0 = d;
    if (d < d1) d1 = d;
    if (s > s0) s0 = s;
    if (s < s1) s1 = s;
    if (t > t0) t0 = t;
    if (t < t1) t1 = t;
  }
  extremes.set([r0, r1, d0, d1, s0, s1, t0, t1]);
  return extremes.map((extreme) => (extreme === 0 ? 0 : (textureBins * (1 - 1e-6)) / Math.abs(extreme)));
};

/**
 * The bins of colour and texture of every pixel. Texture (Uijlings et al. 2013, 3.2): Gaussian derivatives of standard deviation 1 in eight
 * directions for each channel, 10 bins each. The derivatives along the diagonals are `(right ± down) / sqrt(2)`, exactly so for Gaussians,
 * where the released code and OpenCV turn the image by 45 degrees and back; opposite directions are the two halves of one derivative.
 * As in both, each half is scaled by its extreme in the image. `smoothed`: the planes of `colour` after a Gaussian of 0.8.
 */
export const codeRegions = (colour: ColourPlanes, smoothed: readonly Float32Array[]): RegionCodes => {
  const { width, height, planes } = colour;
  const channels = planes.length;
  const perPixel = channels * (1 + orientations);
  const colourLength = channels * colourBins;
  const rowLength = colourLength + channels * orientations * 2 * textureBins;
  const codes = new Uint16Array(width * height * perPixel);
  for (let channel = 0; channel < channels; channel++) {
    const plane = planes[channel];
    const colourBase = channel * colourBins;
    for (let i = 0, at = channel; i < plane.length; i++, at += perPixel) {
      codes[at] = colourBase + ((plane[i] * colourBins) >> 8);
    }
    const { right, down } = smoothDerivatives(smoothed[channel], width, height);
    const [r0, r1, d0, d1, s0, s1, t0, t1] = binScales(right, down);
    const base = colourLength + channel * orientations * 2 * textureBins;
    const half = textureBins;
    for (let i = 0, at = channels + channel * orientations; i < right.length; i++, at += perPixel) {
      const r = right[i];
      const d = down[i];
      const s = r + d;
      const t = d - r;
      codes[at] = base + (r >= 0 ? r * r0 : half - r * r1);
      codes[at + 1] = base + 2 * half + (d >= 0 ? d * d0 : half - d * d1);
      codes[at + 2] = base + 4 * half + (s >= 0 ? s * s0 : half - s * s1);
      codes[at + 3] = base + 6 * half + (t >= 0 ? t * t0 : half - t * t1);
    }
  }
  return { codes, channels, perPixel, colourLength, rowLength };
};

/**
 * Histograms of colour and texture of each segment, a row of `rowLength` for each; the colour part and the texture part each add up to 1. A pixel
 * whose derivative is negative counts as 0 in the positive half, and the other way round.
 */
export const regionHistograms = (
  { codes, channels, perPixel, colourLength, rowLength }: RegionCodes,
  labels: Int32Array,
  sizes: Int32Array,
): Float32Array => {
  const counts = new Int32Array(sizes.length * rowLength);
  for (let i = 0, at = 0; i < labels.length; i++) {
    const row = labels[i] * rowLength;
    for (const end = at + perPixel; at < end; at++) counts[row + codes[at]]++;
  }
  const histograms = new Float32Array(counts.length);
  for (let region = 0, row = 0; region < sizes.length; region++, row += rowLength) {
    const size = sizes[region];
    for (let half = row + colourLength; half < row + rowLength; half += textureBins) {
      let others = 0;
      for (let bin = 1; bin < textureBins; bin++) others += counts[half + bin];
      counts[half] = size - others;
    }
    const ofColour = 1 / (size * channels);
    const ofTexture = 1 / (size * channels * orientations * 2);
    for (let bin = 0; bin < rowLength; bin++) {
      histograms[row + bin] = counts[row + bin] * (bin < colourLength ? ofColour : ofTexture);
    }
  }
  return histograms;
};
