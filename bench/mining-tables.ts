import type { MiningRow } from './mining-row.js';
import type { WorkerRow } from './mining-workers.js';

/** A row of the comparison: what it came to, and its speed beside the native pipeline's where that ran too. */
export type ComparedRow = ReturnType<MiningRow['summary']> & {
  readonly name: string;
  readonly ratio?: number;
  readonly interval?: readonly [number, number];
};

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const profileOf = (profile: Readonly<Record<string, number>>): string =>
  Object.entries(profile)
    .sort(([, a], [, b]) => b - a)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(', ');

const printTable = (header: readonly string[], rows: readonly (readonly string[])[]): void => {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  for (const row of [header, ...rows]) {
    const cells = row.map((cell, i) =>
      i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]),
    );
    console.log(`  ${cells.join('  ')}`.trimEnd());
  }
};

/** Prints speed and yield of the rows of a schedule. */
export const printRows = (rows: readonly ComparedRow[]): void => {
  const header = [
    '',
    'frames / CPU s',
    'of native [95 %]',
    'pairs',
    'pairs / CPU s',
    'clips with any',
    'changing',
    'largest share',
    'profile',
  ];
  printTable(
    header,
    rows.map((row) => [
      row.name,
      row.framesAProcessorSecond.toFixed(0),
      row.ratio === undefined
        ? ''
        : `${row.ratio.toFixed(2)} [${row.interval!.map((end) => end.toFixed(2)).join(', ')}]`,
      String(row.pairs),
      (row.pairs / row.cpuSeconds).toFixed(2),
      String(row.clipsWithPairs),
      percent(row.changingShare),
      percent(row.largestShare),
      profileOf(row.profile),
    ]),
  );
};

/** Prints what time-steps and tracks came to, row beside row. */
export const printOutcomes = (rows: readonly ComparedRow[]): void => {
  const names = [...new Set(rows.flatMap(({ outcomes }) => Object.keys(outcomes)))].sort();
  printTable(
    ['', ...rows.map(({ name }) => name), ''],
    names.map((outcome) => [outcome, ...rows.map(({ outcomes }) => String(outcomes[outcome] ?? 0)), '']),
  );
};

/** Largest parts that are told one by one. */
const MOST_PARTS = 16;

/** Prints what the parts of each row take a frame, in milliseconds of processor time, the largest first. */
export const printProfiles = (rows: readonly ComparedRow[]): void => {
  const parts = [...new Set(rows.flatMap(({ profile }) => Object.keys(profile)))];
  const most = (part: string): number => Math.max(...rows.map(({ profile }) => profile[part] ?? 0));
  const told = parts.sort((a, b) => most(b) - most(a)).slice(0, MOST_PARTS);
  const ms = ({ cpuSeconds, frames }: ComparedRow, share: number): string =>
    ((1000 * share * cpuSeconds) / frames).toFixed(2);
  const sumOfTold = ({ profile }: ComparedRow): number => told.reduce((sum, part) => sum + (profile[part] ?? 0), 0);
  printTable(
    ['', ...rows.map(({ name }) => name), ''],
    [
      ...told.map((part) => [part, ...rows.map((row) => ms(row, row.profile[part] ?? 0)), '']),
      ['the rest', ...rows.map((row) => ms(row, 1 - sumOfTold(row))), ''],
      ['all', ...rows.map((row) => ms(row, 1)), ''],
    ],
  );
};

/** Prints 1 worker beside 2. */
export const printWorkers = (rows: readonly WorkerRow[]): void => {
  const seconds = (passes: WorkerRow['one'], pick: 'seconds' | 'cpuSeconds'): string =>
    passes.map((pass) => pass[pick].toFixed(1)).join(', ');
  printTable(
    [
      '',
      '1: wall s',
      '2: wall s',
      '1: CPU s',
      '2: CPU s',
      'speed-up',
      'ideal',
      'CPU growth',
      'processors busy, 1 and 2',
    ],
    rows.map(({ name, one, two, speedup, idealSpeedup, cpuGrowth, busy }) => [
      name,
      ...[seconds(one, 'seconds'), seconds(two, 'seconds'), seconds(one, 'cpuSeconds'), seconds(two, 'cpuSeconds')],
      ...[speedup, idealSpeedup, cpuGrowth].map((value) => value.toFixed(2)),
      busy.map((value) => value.toFixed(2)).join(' and '),
    ]),
  );
};
