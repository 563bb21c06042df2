/** Colours to choose from: points `[count, 2]` of the ab plane, row-major, and the share of the data that lies nearest to each. */
export type ColourBins = { readonly count: number; readonly points: Float32Array; readonly priors: Float32Array };

/**
 * The bins that data fall into: a lattice over the ab plane at multiples of `size`, each point with the colours nearest to it; those
 * that hold none are left out (Zhang et al. 2016, 2.1; Goyal et al. 2019 vary the size: 5, 10, 15, 20). The released script for
 * `size` 10 counts from -128 in steps and takes the lower corners for the points, which shifts every colour by half a bin.
 *
 * @param ab colours `[count, 2]`, row-major
 */
export function occupiedBins(ab: Float32Array, size: number): ColourBins {
  const counts = new Map<number, number>();
  // Of a in the high part, of b in the low one: in order of a, then b.
  const radius = Math.ceil(256 / size);
  const side = 2 * radius + 1;
  const cell = (value: number): number => Math.min(Math.max(Math.round(value / size), -radius), radius) + radius;
  for (let i = 0; i < ab.length; i += 2) {
    const bin = cell(ab[i]!) * side + cell(ab[i + 1]!);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const bins = [...counts.keys()].sort((a, b) => a - b);
  const points = new Float32Array(bins.length * 2);
  bins.forEach((bin, i) => {
    points[2 * i] = (Math.floor(bin / side) - radius) * size;
    points[2 * i + 1] = ((bin % side) - radius) * size;
  });
  return {
    count: bins.length,
    points,
    priors: Float32Array.from(bins, (bin) => counts.get(bin)! / (ab.length / 2)),
  };
}

/** How a colour becomes a distribution over bins. */
export type SoftEncoding = {
  /** Nearest bins that share a colour. */
  readonly nearest: number;
  /** Standard deviation of the Gaussian that weighs them, in units of ab. */
  readonly sigma: number;
};

/**
 * Each colour as a distribution over the bins: its `nearest` bins, weighed by a Gaussian of their distance (Zhang et al. 2016, 2.1:
 * nearest 10 as released, sigma 5). Of two bins equally far the one of lower number counts as nearer.
 *
 * @param ab colours `[rows, 2]`, row-major
 * @returns `[rows, bins.count]`, row-major; rows sum to 1
 */
export function encodeColours(
  ab: Float32Array,
  { count, points }: ColourBins,
  { nearest, sigma }: SoftEncoding,
): Float32Array {
  const rows = ab.length / 2;
  const codes = new Float32Array(rows * count);
  const kept = Math.min(nearest, count);
  const distances = new Float64Array(kept);
  const bins = new Int32Array(kept);
  for (let row = 0; row < rows; row++) {
    const [a, b] = [ab[2 * row]!, ab[2 * row + 1]!];
    distances.fill(Infinity);
    for (let bin = 0; bin < count; bin++) {
      const [da, db] = [a - points[2 * bin]!, b - points[2 * bin + 1]!];
      const distance = da * da + db * db;
      if (distance >= distances[kept - 1]!) continue;
      let at = kept - 1;
      for (; at > 0 && distances[at - 1]! > distance; at--) {
        distances[at] = distances[at - 1]!;
        bins[at] = bins[at - 1]!;
      }
      distances[at] = distance;
      bins[at] = bin;
    }
    // Less the smallest, which cancels and keeps a colour far from all bins from dividing 0 by 0.
    let sum = 0;
    for (let k = 0; k < kept; k++) sum += Math.exp((distances[0]! - distances[k]!) / (2 * sigma * sigma));
    for (let k = 0; k < kept; k++) {
      codes[row * count + bins[k]!] = Math.exp((distances[0]! - distances[k]!) / (2 * sigma * sigma)) / sum;
    }
  }
  return codes;
}

/**
 * How much a colour of each bin counts: `w_q = 1 / ((1 - lambda) p_q + lambda / Q)`, scaled so that the mean over the data is 1 (Zhang
 * et al. 2016, eq. 4). The grey that most of a picture is would otherwise be all there is to learn. `p` are the priors smoothed over
 * neighbouring bins by a Gaussian of `sigma`; `lambda` 1 weighs all colours alike.
 */
export function rebalancingWeights(
  { count, points, priors }: ColourBins,
  { lambda, sigma }: { readonly lambda: number; readonly sigma: number },
): Float32Array {
  const smoothed = new Float64Array(count);
  for (let from = 0; from < count; from++) {
    const near = Float64Array.from({ length: count }, (_, to) => {
      const [da, db] = [points[2 * from]! - points[2 * to]!, points[2 * from + 1]! - points[2 * to + 1]!];
      return Math.exp(-(da * da + db * db) / (2 * sigma * sigma));
    });
    const sum = near.reduce((a, b) => a + b, 0);
    // Each bin gives away its own share, so that what is smoothed still sums to 1.
    for (let to = 0; to < count; to++) smoothed[to]! += (priors[from]! * near[to]!) / sum;
  }
  const raw = smoothed.map((p) => 1 / ((1 - lambda) * p + lambda / count));
  const mean = raw.reduce((sum, weight, bin) => sum + smoothed[bin]! * weight, 0);
  return Float32Array.from(raw, (weight) => weight / mean);
}

/** The weight of each row of `codes` `[rows, bins]`: that of its largest bin (Zhang et al. 2016, eq. 3). */
export const weightsOfCodes = (codes: Float32Array, weights: Float32Array): Float32Array => {
  const count = weights.length;
  return Float32Array.from({ length: codes.length / count }, (_, row) => {
    let largest = 0;
    for (let bin = 1; bin < count; bin++) if (codes[row * count + bin]! > codes[row * count + largest]!) largest = bin;
    return weights[largest]!;
  });
};
