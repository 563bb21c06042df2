/** Points by their coordinates, pixels. */
export type PointList = { readonly x: Float32Array; readonly y: Float32Array };

/** Median of the numbers, 0 of none; the array is sorted. */
export const sortedMedian = (values: Float64Array): number => {
  if (values.length === 0) return 0;
  values.sort();
  const half = values.length >> 1;
  return values.length % 2 === 1 ? values[half] : (values[half - 1] + values[half]) / 2;
};
