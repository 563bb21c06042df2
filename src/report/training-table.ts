import { codeSpan, markdownTable } from './markdown.js';

/** What a method's training took and came to: means over its seeds. */
export type TrainingRow = {
  readonly method: string;
  /** Training runs behind the numbers. */
  readonly runs: number;
  readonly steps: number;
  /** Of one run, data included. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** The most memory that the process was seen to hold while it ran; what runs before left to it is in it. */
  readonly memoryMb: number | undefined;
  /** Loss at the end, and that of a network that has learned nothing. */
  readonly loss: number | undefined;
  readonly uniform: number | undefined;
  /** Directions in use among the embeddings of a batch, at the end. */
  readonly effectiveRank: number | undefined;
};

/** How the numbers are to be read. */
export const aboutTraining =
  'Means over the runs of a method. Losses are of different kinds and not comparable between methods; beside each stands the loss of a network that has learned nothing. Memory is that of the whole process, the pixels and what earlier runs left to it included.';

const fixed = (value: number | undefined, digits: number): string => {
  if (value === undefined || !Number.isFinite(value)) return '-';
  return value.toFixed(digits);
};

/** Column heads, and what the rows say, as plain text: name first, then numbers. */
export const trainingCells = (
  rows: readonly TrainingRow[],
): { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } => ({
  head: [
    'method',
    'runs',
    'steps',
    'seconds',
    'images/s',
    'memory, MB',
    'loss',
    'loss of nothing learned',
    'effective rank',
  ],
  rows: rows.map((row) => [
    row.method,
    String(row.runs),
    String(row.steps),
    fixed(row.seconds, 0),
    fixed(row.imagesPerSecond, 0),
    fixed(row.memoryMb, 0),
    fixed(row.loss, 3),
    fixed(row.uniform, 3),
    fixed(row.effectiveRank, 1),
  ]),
});

/** The table as Markdown; nothing where nothing was trained. */
export const trainingSection = (rows: readonly TrainingRow[]): string[] => {
  if (rows.length === 0) return [];
  const { head, rows: cells } = trainingCells(rows);
  const named = cells.map(([name, ...numbers]) => [codeSpan(name!), ...numbers]);
  return [aboutTraining, markdownTable([...head], named, `l${'r'.repeat(head.length - 1)}`)];
};
