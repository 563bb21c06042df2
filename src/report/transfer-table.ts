import type { Result } from '../pipeline/result.js';

/** Methods that are not methods: what the pairs or the training must beat to have meant anything. */
export const controls: Readonly<Record<string, string>> = {
  random: 'random weights, no training',
  shuffled: 'positives from any video',
  'same-video': 'positives from another place of the same video',
  untracked: 'positives from the same place 30 frames later, not tracked',
  self: 'two augmentations of one patch',
};

/** One column: a metric of a protocol on a data set. */
export type Column = Pick<Result, 'task' | 'dataset' | 'protocol' | 'metric' | 'higherIsBetter'>;

/** The transfer table: `cells[row][column]`, undefined where that method was not evaluated so. */
export type TransferTable = {
  readonly columns: readonly Column[];
  readonly methods: readonly string[];
  readonly cells: readonly (readonly (Result | undefined)[])[];
  /** A column's winner's row, where it beats every other row by more than the spread; otherwise undefined. */
  readonly best: readonly (number | undefined)[];
};

/** Whether a method is a control. */
export const isControl = (method: string): boolean => Object.hasOwn(controls, method);

/**
 * How far `a` is ahead of `b`, in the metric's good direction, and the spread that the lead must exceed to count:
 * `sqrt(std_a^2 + std_b^2)` over seeds. With fewer than two seeds on either side the spread is not known: Infinity.
 */
export const lead = (a: Result, b: Result): { readonly by: number; readonly spread: number } => ({
  by: a.higherIsBetter ? a.mean - b.mean : b.mean - a.mean,
  spread: Math.min(a.values.length, b.values.length) < 2 ? Infinity : Math.sqrt(a.std ** 2 + b.std ** 2),
});

/** Whether `a` beats `b` by more than the spread over seeds. */
export const beats = (a: Result, b: Result): boolean => {
  const { by, spread } = lead(a, b);
  return by > spread;
};

const columnKey = (result: Column): string =>
  JSON.stringify([result.task, result.dataset, result.protocol, result.metric]);

/**
 * Arranges results: a row a method (methods first, then controls, in order of appearance), a column a metric. Throws where two
 * results claim one cell: the later one would silently hide the other.
 */
export const arrangeResults = (results: readonly Result[]): TransferTable => {
  const columns = [...new Map(results.map((result) => [columnKey(result), result as Column])).values()];
  const names = [...new Set(results.map((result) => result.method))];
  const methods = [...names.filter((name) => !isControl(name)), ...names.filter(isControl)];
  const cells = methods.map((method) =>
    columns.map((column) => {
      const found = results.filter((result) => result.method === method && columnKey(result) === columnKey(column));
      if (found.length > 1) {
        throw new Error(`Expected one result for \`${method}\` on \`${describeColumn(column)}\`, got ${found.length}`);
      }
      return found[0];
    }),
  );
  const best = columns.map((_, column) => {
    const entries = cells
      .map((row, index) => ({ index, result: row[column] }))
      .filter((entry) => entry.result !== undefined);
    if (entries.length < 2) return undefined;
    const winner = entries.find(({ index, result }) =>
      entries.every((other) => other.index === index || beats(result!, other.result!)),
    );
    return winner?.index;
  });
  return { columns, methods, cells, best };
};

/** `objects, knn/conv5, accuracy`. */
export const describeColumn = ({ dataset, protocol, metric }: Column): string => `${dataset}, ${protocol}, ${metric}`;

/** A number to three decimals where it is a share, to two otherwise; `-` where it is not a number. */
const formatNumber = (value: number, scale: number): string =>
  Number.isFinite(value) ? value.toFixed(Math.abs(scale) <= 2 ? 3 : 2) : '-';

/** `0.412 ± 0.020 (3)`: mean, sample standard deviation and number of seeds; with one seed the spread is unknown and left out. */
export const formatValue = (result: Result | undefined): string => {
  if (result === undefined) return '-';
  const mean = formatNumber(result.mean, result.mean);
  const count = result.values.length;
  return count < 2 ? `${mean} (${count})` : `${mean} ± ${formatNumber(result.std, result.mean)} (${count})`;
};

/** Every comparison of a method with a control that it does not beat, and those that it does, in words. */
export const compareWithControls = ({
  columns,
  methods,
  cells,
}: TransferTable): { readonly notBeaten: string[]; readonly beaten: string[] } => {
  const notBeaten: string[] = [];
  const beaten: string[] = [];
  for (const [column, about] of columns.entries()) {
    for (const [row, method] of methods.entries()) {
      const mine = cells[row]![column];
      if (mine === undefined || isControl(method)) continue;
      for (const [other, control] of methods.entries()) {
        const theirs = cells[other]![column];
        if (theirs === undefined || !isControl(control)) continue;
        const numbers = `${formatValue(mine)} against ${formatValue(theirs)} on ${describeColumn(about)}`;
        if (beats(mine, theirs)) {
          beaten.push(`${method} beats its control ${control}: ${numbers}`);
          continue;
        }
        const { by, spread } = lead(mine, theirs);
        const why =
          by < 0
            ? 'it is behind'
            : by === 0
              ? 'they are level'
              : spread === Infinity
                ? 'it is ahead, but with fewer than two seeds the spread is unknown'
                : Number.isNaN(by)
                  ? 'a value is not a number'
                  : 'it is ahead by no more than the spread';
        notBeaten.push(`${method} does NOT beat its control ${control}: ${numbers} (${why})`);
      }
    }
  }
  return { notBeaten, beaten };
};

/** The table for a terminal, in aligned columns; `*` marks a best value that exceeds the spread, `(control)` a control. */
export const formatTable = (results: readonly Result[]): string => {
  if (results.length === 0) return 'No results.';
  const table = arrangeResults(results);
  const head = [
    'method',
    ...table.columns.map((column) => `${describeColumn(column)} ${column.higherIsBetter ? '↑' : '↓'}`),
  ];
  const rows = table.methods.map((method, row) => [
    isControl(method) ? `${method} (control)` : method,
    ...table.columns.map((_, k) => `${formatValue(table.cells[row]![k])}${table.best[k] === row ? ' *' : ''}`),
  ]);
  const widths = head.map((_, k) => Math.max(...[head, ...rows].map((line) => line[k]!.length)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, k) => cell.padEnd(widths[k]!))
      .join('  ')
      .trimEnd();
  return [
    format(head),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map(format),
    '',
    'mean ± sample standard deviation (seeds); * best by more than the spread',
    ...compareWithControls(table).notBeaten,
  ].join('\n');
};
