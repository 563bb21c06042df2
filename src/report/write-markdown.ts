import type { Json } from '../pipeline/json.js';
import type { Result } from '../pipeline/result.js';
import { codeSpan, escapeMarkdown, markdownTable } from './markdown.js';
import {
  arrangeResults,
  compareWithControls,
  controls,
  describeColumn,
  formatValue,
  isControl,
} from './transfer-table.js';
import type { PlacedFigure, ReportInput, ReportStage } from './write-report.js';

const short = (hash: string): string => codeSpan(hash.slice(0, 12));

const transferSection = (results: readonly Result[]): string[] => {
  if (results.length === 0) return ['No evaluation has finished.'];
  const table = arrangeResults(results);
  const head = [
    'method',
    ...table.columns.map((column) => `${escapeMarkdown(describeColumn(column))} ${column.higherIsBetter ? '↑' : '↓'}`),
  ];
  const rows = table.methods.map((method, row) => [
    escapeMarkdown(method) + (isControl(method) ? ' (control)' : ''),
    ...table.columns.map((_, k) => {
      const text = formatValue(table.cells[row]![k]);
      return table.best[k] === row ? `**${text}**` : text;
    }),
  ]);
  const { notBeaten, beaten } = compareWithControls(table);
  const used = table.methods.filter(isControl);
  return [
    markdownTable(head, rows, `l${'r'.repeat(table.columns.length)}`),
    'Mean ± sample standard deviation over seeds (number of seeds). ↑ higher is better, ↓ lower is better. **Bold**: best of its column by more than `sqrt(std_a² + std_b²)` against every other row; where nothing is bold, the rows do not separate.',
    ...(used.length > 0
      ? [`Controls: ${used.map((name) => `${escapeMarkdown(name)} (${controls[name]})`).join('; ')}.`]
      : ['No control was evaluated: the numbers above cannot tell what the pairs were worth.']),
    ...(notBeaten.length > 0
      ? ['Where a method does not beat its control:', notBeaten.map((line) => `- ${escapeMarkdown(line)}`).join('\n')]
      : []),
    ...(beaten.length > 0
      ? ['Where it does, by more than the spread:', beaten.map((line) => `- ${escapeMarkdown(line)}`).join('\n')]
      : []),
  ];
};

const figureSection = (figures: readonly PlacedFigure[]): string[] =>
  figures.flatMap(({ figure, file }) => [
    `### ${escapeMarkdown(figure.title)}`,
    `![${escapeMarkdown(figure.title)}](${file})`,
    escapeMarkdown(figure.caption),
  ]);

const stageSection = (stages: readonly ReportStage[]): string[] => [
  markdownTable(
    ['stage', 'key', 'seconds', 'done', 'rejected', 'failed'],
    stages.map(({ name, key, seconds, items }) => [
      escapeMarkdown(name),
      short(key),
      seconds.toFixed(1),
      ...[items.done, items.rejected, items.failed].map(String),
    ]),
    'llrrrr',
  ),
];

const problemSection = (stages: readonly ReportStage[]): string[] => {
  const problems = stages.flatMap((stage) =>
    (stage.problems ?? []).map((problem) => ({ stage: stage.name, ...problem })),
  );
  if (problems.length === 0) return ['None.'];
  const rows = problems.map(({ stage, label, status, reason }) => [stage, label, status, reason].map(escapeMarkdown));
  return [markdownTable(['stage', 'item', 'status', 'reason'], rows, 'llll')];
};

const miningSection = (mining: Readonly<Record<string, number>>): string[] => {
  const entries = Object.entries(mining).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [
    markdownTable(
      ['outcome', 'count'],
      entries.map(([reason, count]) => [escapeMarkdown(reason), String(count)]),
      'lr',
    ),
  ];
};

/** `{ a: { b: 1 } }` as rows `a.b`, `1`. */
const flatten = (value: Json, prefix: string): [string, string][] => {
  if (value === null || typeof value !== 'object')
    return [[prefix, typeof value === 'string' ? value : JSON.stringify(value)]];
  if (Array.isArray(value) && value.every((entry) => entry === null || typeof entry !== 'object'))
    return [[prefix, value.join(', ')]];
  const rows = Object.entries(value).flatMap(([key, entry]) =>
    flatten(entry as Json, prefix === '' ? key : `${prefix}.${key}`),
  );
  return rows.length > 0 ? rows : [[prefix, 'none']];
};

const commandSection = (results: readonly Result[]): string[] => {
  if (results.length === 0) return ['No result, no command.'];
  const rows = results.map((result) => [
    escapeMarkdown(result.method),
    escapeMarkdown(describeColumn(result)),
    result.values.map((value, k) => `${result.seeds[k]}: ${String(value)}`).join('<br>'),
    result.weights.map(short).join('<br>') || '-',
    short(result.data),
    result.seconds.toFixed(1),
    codeSpan(result.command),
  ]);
  return [markdownTable(['method', 'what', 'seed: value', 'weights', 'data', 'seconds', 'command'], rows, 'lllllrl')];
};

/** The report as Markdown. Everything that came from outside (names, reasons, commands) is escaped. */
export const writeMarkdown = (input: ReportInput, figures: readonly PlacedFigure[]): string => {
  const section = (title: string, parts: readonly string[]): string[] =>
    parts.length > 0 ? [`## ${title}`, ...parts] : [];
  const config = flatten(input.config, '');
  return `${[
    `# ${escapeMarkdown(input.pipeline)} ${escapeMarkdown(input.version)}`,
    ...section('Transfer', transferSection(input.results)),
    ...section('Figures', figureSection(figures)),
    ...section('Stages', stageSection(input.stages)),
    ...(input.mining === undefined ? [] : section('What mining kept and refused', miningSection(input.mining))),
    ...section('Rejected and failed items', problemSection(input.stages)),
    ...section('Where every number comes from', commandSection(input.results)),
    ...section('Provenance', [
      markdownTable(
        ['what', 'value'],
        flatten(input.provenance, '').map((row) => row.map(escapeMarkdown)),
        'll',
      ),
    ]),
    ...section('Configuration', [
      markdownTable(
        ['parameter', 'value'],
        config.map((row) => row.map(escapeMarkdown)),
        'll',
      ),
    ]),
  ].join('\n\n')}\n`;
};
