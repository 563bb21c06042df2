import { codeSpan, markdownSentence, markdownTable } from './markdown.js';
import { describeRejected, type RejectedRun } from './rejected-runs.js';
import { orderMethods } from './transfer-table.js';

/** What a method's training took and came to: means over its seeds. */
export type TrainingRow = {
  readonly method: string;
  /** Training runs behind the numbers. */
  readonly runs: number;
  readonly steps: number;
  /** Of one run, data included. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** The most memory that the process held while it ran (`watchPeakMemory`); what runs before never gave back is in it. */
  readonly memoryMb: number | undefined;
  /** Loss at the end, and that of a network that has learned nothing. */
  readonly loss: number | undefined;
  readonly uniform: number | undefined;
  /** Directions in use among the embeddings of a batch, at the end. */
  readonly effectiveRank: number | undefined;
};

/** How the numbers are to be read. */
export const aboutTraining =
  'Means over the runs of a method. Losses are of different kinds and not comparable between methods; beside each stands the loss of a network that has learned nothing. Memory is the most that the process held while it trained, the pixels and what earlier trainings never gave back included.';

const fixed = (value: number | undefined, digits: number): string => {
  if (value === undefined || !Number.isFinite(value)) return '-';
  // No `-0.000`.
  return value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');
};

const head = [
  'method',
  'runs',
  'steps',
  'seconds',
  'images/s',
  'memory, MB',
  'loss',
  'loss of nothing learned',
  'effective rank',
] as const;

const cellsOf = (row: TrainingRow): string[] => [
  row.method,
  String(row.runs),
  String(row.steps),
  fixed(row.seconds, 0),
  fixed(row.imagesPerSecond, 0),
  fixed(row.memoryMb, 0),
  fixed(row.loss, 3),
  fixed(row.uniform, 3),
  fixed(row.effectiveRank, 1),
];

/**
 * Column heads, and what the rows say, as plain text: name first, then numbers. A method of which every run was rejected has its
 * place among the others, without numbers.
 */
export const trainingCells = (
  rows: readonly TrainingRow[],
  rejected: readonly RejectedRun[] = [],
): { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } => {
  const trained = new Map(rows.map((row) => [row.method, row]));
  const names = orderMethods([...trained.keys(), ...rejected.map(({ method }) => method)]);
  return {
    head,
    rows: names.map((name) => {
      const row = trained.get(name);
      return row ? cellsOf(row) : [name, ...head.slice(1).map(() => '-')];
    }),
  };
};

/** The table as Markdown, below it why runs were rejected; nothing where nothing was trained. */
export const trainingSection = (rows: readonly TrainingRow[], rejected: readonly RejectedRun[] = []): string[] => {
  const { head: heads, rows: cells } = trainingCells(rows, rejected);
  if (cells.length === 0) return [];
  const named = cells.map(([name, ...numbers]) => [codeSpan(name!), ...numbers]);
  const reasons = rejected.map((run) => `- ${markdownSentence(describeRejected(run))}`).join('\n');
  return [
    aboutTraining,
    markdownTable(heads, named, `l${'r'.repeat(heads.length - 1)}`),
    ...(reasons === '' ? [] : ['Rejected:', reasons]),
  ];
};
