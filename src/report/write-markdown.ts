import type { Json } from '../pipeline/json.js';
import type { Result } from '../pipeline/result.js';
import { figureSection } from './figure-section.js';
import { flattenJson } from './flatten-json.js';
import { groupBy } from '../numeric/group-by.js';
import { codeBlock, codeSpan, escapeMarkdown, markdownTable, markdownWarnings } from './markdown.js';
import { describeRun } from './run-summary.js';
import { trainingSection } from './training-table.js';
import { transferSection } from './transfer-section.js';
import { describeColumn, isHash, isSeedless } from './transfer-table.js';
import type { PlacedFigure, ReportInput, ReportStage } from './write-report.js';

const short = (hash: string): string => codeSpan(hash.slice(0, 12));

/** What happened, most frequent first; what never happened is named once, in a sentence. */
const miningSection = (mining: Readonly<Record<string, number>>): string[] => {
  const entries = Object.entries(mining).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const never = entries.filter(([, count]) => count === 0).map(([reason]) => reason);
  const rows = entries
    .filter(([, count]) => count !== 0)
    .map(([reason, count]) => [escapeMarkdown(reason), String(count)]);
  return [
    ...(rows.length > 0 ? [markdownTable(['outcome', 'count'], rows, 'lr')] : []),
    ...(never.length > 0 ? [`Never: ${escapeMarkdown(never.join(', '))}.`] : []),
  ];
};

const problemSection = (stages: readonly ReportStage[]): string[] => {
  const problems = stages.flatMap((stage) =>
    (stage.problems ?? []).map((problem) => ({ stage: stage.name, ...problem })),
  );
  if (problems.length === 0) return ['None.'];
  const rows = problems.map(({ stage, label, status, reason }) => [stage, label, status, reason].map(escapeMarkdown));
  return [markdownTable(['stage', 'item', 'status', 'reason'], rows, 'llll')];
};

const stageSection = (stages: readonly ReportStage[]): string[] => [
  markdownTable(
    ['stage', 'key', 'seconds', 'done', 'rejected', 'failed'],
    stages.map(({ name, key, seconds, items: { done, rejected, failed } }) => [
      escapeMarkdown(name),
      short(key),
      seconds.toFixed(1),
      // A stage without items did its work in one piece.
      ...[done, rejected, failed].map((count) => (done + rejected + failed > 0 ? String(count) : '-')),
    ]),
    'llrrrr',
  ),
];

/** Each command once, below it its results: every value in full, with the hashes of what it was measured with. */
const sourceSection = (results: readonly Result[]): string[] => {
  if (results.length === 0) return ['No result, no command.'];
  const head = ['data set', 'what', 'row', 'value, by seed', 'weights', 'data', 'seconds'];
  return [
    'Values in full as `report.json` holds them, the first 12 digits of the sha256 of the weights (in the order of the seeds) and of the target data.',
    ...[...groupBy(results, ({ command }) => command)].flatMap(([command, own]) => [
      codeBlock(command),
      markdownTable(head, own.map(sourceRow), 'llllllr'),
    ]),
  ];
};

const sourceRow = (result: Result): string[] => [
  escapeMarkdown(result.dataset),
  escapeMarkdown(describeColumn(result)),
  escapeMarkdown(result.method),
  result.values
    .map((value, k) =>
      isSeedless(result.method, result.protocol) ? String(value) : `${result.seeds[k]}: ${String(value)}`,
    )
    .join('<br>'),
  result.weights.filter(isHash).map(short).join('<br>') || '-',
  short(result.data),
  result.seconds.toFixed(1),
];

const pairTable = (head: readonly [string, string], value: Json): string[] => [
  markdownTable(
    head,
    flattenJson(value).map((row) => row.map(escapeMarkdown)),
    'll',
  ),
];

/** The report as Markdown. Everything that came from outside (names, reasons, commands) is escaped. */
export const writeMarkdown = (input: ReportInput, figures: readonly PlacedFigure[]): string => {
  const section = (title: string, parts: readonly string[]): string[] =>
    parts.length > 0 ? [`## ${title}`, ...parts] : [];
  const seconds = input.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  return `${[
    `# ${escapeMarkdown(input.pipeline)} ${escapeMarkdown(input.version)}`,
    ...markdownWarnings(input.warnings ?? []),
    describeRun(input.run, input.results, seconds),
    ...section('Transfer', transferSection(input.results, input.rejected, input.onPatches)),
    ...section('Training', trainingSection(input.training ?? [], input.rejected)),
    ...section('Figures', figureSection(figures)),
    ...section('What mining kept and refused', miningSection(input.mining ?? {})),
    ...section('Rejected and failed items', problemSection(input.stages)),
    ...section('Stages', stageSection(input.stages)),
    ...section('Where every number comes from', sourceSection(input.results)),
    ...section('Provenance', pairTable(['what', 'value'], input.provenance)),
    ...section('Configuration', pairTable(['parameter', 'value'], input.config)),
  ].join('\n\n')}\n`;
};
