import type { Result } from '../pipeline/result.js';
import { compareWithControls, tally, type Comparison } from './comparisons.js';
import { groupBy } from '../numeric/group-by.js';
import { oneLine } from './markdown.js';
import { overallStanding, type OverallStanding } from './overall-standing.js';
import { splitColumns } from './split-columns.js';
import {
  arrangeResults,
  arrowOf,
  describeUnits,
  formatInterval,
  formatValue,
  isControl,
  seedCounts,
  type TransferTable,
} from './transfer-table.js';

const gap = '  ';

/** More columns of one family of protocols than this continue in the next table. */
const mostColumns = 6;

const explanation = (results: readonly Result[], tables: readonly TransferTable[]): string[] => {
  const leads = tables.flatMap((table) => compareWithControls(table).flatMap((row) => row.leads.flatMap((one) => one ?? []))); // prettier-ignore
  const tested = leads.some(({ p }) => p !== undefined);
  const bare = leads.some(({ p, standing }) => p === undefined && standing !== 'unknown');
  const spread = 'beyond the spread over seeds, sqrt(std_a² + std_b²)';
  return [
    results.some(({ interval }) => interval !== undefined)
      ? 'mean ± sample standard deviation over seeds [95 % interval over test images and seeds]'
      : 'mean ± sample standard deviation over seeds',
    ...(tested ? ['difference: paired test on the same images, p < 0.05 after Holm over the column'] : []),
    ...(tested && bare ? [`where no such test was possible: ${spread}`] : tested ? [] : [`difference: ${spread}`]),
    '* best by a difference; n/m: better by a difference in n of m columns',
    'above: better in at least half of the columns and worse in none; partly: better prevails',
  ];
};

/**
 * The results for a terminal, no line longer than `width`: short tables a data set, and below them a line a method that says
 * against which controls it stands above (`overallStanding`).
 */
export const formatForTerminal = (results: readonly Result[], width = 100): string[] => {
  if (results.length === 0) return ['No results.'];
  const tables = arrangeResults(results);
  return [
    ...tables.flatMap((table) => [
      ...wrap(titleOf(table), width),
      ...splitColumns(table, mostColumns).flatMap((part) =>
        fitColumns(part, width).flatMap((columns) => tableLines(part, columns, width)),
      ),
      ...verdictsOf(table).flatMap((line) => wrap(line, width)),
      '',
    ]),
    ...explanation(results, tables).flatMap((line) => wrap(line, width)),
  ];
};

const titleOf = (table: TransferTable): string => {
  const counts = seedCounts(table);
  const seeds = counts.length === 0 ? '' : `${counts.join(' or ')} ${counts.at(-1) === 1 ? 'seed' : 'seeds'}`;
  return [`${oneLine(table.dataset)} (${table.task})`, describeUnits(table), seeds].filter(Boolean).join('; ');
};

const cellOf = ({ cells, best }: TransferTable, row: number, column: number): string =>
  [formatValue(cells[row]![column]), formatInterval(cells[row]![column]), best[column] === row ? '*' : '']
    .filter(Boolean)
    .join(' ');

const headOf = ({ columns }: TransferTable, column: number): string =>
  `${columns[column]!.metric} ${arrowOf(columns[column]!)}`;

/** Controls are set in below their own line, so that nobody takes one for a method. */
const labelOf = (method: string): string => (isControl(method) ? `  ${method}` : method);

/** Wide enough for its values, and for its part of the protocol's name, which stands once above all its columns. */
const columnWidth = (table: TransferTable, column: number): number => {
  const { protocol } = table.columns[column]!;
  const sharing = table.columns.filter((other) => other.protocol === protocol).length;
  return Math.max(
    Math.ceil((protocol.length - gap.length * (sharing - 1)) / sharing),
    headOf(table, column).length,
    ...table.methods.map((_, row) => cellOf(table, row, column).length),
  );
};

const labelWidth = ({ methods }: TransferTable): number =>
  Math.max('controls'.length, ...methods.map((method) => labelOf(method).length));

/** Columns in as few tables as the width allows; one column stands alone where not even that fits. */
const fitColumns = (table: TransferTable, width: number): number[][] => {
  const parts: number[][] = [];
  let used = 0;
  for (const column of table.columns.keys()) {
    const needed = gap.length + columnWidth(table, column);
    const part = parts.at(-1);
    if (part && used + needed <= width) {
      part.push(column);
      used += needed;
    } else {
      parts.push([column]);
      used = labelWidth(table) + needed;
    }
  }
  return parts;
};

const tableLines = (table: TransferTable, columns: readonly number[], width: number): string[] => {
  const first = labelWidth(table);
  const widths = columns.map((column) => columnWidth(table, column));
  const line = (label: string, cells: readonly string[]): string =>
    [label.padEnd(first), ...cells.map((cell, k) => cell.padEnd(widths[k]!))].join(gap).trimEnd().slice(0, width);
  const firstControl = table.methods.findIndex(isControl);
  return [
    [' '.repeat(first), ...protocolLine(table, columns, widths)].join(gap).trimEnd().slice(0, width),
    line('', columns.map((column) => headOf(table, column))), // prettier-ignore
    ...table.methods.flatMap((method, row) => [
      ...(row === firstControl ? ['controls'] : []),
      line(labelOf(method), columns.map((column) => cellOf(table, row, column))), // prettier-ignore
    ]),
  ];
};

/** The protocol's name over its columns. */
const protocolLine = (table: TransferTable, columns: readonly number[], widths: readonly number[]): string[] => {
  const spans: { name: string; width: number }[] = [];
  for (const [k, column] of columns.entries()) {
    const { protocol } = table.columns[column]!;
    const span = spans.at(-1);
    if (span?.name === protocol) span.width += gap.length + widths[k]!;
    else spans.push({ name: protocol, width: widths[k]! });
  }
  return spans.map(({ name, width }) => (name.length > width ? `${name.slice(0, width - 1)}…` : name.padEnd(width)));
};

const verdictsOf = (table: TransferTable): string[] => {
  const methods = groupBy(compareWithControls(table), ({ method }) => method);
  return [...methods].map(([method, rows]) => `${method}: ${verdictOf(rows)}`);
};

/** `above random 2/2; partly above self 1/3; not above shuffled 0/2 (worse 1)`. */
const verdictOf = (rows: readonly Comparison[]): string => {
  const counted = rows.map((row) => {
    const counts = tally(row);
    return { control: row.control, ...counts, overall: overallStanding(counts) };
  });
  const share = ({ control, better, worse, columns }: (typeof counted)[number]): string =>
    `${control} ${better}/${columns}${worse > 0 ? ` (worse ${worse})` : ''}`;
  const known = (...wanted: readonly OverallStanding[]): string[] =>
    counted.filter(({ overall }) => wanted.includes(overall)).map(share);
  const groups = [
    { title: 'above', parts: known('above') },
    { title: 'partly above', parts: known('partly') },
    { title: 'not above', parts: known('level', 'mixed', 'partly below', 'below') },
    {
      title: 'unknown with one seed:',
      parts: counted.filter(({ overall }) => overall === 'unknown').map(({ control }) => control),
    },
  ];
  return groups
    .filter(({ parts }) => parts.length > 0)
    .map(({ title, parts }) => `${title} ${parts.join(', ')}`)
    .join('; ');
};

/** Breaks at blanks, later lines set in by two. A word longer than the width is cut. */
const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').map((part) => part.slice(0, width - gap.length))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${gap}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};
