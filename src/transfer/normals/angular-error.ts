import { mean, median } from '../../numeric/statistics.js';
import type { Metric } from '../metric.js';

/** The five numbers of the normals literature (Fouhey et al. 2013), over the valid pixels of all images at once. */
export type NormalScores = {
  /** Mean and median angle between predicted and true normal, degrees. */
  readonly mean: number;
  readonly median: number;
  /** Share of pixels, in percent, that are off by less than 11.25, 22.5 and 30 degrees. */
  readonly within11: number;
  readonly within22: number;
  readonly within30: number;
};

/** What this protocol measures, in the order of the tables. */
export const normalsMetrics: readonly (Metric & { readonly name: keyof NormalScores })[] = [
  { name: 'mean', unit: 'deg', higherIsBetter: false },
  { name: 'median', unit: 'deg', higherIsBetter: false },
  { name: 'within11', unit: '%', higherIsBetter: true },
  { name: 'within22', unit: '%', higherIsBetter: true },
  { name: 'within30', unit: '%', higherIsBetter: true },
];

/**
 * Angles between predicted and true normals, `acos(p . t / (|p| |t|))` in degrees, of the valid pixels only. Pixels of several
 * images are simply one list, `[pixels, 3]`: averaging per-image values would weigh an image by its holes.
 */
export const angularErrors = (
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  valid: ArrayLike<number>,
): Float64Array => {
  if (predicted.length !== valid.length * 3 || truth.length !== valid.length * 3) {
    throw new RangeError(
      `Expected three values a pixel for ${valid.length} pixels, got ${predicted.length} predicted and ${truth.length} true`,
    );
  }
  const errors = new Float64Array(valid.length);
  let count = 0;
  for (let i = 0; i < valid.length; i++) {
    if (!valid[i]) continue;
    let product = 0;
    let lengths = 1;
    for (const side of [predicted, truth]) lengths *= Math.hypot(side[i * 3]!, side[i * 3 + 1]!, side[i * 3 + 2]!);
    for (let c = 0; c < 3; c++) product += predicted[i * 3 + c]! * truth[i * 3 + c]!;
    // A prediction of no direction at all is a right angle off everything.
    const cosine = lengths > 0 ? Math.min(1, Math.max(-1, product / lengths)) : 0;
    errors[count++] = (Math.acos(cosine) * 180) / Math.PI;
  }
  return errors.subarray(0, count);
};

/** The five numbers of a list of angles in degrees; throws for none. */
export const scoreErrors = (errors: Float64Array): NormalScores => {
  if (errors.length === 0) throw new RangeError('Expected at least one valid pixel to measure normals on, got none');
  const within = (limit: number): number => {
    let count = 0;
    for (let i = 0; i < errors.length; i++) if (errors[i]! < limit) count++;
    return (100 * count) / errors.length;
  };
  return {
    mean: mean(errors),
    median: median(errors),
    within11: within(11.25),
    within22: within(22.5),
    within30: within(30),
  };
};
