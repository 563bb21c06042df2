import { groupBy } from '../numeric/group-by.js';
import { canonicalJson } from '../pipeline/canonical-json.js';
import type { Json } from '../pipeline/json.js';
import type { Result } from '../pipeline/result.js';
import { mean, std } from '../numeric/statistics.js';
import { compareRows, type ComparisonOptions, type RowStatistics } from './statistics/compare-rows.js';
import { measure, type ImageScores } from './statistics/image-scores.js';

/** One measured value: a method, a seed, a protocol and a metric. What the benchmark's table is folded from. */
export type Cell = {
  readonly task: string;
  readonly dataset: string;
  readonly protocol: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly method: string;
  readonly seed: number;
  readonly value: number;
  /** What the value is made of, image by image: with it a result gets an interval and paired tests. */
  readonly scores?: ImageScores;
  /** sha256 of the weights. */
  readonly weights: string;
  /** sha256 of the target data. */
  readonly data: string;
  readonly params: Json;
  readonly command: string;
  readonly seconds: number;
};

const nameOf = ({ task, dataset, protocol, metric, method }: Cell): string =>
  [task, dataset, protocol, metric, method].join(' / ');

const columnOf = ({ task, dataset, protocol, metric }: Cell): string =>
  JSON.stringify([task, dataset, protocol, metric]);

/**
 * Folds cells that differ in their seed alone into one result each: values in the order of seeds, their mean and sample
 * standard deviation; where the cells have scores, the interval of the mean, the paired tests against the controls of the
 * column and whether the row is best (`compareRows`). Results stand in the order in which their first cell came. What should
 * be one measurement but is not (a seed twice, other data or settings, a value that is no number or not that of its scores)
 * fails: a mean over it would mean nothing.
 */
export const foldResults = (cells: readonly Cell[], options: ComparisonOptions = {}): Result[] => {
  const rows = [...groupBy(cells, nameOf)].map(([name, group]) => sortSeeds(name, group));
  const statistics = new Map<Cell, RowStatistics>();
  for (const column of groupBy(
    rows.map((row) => row[0]!),
    columnOf,
  ).values()) {
    const own = rows.filter(([first]) => column.includes(first!));
    for (const [first, entry] of columnStatistics(own, options)) statistics.set(first, entry);
  }
  return rows.map((row) => resultOf(row, statistics.get(row[0]!)));
};

/** The cells of one result in the order of their seeds, once it is clear that they are one measurement. */
const sortSeeds = (name: string, group: readonly Cell[]): readonly Cell[] => {
  const sorted = [...group].sort((a, b) => a.seed - b.seed);
  const first = sorted[0]!;
  for (const [i, cell] of sorted.entries()) {
    if (!Number.isFinite(cell.value)) {
      throw new Error(`${name}, seed ${cell.seed}: expected a number, got ${cell.value}`);
    }
    if (i > 0 && cell.seed === sorted[i - 1]!.seed) throw new Error(`${name}: seed ${cell.seed} was measured twice`);
    if (cell.data !== first.data) {
      throw new Error(`${name}: seeds ${first.seed} and ${cell.seed} were measured on other data`);
    }
    if (canonicalJson(cell.params) !== canonicalJson(first.params) || cell.higherIsBetter !== first.higherIsBetter) {
      throw new Error(`${name}: seeds ${first.seed} and ${cell.seed} were measured with other settings`);
    }
    checkScores(cell);
  }
  return sorted;
};

/** Scores give the value back, up to the width of a histogram's bin, or to how an evaluator breaks ties of detections. */
const checkScores = (cell: Cell): void => {
  if (!cell.scores) return;
  const again = measure(cell.scores);
  if (Math.abs(again - cell.value) <= 0.02 * Math.abs(cell.value) + 0.5) return;
  throw new Error(
    `${nameOf(cell)}, seed ${cell.seed}: expected scores that give the value ${cell.value}, got ${again}`,
  );
};

/** The rows of a column that have scores of every seed, compared; `best` holds only where that is so of all of its rows. */
const columnStatistics = (
  rows: readonly (readonly Cell[])[],
  options: ComparisonOptions,
): readonly (readonly [Cell, RowStatistics])[] => {
  const scored = rows.filter((row) => row.every(({ scores }) => scores !== undefined));
  if (scored.length === 0) return [];
  checkColumn(scored.map((row) => row[0]!));
  const compared = compareRows(
    scored.map((row) => ({
      method: row[0]!.method,
      values: row.map(({ value }) => value),
      scores: row.map(({ scores }) => scores!),
    })),
    scored[0]![0]!,
    options,
  );
  return scored.map((row) => {
    const { best, ...rest } = compared.get(row[0]!.method)!;
    return [row[0]!, best === undefined || scored.length < rows.length ? rest : { ...rest, best }] as const;
  });
};

const checkColumn = (cells: readonly Cell[]): void => {
  const first = cells[0]!;
  for (const cell of cells) {
    if (cell.data !== first.data) {
      throw new Error(
        `${nameOf(cell)}: was measured on other data than ${first.method}, and cannot be compared with it`,
      );
    }
  }
};

const resultOf = (cells: readonly Cell[], statistics: RowStatistics | undefined): Result => {
  const { task, dataset, protocol, metric, higherIsBetter, method, data, params, command } = cells[0]!;
  const values = cells.map(({ value }) => value);
  return {
    task,
    dataset,
    protocol,
    metric,
    higherIsBetter,
    method,
    seeds: cells.map(({ seed }) => seed),
    values,
    mean: mean(values),
    std: std(values),
    ...statistics,
    weights: cells.map(({ weights }) => weights),
    data,
    params,
    command,
    seconds: cells.reduce((sum, { seconds }) => sum + seconds, 0),
  };
};
