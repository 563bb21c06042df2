import type { Result } from '../pipeline/result.js';
import { ap50, cocoAp, meanAp, top1, type Metric } from '../transfer/metric.js';
import { normalsMetrics } from '../transfer/normals/angular-error.js';
import { isSeedless, orderMethods } from '../transfer/statistics/controls.js';
import { groupBy } from '../numeric/group-by.js';

export { controls, isControl, isSeedless, orderMethods } from '../transfer/statistics/controls.js';

/** One column: a metric of a protocol. */
export type Column = Pick<Result, 'protocol' | 'metric' | 'higherIsBetter'>;

/** The results on one data set: `cells[row][column]`, undefined where that method was not evaluated so. */
export type TransferTable = {
  readonly task: string;
  readonly dataset: string;
  readonly columns: readonly Column[];
  /** The rows: methods in order of appearance, then controls in the order of `controls`. */
  readonly methods: readonly string[];
  readonly cells: readonly (readonly (Result | undefined)[])[];
  /** A column's winner's row, where it is better than every other row by a difference; otherwise undefined. */
  readonly best: readonly (number | undefined)[];
};

/** How far one result is ahead of another in the metric's good direction, and what the lead must exceed to count. */
export type Lead = { readonly by: number; readonly spread: number };

const isSpreadKnown = ({ method, protocol, values }: Result): boolean =>
  values.length > 1 || isSeedless(method, protocol);

/**
 * How far `a` is ahead of `b`, in the metric's good direction, and the spread that the lead must exceed to count:
 * `sqrt(std_a^2 + std_b^2)` over seeds, where a row without seeds has `std = 0`. With fewer than two seeds on a side that has
 * them the spread is not known: Infinity.
 */
export const lead = (a: Result, b: Result): Lead => {
  const by = a.higherIsBetter ? a.mean - b.mean : b.mean - a.mean;
  // Sums of the same values in another order differ in their last digits: that is no lead.
  const isRounding = Math.abs(by) <= 1e-12 * Math.max(Math.abs(a.mean), Math.abs(b.mean));
  return {
    by: isRounding ? 0 : by,
    spread: isSpreadKnown(a) && isSpreadKnown(b) ? Math.hypot(stdOf(a), stdOf(b)) : Infinity,
  };
};

const stdOf = ({ method, protocol, std }: Result): number => (isSeedless(method, protocol) ? 0 : std);

/** Whether `a` beats `b` by more than the spread over seeds. */
export const beats = (a: Result, b: Result): boolean => {
  const { by, spread } = lead(a, b);
  return by > spread;
};

/** `knn/conv5 top1`. */
export const describeColumn = ({ protocol, metric }: Pick<Result, 'protocol' | 'metric'>): string =>
  `${protocol} ${metric}`;

/** `knn/conv5 top1 ↑`: with the direction that is better. */
export const columnHead = (column: Column): string => `${describeColumn(column)} ${arrowOf(column)}`;

/** `↑` where higher is better, `↓` where lower is. */
export const arrowOf = ({ higherIsBetter }: Pick<Result, 'higherIsBetter'>): string => (higherIsBetter ? '↑' : '↓');

/**
 * Arranges results: a table a task and data set (in order of appearance), in it a row a method and a column a metric. Throws
 * where two results claim one cell: the later one would silently hide the other.
 */
export const arrangeResults = (results: readonly Result[]): TransferTable[] => {
  const groups = groupBy(results, ({ task, dataset }) => JSON.stringify([task, dataset]));
  return [...groups.values()].map(arrangeTable);
};

const columnKey = ({ protocol, metric }: Column): string => JSON.stringify([protocol, metric]);

const arrangeTable = (results: readonly Result[]): TransferTable => {
  const columns = [...new Map(results.map((result) => [columnKey(result), result as Column])).values()];
  const methods = orderMethods(results.map((result) => result.method));
  const cells = methods.map((method) =>
    columns.map((column) => {
      const found = results.filter((result) => result.method === method && columnKey(result) === columnKey(column));
      if (found.length > 1) {
        throw new Error(
          `Expected one result for \`${method}\` on \`${found[0]!.dataset}, ${describeColumn(column)}\`, got ${found.length}`,
        );
      }
      return found[0];
    }),
  );
  const { task, dataset } = results[0]!;
  return { task, dataset, columns, methods, cells, best: columns.map((_, column) => bestRow(cells, column)) };
};

/**
 * The row that is better than all others of a column by a difference: as its paired tests say, or where there are none, by more
 * than the spread over seeds. Where there is no other, there is nothing to be best of.
 */
const bestRow = (cells: TransferTable['cells'], column: number): number | undefined => {
  const entries = cells.flatMap((row, index) => (row[column] === undefined ? [] : [{ index, result: row[column] }]));
  if (entries.length < 2) return undefined;
  if (entries.some(({ result }) => result.best !== undefined)) return entries.find(({ result }) => result.best)?.index;
  return entries.find((one) => entries.every((other) => other === one || beats(one.result, other.result)))?.index;
};

const units: ReadonlyMap<string, Metric['unit']> = new Map(
  [top1, ap50, cocoAp, meanAp, ...normalsMetrics].map(({ name, unit }) => [name, unit]),
);
const unitNames: Readonly<Record<Metric['unit'], string>> = { '%': '%', deg: 'degrees' };

/** `in %`, or `mean, median in degrees; within11 in %` where they differ. Empty where no unit is known. */
export const describeUnits = ({ columns }: Pick<TransferTable, 'columns'>): string => {
  const metrics = [...new Set(columns.map(({ metric }) => metric))];
  const groups = [...groupBy(metrics, (metric) => units.get(metric))];
  return groups
    .flatMap(([unit, names]) => {
      if (unit === undefined) return [];
      return [`${groups.length > 1 ? `${names.join(', ')} ` : ''}in ${unitNames[unit]}`];
    })
    .join('; ');
};

/** Decimals of a column: two in percent and degrees; three where the unit is not known, which is then most often a share. */
export const digitsOf = ({ metric }: Pick<Result, 'metric'>): number => (units.has(metric) ? 2 : 3);

/** Whether a result's weights are named by their sha256: rows without a network have a name there. */
export const isHash = (weights: string): boolean => /^[0-9a-f]{64}$/.test(weights);

/** The number of seeds behind the rows (those that depend on seeds), ascending, each number once. */
export const seedCounts = ({ cells }: Pick<TransferTable, 'cells'>): number[] => {
  const seeded = cells
    .flat()
    .filter((result) => result !== undefined)
    .filter(({ method, protocol }) => !isSeedless(method, protocol));
  return [...new Set(seeded.map(({ values }) => values.length))].sort((a, b) => a - b);
};

/**
 * `0.412 ± 0.020`: mean and sample standard deviation over seeds; with `count`, `0.412 ± 0.020 (3)`. With one seed the spread is
 * unknown and left out, and a row without seeds has none.
 */
export const formatValue = (result: Result | undefined, count = false): string => {
  if (result === undefined) return '-';
  const format = (value: number): string => (Number.isFinite(value) ? value.toFixed(digitsOf(result)) : '-');
  const seedless = isSeedless(result.method, result.protocol);
  const spread = result.values.length < 2 || seedless ? '' : ` ± ${format(result.std)}`;
  return `${format(result.mean)}${spread}${count && !seedless ? ` (${result.values.length})` : ''}`;
};

/** `[38.1, 43.9]`: the 95 % interval, with a digit less than the value; empty where none is known. */
export const formatInterval = (result: Result | undefined): string => {
  if (!result?.interval) return '';
  const digits = digitsOf(result) - 1;
  // No `-0.0`.
  return `[${result.interval.map((end) => end.toFixed(digits).replace(/^-(0\.?0*)$/, '$1')).join(', ')}]`;
};
