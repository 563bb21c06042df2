import type { Result } from '../pipeline/result.js';
import { controlOf } from '../transfer/statistics/controls.js';
import { compareWithControls, describeComparisons, formatLead } from './comparisons.js';
import { escapeMarkdown, markdownSentence, markdownTable, markdownWarnings } from './markdown.js';
import { describeMissing, type RejectedRun } from './rejected-runs.js';
import { splitColumns } from './split-columns.js';
import { tableCaption } from './table-caption.js';
import { notComparable, paperNumbersFor } from './paper-numbers.js';
import { aboutGains, describeGain, gainCells, gainTitle, trackingGains, type TrackingGain } from './tracking-gain.js';
import {
  arrangeResults,
  columnHead,
  controls,
  formatInterval,
  formatValue,
  isControl,
  seedCounts,
  type TransferTable,
} from './transfer-table.js';

/** As many columns with intervals as a page shows beside the rows' names. */
const mostColumns = 5;

/**
 * The transfer results as Markdown: how to read them and which rows are missing since their runs were rejected, then for each data
 * set its tables, the words, and the leads over controls; at last rows on tracks beside those on single patches (`onPatches`).
 */
export const transferSection = (
  results: readonly Result[],
  rejected: readonly RejectedRun[] = [],
  onPatches: readonly string[] = [],
): string[] => {
  const missing = markdownWarnings(describeMissing(results, rejected));
  if (results.length === 0) return ['No evaluation has finished.', ...missing];
  const tables = arrangeResults(results);
  return [
    ...explanation(results, tables),
    ...missing,
    ...tables.flatMap(tableSection),
    ...gainSection(trackingGains(tables, onPatches)),
    ...paperSection(results),
  ];
};

const explanation = (results: readonly Result[], tables: readonly TransferTable[]): string[] => {
  const names = new Set(tables.flatMap(({ methods }) => methods.map(controlOf)));
  const used = Object.keys(controls).filter((name) => names.has(name));
  const measured = results.some(({ interval }) => interval !== undefined);
  const tested = results.some(({ paired = [] }) => paired.length > 0);
  const bare = compareAll(tables).some(({ interval, standing }) => interval === undefined && standing !== 'unknown');
  return [
    `Mean ± sample standard deviation over seeds${measured ? ' [95 % interval]' : ''}. ↑ higher is better, ↓ lower is better. **Bold**: better than every other row of its column by a difference; where nothing is bold, the rows do not separate. Columns of one protocol measure the same predictions and are not independent.`,
    ...(measured ? [aboutIntervals] : []),
    ...(tested ? [aboutTests] : []),
    ...(bare ? [aboutSpread] : []),
    used.length > 0
      ? `Controls are no methods, but what a method must beat: ${used.map((name) => `${name} (${controls[name]})`).join('; ')}.`
      : 'No control was evaluated: the numbers cannot tell what the training was worth.',
  ];
};

const compareAll = (tables: readonly TransferTable[]) =>
  tables.flatMap((table) => compareWithControls(table).flatMap(({ leads }) => leads.flatMap((entry) => entry ?? [])));

const aboutIntervals =
  "The interval says where the mean would lie in 95 of 100 repetitions with other test images and other seeds. The images are resampled (2000 times, the same for every row), and the seeds, being few, enter by their standard error with the factor of Student's t (4.3 for three seeds): wide, but as wide as three seeds deserve. With one seed it holds the images alone. It takes images for independent draws: frames of one room or video are not, and there it is a lower bound. It does not hold what other training videos or other data sets would give.";

const aboutTests =
  "Methods are compared with controls on the same test images: what makes an image hard for both cancels. The interval behind a lead is that of the difference, for this comparison alone; the mark is Holm's: over all comparisons of a column together, a ▲ or ▼ is chance in at most 5 of 100 columns. ○ does not say that two rows are equal, only that these images and seeds do not show a difference.";

const aboutSpread =
  'Where no test on images was possible (too few of them, or none on record), a difference is a lead beyond the spread over seeds, `sqrt(std_a² + std_b²)`: weak evidence. With three seeds a side, two rows of equal worth are that far apart in this direction in about 8 of 100 comparisons (one-sided p of about 0.08), and it does not hold the sampling error of the test set.';

const tableSection = (table: TransferTable): string[] => {
  const comparisons = compareWithControls(table);
  const parts = splitColumns(table, mostColumns);
  return [
    `### ${escapeMarkdown(table.dataset)} (${escapeMarkdown(table.task)})`,
    captionOf(table),
    ...parts.map(valueTable),
    describeComparisons(table)
      .map((sentence) => `- ${markdownSentence(sentence)}`)
      .join('\n'),
    ...(comparisons.length > 0
      ? [
          ...parts.filter((part) => compareWithControls(part).length > 0).map(leadTable),
          'Lead in the direction that is better: ▲ better by a difference, ▼ worse by a difference, ○ no difference shown, ? unknown (one seed).',
        ]
      : []),
  ];
};

const captionOf = (table: TransferTable): string => {
  const caption = tableCaption(table);
  return caption === '' ? 'Rows without seeds.' : escapeMarkdown(`${caption[0]!.toUpperCase()}${caption.slice(1)}.`);
};

const valueTable = (table: TransferTable): string => {
  const { columns, methods, cells, best } = table;
  const count = seedCounts(table).length > 1;
  const rows = methods.map((method, row) => [
    escapeMarkdown(method) + (isControl(method) ? ' (control)' : ''),
    ...columns.map((_, k) => {
      const result = cells[row]![k];
      const text = formatValue(result, count);
      const interval = formatInterval(result);
      return `${best[k] === row ? `**${text}**` : text}${interval === '' ? '' : `<br>${interval}`}`;
    }),
  ]);
  return markdownTable(['row', ...headsOf(table)], rows, `l${'r'.repeat(columns.length)}`);
};

const leadTable = (table: TransferTable): string => {
  const rows = compareWithControls(table).map(({ method, control, leads }) => [
    `${escapeMarkdown(method)} - ${escapeMarkdown(control)}`,
    ...leads.map((entry, k) => formatLead(entry, table.columns[k]!.metric).replace(' [', '<br>[')),
  ]);
  return markdownTable(['lead', ...headsOf(table)], rows, `l${'r'.repeat(table.columns.length)}`);
};

const headsOf = ({ columns }: TransferTable): string[] => columns.map((column) => escapeMarkdown(columnHead(column)));

/** A table a row on tracks, beside its method on single patches. */
const gainSection = (gains: readonly TrackingGain[]): string[] =>
  gains.length === 0
    ? []
    : [
        `### ${gainTitle}`,
        markdownSentence(aboutGains),
        ...gains.flatMap((gain) => {
          const { head, rows } = gainCells(gain);
          return [
            markdownSentence(describeGain(gain)),
            markdownTable(
              head.map(escapeMarkdown),
              rows.map((row) => row.map(escapeMarkdown)),
              'llrrrl',
            ),
          ];
        }),
      ];

/** What the papers' authors measured, under a head of its own, for the tasks and methods that this run has too. */
const paperSection = (results: readonly Result[]): string[] => {
  const numbers = paperNumbersFor(results);
  if (numbers.length === 0) return [];
  const rows = numbers.map(({ what, metric, value, source }) => [what, metric, value, source].map(escapeMarkdown));
  return [
    "### The papers' own numbers",
    notComparable,
    markdownTable(['what', 'metric', 'value', 'source'], rows, 'llrl'),
  ];
};
