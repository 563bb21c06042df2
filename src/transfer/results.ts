import { canonicalJson } from '../pipeline/canonical-json.js';
import type { Json } from '../pipeline/json.js';
import type { Result } from '../pipeline/result.js';
import { mean, std } from '../numeric/statistics.js';

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

/**
 * Folds cells that differ in their seed alone into one result each: values in the order of seeds, their mean and sample
 * standard deviation. Results stand in the order in which their first cell came. What should be one measurement but is not
 * (a seed twice, other data or settings, a value that is no number) fails: a mean over it would mean nothing.
 */
export const foldResults = (cells: readonly Cell[]): Result[] => {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (!Number.isFinite(cell.value))
      throw new Error(`${nameOf(cell)}, seed ${cell.seed}: expected a number, got ${cell.value}`);
    groups.set(nameOf(cell), [...(groups.get(nameOf(cell)) ?? []), cell]);
  }
  return [...groups].map(([name, group]) => {
    const sorted = [...group].sort((a, b) => a.seed - b.seed);
    const first = sorted[0] as Cell;
    for (const [i, cell] of sorted.entries()) {
      if (i > 0 && cell.seed === sorted[i - 1]?.seed) throw new Error(`${name}: seed ${cell.seed} was measured twice`);
      if (cell.data !== first.data)
        throw new Error(`${name}: seeds ${first.seed} and ${cell.seed} were measured on other data`);
      if (canonicalJson(cell.params) !== canonicalJson(first.params) || cell.higherIsBetter !== first.higherIsBetter) {
        throw new Error(`${name}: seeds ${first.seed} and ${cell.seed} were measured with other settings`);
      }
    }
    const values = sorted.map(({ value }) => value);
    const { task, dataset, protocol, metric, higherIsBetter, method, data, params, command } = first;
    return {
      task,
      dataset,
      protocol,
      metric,
      higherIsBetter,
      method,
      seeds: sorted.map(({ seed }) => seed),
      values,
      mean: mean(values),
      std: std(values),
      weights: sorted.map(({ weights }) => weights),
      data,
      params,
      command,
      seconds: sorted.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  });
};
