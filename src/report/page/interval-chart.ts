import { renderChart } from '../draw-chart.js';
import { groupBy } from '../../numeric/group-by.js';
import { digitsOf, isControl, isSeedless, type TransferTable } from '../transfer-table.js';
import { Html } from './html.js';
import { pageLook } from './look.js';
import { rowLabels } from './row-labels.js';

/**
 * The columns that are drawn: of each family of protocols (`knn/conv3` and `knn/conv5` are one) the first metric of the last
 * layer, where the table goes deepest, at most `most`; where that leaves fewer than `least`, the next columns join them. In the
 * order of the table.
 */
export const mainColumns = ({ columns }: Pick<TransferTable, 'columns'>, least = 3, most = 6): number[] => {
  const all = [...columns.keys()];
  const families = groupBy(all, (k) => columns[k]!.protocol.split('/')[0]!);
  const main = [...families.values()]
    .map((own) => own.find((k) => columns[k]!.protocol === columns[own.at(-1)!]!.protocol)!)
    .slice(0, most);
  const others = all.filter((k) => !main.includes(k)).slice(0, Math.max(0, least - main.length));
  return [...main, ...others].sort((a, b) => a - b);
};

/** Without the rows' names: three charts stand side by side on a laptop, one on a phone. */
const plotWidth = 200;
/** A row is as high as the lines of the longest label need, px. */
const rowHeight = (labels: readonly (readonly string[])[]): number =>
  8 + lineHeight * Math.max(1, ...labels.map(({ length }) => length));
const lineHeight = 16;

/** Room for the names of the rows, px: charts of one table are of one size, which Vega's own estimate would not make them. */
const labelRoom = (labels: readonly (readonly string[])[]): number =>
  10 + Math.max(...labels.flat().map(({ length }) => length)) * 0.56 * pageLook.fontSize;

/**
 * The lines of a row's label, for Vega, which knows a row by its whole name; and how far it moves a label along the axis, px:
 * it would set the first line, not the middle one, beside the row.
 */
const labelExpressions = (names: readonly string[], labels: readonly (readonly string[])[]) => {
  const row = `indexof(${JSON.stringify(names)}, datum.value)`;
  const offsets = labels.map(({ length }) => (-lineHeight * (length - 1)) / 2);
  return {
    labelExpr: `${JSON.stringify(labels)}[${row}]`,
    labelOffset: { expr: `${JSON.stringify(offsets)}[${row}]` },
  };
};

/** A row of the chart: its mean, how far it reaches, and the value of each seed. */
type Mark = {
  row: string;
  kind: 'method' | 'control';
  mean: number;
  low: number;
  high: number;
  values: readonly number[];
};

const marksOf = ({ methods, cells }: TransferTable, column: number): Mark[] =>
  methods.flatMap((row, index) => {
    const result = cells[index]![column];
    if (!result || !Number.isFinite(result.mean)) return [];
    const spread = isSeedless(row, result.protocol) || result.values.length < 2 ? 0 : result.std;
    const [low, high] = result.interval ?? [result.mean - spread, result.mean + spread];
    return [{ row, kind: isControl(row) ? 'control' : 'method', mean: result.mean, low, high, values: result.values }];
  });

/** Whether every drawn line is a 95 % interval, none is (mean ± std), or some are. */
export const intervalKind = (
  { cells }: Pick<TransferTable, 'cells'>,
  columns: readonly number[],
): 'intervals' | 'deviations' | 'mixed' => {
  const shown = cells.flatMap((row) => columns.flatMap((column) => row[column] ?? []));
  const known = shown.filter(({ interval }) => interval !== undefined).length;
  return known === 0 ? 'deviations' : known === shown.length ? 'intervals' : 'mixed';
};

/**
 * A dot and a line for each row of one column, methods filled and controls hollow, with the seeds' own values as ticks. Every row
 * of the table has its place, also where it has no value, so that charts side by side are read across.
 */
export const intervalChart = async (table: TransferTable, column: number): Promise<Html> => {
  const marks = marksOf(table, column);
  const labels = rowLabels(table.methods);
  const y = {
    field: 'row',
    type: 'nominal',
    title: null,
    scale: { domain: table.methods },
    axis: {
      ...{ labelLimit: 0, ...labelExpressions(table.methods, labels), labelLineHeight: lineHeight },
      ...{ grid: true, ticks: false },
    },
  };
  const colour = {
    field: 'kind',
    type: 'nominal',
    legend: null,
    scale: { domain: ['method', 'control'], range: ['var(--method)', 'var(--control)'] },
  };
  const x = {
    type: 'quantitative',
    scale: { zero: false, padding: 8 },
    title: null,
    axis: { tickCount: 4, grid: true },
  };
  const seeds = marks.flatMap(({ row, kind, values }) => values.map((value) => ({ row, kind, value })));
  const spec = {
    width: plotWidth,
    height: rowHeight(labels) * table.methods.length,
    autosize: 'none',
    padding: { left: labelRoom(labels), right: 14, top: 4, bottom: 24 },
    encoding: { y },
    layer: [
      {
        data: { values: marks.map(({ row, kind, low, high }) => ({ row, kind, low, high })) },
        mark: { type: 'rule', strokeWidth: 2.5 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, color: colour },
      },
      {
        data: { values: seeds },
        mark: { type: 'tick', thickness: 1.5, size: 9, opacity: 0.7 },
        encoding: { x: { ...x, field: 'value' }, color: colour },
      },
      {
        data: { values: marks.map(({ row, kind, mean }) => ({ row, kind, mean })) },
        mark: { type: 'point', size: 70, strokeWidth: 2, opacity: 1 },
        encoding: {
          x: { ...x, field: 'mean' },
          color: colour,
          fill: { ...colour, scale: { domain: ['method', 'control'], range: ['var(--method)', 'var(--paper)'] } },
        },
      },
    ],
  };
  return new Html(await renderChart(spec, pageLook));
};

/** The same in words, for those who do not see it. */
export const intervalText = (table: TransferTable, column: number): string => {
  const digits = digitsOf(table.columns[column]!);
  return marksOf(table, column)
    .map(
      ({ row, mean, low, high }) =>
        `${row} ${mean.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`,
    )
    .join('; ');
};
