/**
 * Prepares the histograms of images (`counts[image][bin]`, `edges` one longer than a row) once, so that the `q`-quantile of
 * the pooled values under image weights is a binary search over the bins: the first bin in which the pooled count reaches
 * `q * total`, linear within it. Off by less than a bin. NaN where nothing has weight.
 */
export const prepareQuantile = (
  q: number,
  edges: readonly number[],
  counts: readonly (readonly number[])[],
): ((weights: ArrayLike<number>) => number) => {
  const bins = edges.length - 1;
  const images = counts.length;
  // below[bin * images + image]: how many values of the image lie below the bin's upper edge.
  const below = new Float64Array(bins * images);
  for (let bin = 0; bin < bins; bin++) {
    for (let i = 0; i < images; i++) {
      below[bin * images + i] = counts[i]![bin]! + (bin > 0 ? below[(bin - 1) * images + i]! : 0);
    }
  }
  return (weights) => {
    const pooled = (bin: number): number => {
      let sum = 0;
      for (let i = 0, at = bin * images; i < images; i++) sum += weights[i]! * below[at + i]!;
      return sum;
    };
    const total = pooled(bins - 1);
    if (!(total > 0)) return NaN;
    let [low, high] = [0, bins - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pooled(middle) >= q * total) high = middle;
      else low = middle + 1;
    }
    const before = low > 0 ? pooled(low - 1) : 0;
    const inside = pooled(low) - before;
    const share = inside > 0 ? (q * total - before) / inside : 0;
    return edges[low]! + share * (edges[low + 1]! - edges[low]!);
  };
};
