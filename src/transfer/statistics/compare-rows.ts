import { bootstrap, countGroups } from '../../numeric/bootstrap.js';
import { holm } from '../../numeric/holm.js';
import { mean, std } from '../../numeric/statistics.js';
import { studentQuantile } from '../../numeric/student-t.js';
import type { PairedTest } from '../../pipeline/result.js';
import { isControl, isSeedless } from './controls.js';
import { prepareScores, type ImageScores } from './image-scores.js';
import { patchesRowOf } from './rows-on-tracks.js';
import { intervalAround, pValueOf, type Uncertainty } from './uncertainty.js';

/** One row of a column: a method's values, one a seed, and what they are made of. */
export type ScoredRow = {
  readonly method: string;
  readonly values: readonly number[];
  /** One a seed, in the order of `values`. */
  readonly scores: readonly ImageScores[];
};

/** What a column's statistics say of one row: the fields of the same names of `Result`. */
export type RowStatistics = {
  readonly images: number;
  readonly groups?: number;
  readonly interval?: readonly [number, number];
  readonly paired?: readonly PairedTest[];
  readonly best?: boolean;
};

/** What the rows of a column share. */
export type ComparedColumn = { readonly protocol: string; readonly higherIsBetter: boolean };

/** Settings of the resampling. */
export type ComparisonOptions = {
  /** Seed of the resamples, the same for all columns of a report. @default 1 */
  readonly seed?: number;
  /** @default 2000 */
  readonly resamples?: number;
};

/** With fewer test images (or groups of them) than this, their spread says too little of what other images would give. */
export const minImages = 6;

/** What is called a difference has a p below this. */
export const significance = 0.05;

/** A row as it came out of the resampling. */
type DrawnRow = {
  readonly method: string;
  readonly mean: number;
  /** The mean over seeds, one value a resample. */
  readonly draws: Float64Array;
  /** Variance over the resamples that all seeds share. */
  readonly shared: number;
  /** `s^2 / seeds`, and its degrees of freedom; NaN where there is one seed, 0 where there is none. */
  readonly seedVariance: number;
  readonly df: number;
  readonly range: readonly [number, number];
};

/**
 * The statistics of one column (a data set, a protocol and a metric): intervals of the rows' means, paired tests of every
 * method against every control, and the row that is best by a difference. Rows are compared on the same test images.
 *
 * Two things would come out otherwise in a repetition: the images and the seeds. *Images*: 2000 bootstrap resamples, the same
 * for all rows and seeds, so that what makes an image hard for everybody cancels in a difference. The deviations of the mean
 * over seeds are scaled to the variance that the seeds share (their mean covariance): what each network sees differently in the
 * images is in the seeds' part already (crossed random effects, Owen 2007, whose pigeonhole bootstrap counts it three
 * times). They are widened by `sqrt(n / (n - 1)) * t(n - 1) / z` for few images (Hesterberg 2015). *Seeds*: three of them cannot be resampled (a
 * bootstrap of 3 values is too narrow by a factor of 2.7 and more), so their part is `s / sqrt(seeds) * t(seeds - 1)`; for a difference the two rows' parts add up, with
 * Welch's degrees of freedom, rounded down. The sum of the two independent parts (Behrens & Fisher's) gives intervals and p
 * alike. It errs on the side of caution: under equal rows, p < 0.05 comes up in 2 to 5 of 100 comparisons.
 *
 * Holm's correction runs over all comparisons of the column with controls. Rows on tracks are also tested against their method on
 * single patches (`patchesRowOf`): another question, corrected for itself, so that asking it changes no other answer. A row is best where its p against every other row is below
 * 0.05, uncorrected: it must win all of its comparisons (an intersection-union test; Berger 1982). Rows with one seed, whose
 * spread over seeds nobody knows (unless no seed can change them: `isSeedless`), have an interval over images alone and take part in no comparison; beside one of them no row
 * is known to be best.
 */
export const compareRows = (
  rows: readonly ScoredRow[],
  { protocol, higherIsBetter }: ComparedColumn,
  { seed = 1, resamples = 2000 }: ComparisonOptions = {},
): ReadonlyMap<string, RowStatistics> => {
  const groups = sharedGroups(rows);
  const drawn = drawRows(rows, protocol, { seed, resamples, groups });
  const images = rows[0]?.scores[0] ? prepareScores(rows[0].scores[0]).images : 0;
  const units = groups ? countGroups(groups) : images;
  const counts = { images, ...(groups ? { groups: units } : {}) };
  if (units < minImages) return new Map(rows.map(({ method }) => [method, counts]));
  const widening = widenFor(units);
  const paired = pairedTests(drawn, higherIsBetter, widening);
  const winner = bestOf(drawn, higherIsBetter, widening);
  return new Map(
    drawn.map((row) => {
      const tests = paired.get(row.method);
      return [
        row.method,
        {
          ...counts,
          ...intervalOf(row, widening),
          ...(tests ? { paired: tests } : {}),
          ...(winner === undefined ? {} : { best: winner === row.method }),
        },
      ];
    }),
  );
};

/** The bootstrap's distribution is narrower than that of a mean of `units` values by these two factors (Hesterberg 2015, 4.1). */
const widenFor = (units: number): number =>
  (Math.sqrt(units / (units - 1)) * studentQuantile(0.975, units - 1)) / 1.959963984540054;

/** The groups of the test images, which all rows must share. */
const sharedGroups = (rows: readonly ScoredRow[]): readonly number[] | undefined => {
  const all = rows.flatMap(({ method, scores }) => scores.map(({ groups }) => ({ method, groups })));
  const first = all[0];
  for (const { method, groups } of all) {
    if (groups?.join() !== first?.groups?.join()) {
      throw new Error(`Expected the same groups of test images for \`${method}\` as for \`${first?.method}\``);
    }
  }
  return first?.groups;
};

const drawRows = (
  rows: readonly ScoredRow[],
  protocol: string,
  { seed, resamples, groups }: { seed: number; resamples: number; groups: readonly number[] | undefined },
): DrawnRow[] => {
  const prepared = rows.map(({ scores }) => scores.map(prepareScores));
  const images = prepared[0]?.[0]?.images ?? 0;
  for (const [k, { method, values, scores }] of rows.entries()) {
    if (scores.length !== values.length || values.length === 0) {
      throw new Error(`\`${method}\`: expected scores for each of ${values.length} seeds, got ${scores.length}`);
    }
    const other = prepared[k]!.find((entry) => entry.images !== images);
    if (other) throw new Error(`\`${method}\`: expected scores of ${images} test images, got ${other.images}`);
  }
  const draws = bootstrap(
    prepared.flat().map(({ measure }) => measure),
    images,
    { seed, resamples, ...(groups ? { groups } : {}) },
  );
  keepDefined(draws);
  let next = 0;
  return rows.map((row, k) => {
    const own = draws.slice(next, (next += row.scores.length));
    return drawnRow(row, protocol, own, widest(prepared[k]!.map(({ range }) => range)));
  });
};

const widest = (ranges: readonly (readonly [number, number])[]): readonly [number, number] => [
  Math.min(...ranges.map(([least]) => least)),
  Math.max(...ranges.map(([, most]) => most)),
];

/** A resample on which a metric is not defined (no positive was drawn) repeats that metric's mean: it adds no spread. */
const keepDefined = (draws: readonly Float64Array[]): void => {
  for (const values of draws) {
    if (!values.some(Number.isNaN)) continue;
    const centre = mean(values.filter((value) => !Number.isNaN(value)));
    for (let b = 0; b < values.length; b++) if (Number.isNaN(values[b]!)) values[b] = centre;
  }
};

const drawnRow = (
  { method, values }: ScoredRow,
  protocol: string,
  draws: readonly Float64Array[],
  range: readonly [number, number],
): DrawnRow => {
  const seeds = draws.length;
  const means = draws[0]!.map((_, b) => draws.reduce((sum, one) => sum + one[b]!, 0) / seeds);
  const total = std(means) ** 2;
  // sum over s of Var_s + sum over s != t of Cov_st = seeds^2 Var(mean)
  const alone = draws.reduce((sum, one) => sum + std(one) ** 2, 0);
  const shared = seeds > 1 ? Math.max(0, (seeds * seeds * total - alone) / (seeds * (seeds - 1))) : total;
  return {
    method,
    mean: mean(values),
    draws: means,
    shared,
    seedVariance: seeds > 1 ? std(values) ** 2 / seeds : isSeedless(method, protocol) ? 0 : NaN,
    df: Math.max(1, seeds - 1),
    range,
  };
};

/** Centred at the bootstrap's own mean, so that the bias of a metric under resampling moves nothing, and scaled to `variance`. */
const scaledDeviations = (draws: Float64Array, variance: number, widening: number): Float64Array => {
  const centre = mean(draws);
  const spread = std(draws);
  const factor = spread > 0 ? (widening * Math.sqrt(variance)) / spread : 0;
  return draws.map((value) => (value - centre) * factor).sort();
};

/** Of one row's mean. With one seed: over images alone. */
const uncertaintyOf = ({ draws, shared, seedVariance, df }: DrawnRow, widening: number): Uncertainty => ({
  deviations: scaledDeviations(draws, shared, widening),
  seedError: Number.isNaN(seedVariance) ? 0 : Math.sqrt(seedVariance),
  df,
});

/**
 * The 95 % interval of a row's mean. None where no resample and no seed differs (every image right, or none): that this cannot be
 * otherwise, a bootstrap of such values would say, and be wrong.
 */
const intervalOf = (row: DrawnRow, widening: number): Pick<RowStatistics, 'interval'> => {
  if (std(row.draws) < 1e-9 && !(row.seedVariance > 0)) return {};
  return { interval: clip(intervalAround(row.mean, uncertaintyOf(row, widening)), row.range) };
};

/** The test of one row against another; undefined where the spread over seeds of one is not known. */
const testRows = (
  row: DrawnRow,
  other: DrawnRow,
  higherIsBetter: boolean,
  widening: number,
): Omit<PairedTest, 'control' | 'adjustedP'> | undefined => {
  const [a, b] = [row.seedVariance, other.seedVariance];
  if (Number.isNaN(a) || Number.isNaN(b)) return undefined;
  const sign = higherIsBetter ? 1 : -1;
  const raw = sign * (row.mean - other.mean);
  // Sums of the same values in another order differ in their last digits: that is no difference.
  const difference = Math.abs(raw) <= 1e-12 * Math.max(Math.abs(row.mean), Math.abs(other.mean)) ? 0 : raw;
  const draws = row.draws.map((value, k) => sign * (value - other.draws[k]!));
  const total = std(draws) ** 2;
  const covariance = (std(row.draws) ** 2 + std(other.draws) ** 2 - total) / 2;
  const uncertainty: Uncertainty = {
    deviations: scaledDeviations(
      draws,
      Math.min(total, Math.max(0, row.shared + other.shared - 2 * covariance)),
      widening,
    ),
    seedError: Math.sqrt(a + b),
    df: a + b > 0 ? Math.max(1, Math.floor(((a + b) ** 2 / (a ** 2 / row.df + b ** 2 / other.df)) * (1 + 1e-9))) : 1,
  };
  return { difference, interval: intervalAround(difference, uncertainty), p: pValueOf(difference, uncertainty) };
};

const pairedTests = (
  rows: readonly DrawnRow[],
  higherIsBetter: boolean,
  widening: number,
): ReadonlyMap<string, readonly PairedTest[]> => {
  const names = rows.map(({ method }) => method);
  const byMethod = new Map<string, PairedTest[]>();
  /** The tests of all methods against those rows, corrected together. */
  const addFamily = (isOther: (method: string, other: string) => boolean): void => {
    const tests = rows
      .filter(({ method }) => !isControl(method))
      .flatMap((row) =>
        rows.flatMap((other) => {
          const test = isOther(row.method, other.method) ? testRows(row, other, higherIsBetter, widening) : undefined;
          return test ? [{ method: row.method, control: other.method, ...test }] : [];
        }),
      );
    const adjusted = holm(tests.map(({ p }) => p));
    for (const [k, { method, control, difference, interval, p }] of tests.entries()) {
      const entry = { control, difference, interval, p, adjustedP: adjusted[k]! };
      byMethod.set(method, [...(byMethod.get(method) ?? []), entry]);
    }
  };
  addFamily((_, other) => isControl(other));
  addFamily((method, other) => patchesRowOf(method, names) === other);
  return byMethod;
};

/** The best row's name; empty where none is best by a difference, undefined where not all rows can be compared, or there is one. */
const bestOf = (rows: readonly DrawnRow[], higherIsBetter: boolean, widening: number): string | undefined => {
  if (rows.length < 2 || rows.some(({ seedVariance }) => Number.isNaN(seedVariance))) return undefined;
  const first = rows.reduce((best, row) => (row.mean > best.mean === higherIsBetter ? row : best));
  const wins = rows.every(
    (other) => other === first || (testRows(first, other, higherIsBetter, widening)?.p ?? 1) < significance,
  );
  return wins ? first.method : '';
};

const clip = ([low, high]: readonly [number, number], [least, most]: readonly [number, number]): [number, number] => [
  Math.max(least, low),
  Math.min(most, high),
];
