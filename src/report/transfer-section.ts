import type { Result } from '../pipeline/result.js';
import { compareWithControls, describeComparisons, formatLead } from './comparisons.js';
import { escapeMarkdown, markdownTable } from './markdown.js';
import {
  arrangeResults,
  columnHead,
  controls,
  describeUnits,
  formatValue,
  isControl,
  seedCounts,
  type TransferTable,
} from './transfer-table.js';

/** The transfer results as Markdown: how to read them, then for each data set its table, the words, and the leads over controls. */
export const transferSection = (results: readonly Result[]): string[] => {
  if (results.length === 0) return ['No evaluation has finished.'];
  const tables = arrangeResults(results);
  return [...explanation(tables), ...tables.flatMap(tableSection)];
};

const explanation = (tables: readonly TransferTable[]): string[] => {
  const used = Object.keys(controls).filter((name) => tables.some(({ methods }) => methods.includes(name)));
  return [
    'Mean ± sample standard deviation over seeds. ↑ higher is better, ↓ lower is better. **Bold**: best of its column by more than the spread, `sqrt(std_a² + std_b²)`, against every other row; where nothing is bold, the rows do not separate. Columns of one protocol measure the same predictions and are not independent.',
    'A lead just beyond the spread is weak evidence: with three seeds a side, two rows of equal worth are that far apart in this direction in about 8 of 100 comparisons (one-sided p of about 0.08), and there are many comparisons here. The spread is that over seeds alone: it does not hold the sampling error of the test set, which all rows share.',
    used.length > 0
      ? `Controls are no methods, but what a method must beat: ${used.map((name) => `${name} (${controls[name]})`).join('; ')}.`
      : 'No control was evaluated: the numbers cannot tell what the pairs were worth.',
  ];
};

const tableSection = (table: TransferTable): string[] => {
  const comparisons = compareWithControls(table);
  return [
    `### ${escapeMarkdown(table.dataset)} (${escapeMarkdown(table.task)})`,
    captionOf(table),
    valueTable(table),
    describeComparisons(table)
      .map((sentence) => `- ${escapeMarkdown(sentence)}`)
      .join('\n'),
    ...(comparisons.length > 0
      ? [
          leadTable(table),
          'Lead in the direction that is better: ● ahead beyond the spread, ○ ahead or level but not beyond it, ▼ behind.',
        ]
      : []),
  ];
};

const captionOf = (table: TransferTable): string => {
  const counts = seedCounts(table);
  const units = describeUnits(table);
  const seeds =
    counts.length > 1
      ? 'numbers of seeds in brackets'
      : counts.length === 1
        ? `${counts[0]} ${counts[0] === 1 ? 'seed' : 'seeds'} a row`
        : '';
  const caption = [units.startsWith('in ') ? `values ${units}` : units, seeds].filter(Boolean).join('; ');
  return caption === '' ? 'Rows without seeds.' : escapeMarkdown(`${caption[0]!.toUpperCase()}${caption.slice(1)}.`);
};

const valueTable = (table: TransferTable): string => {
  const { columns, methods, cells, best } = table;
  const count = seedCounts(table).length > 1;
  const rows = methods.map((method, row) => [
    escapeMarkdown(method) + (isControl(method) ? ' (control)' : ''),
    ...columns.map((_, k) => {
      const text = formatValue(cells[row]![k], count);
      return best[k] === row ? `**${text}**` : text;
    }),
  ]);
  return markdownTable(['row', ...headsOf(table)], rows, `l${'r'.repeat(columns.length)}`);
};

const leadTable = (table: TransferTable): string => {
  const rows = compareWithControls(table).map(({ method, control, leads }) => [
    `${escapeMarkdown(method)} - ${escapeMarkdown(control)}`,
    ...leads.map((entry, k) => formatLead(entry, table.columns[k]!.metric)),
  ]);
  return markdownTable(['lead', ...headsOf(table)], rows, `l${'r'.repeat(table.columns.length)}`);
};

const headsOf = ({ columns }: TransferTable): string[] => columns.map((column) => escapeMarkdown(columnHead(column)));
