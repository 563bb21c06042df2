import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { FuzzReport } from './fuzz.js';
import type { Outcome } from './fuzzed-reader.js';

/** What is kept of a reader's fuzzing. */
export type FuzzRow = {
  readonly reader: string;
  readonly cases: number;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly slowestSeconds: number;
  readonly mostMegabytes: number;
};

/** A reader's row of results. */
export const rowOf = ({ reader, verdicts }: FuzzReport): FuzzRow => {
  const outcomes: Partial<Record<Outcome, number>> = {};
  for (const { outcome } of verdicts) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    ...{ reader, cases: verdicts.length, outcomes },
    slowestSeconds: Number(Math.max(...verdicts.map(({ seconds }) => seconds)).toFixed(3)),
    mostMegabytes: Math.round(Math.max(...verdicts.map(({ megabytes }) => megabytes))),
  };
};

/** Puts a reader's row into the file that the environment names (`VIDEO_SSL_FUZZ=FILE.json`), in place of an earlier one of its name. */
export const noteReport = (report: FuzzReport, file = process.env['VIDEO_SSL_FUZZ']): void => {
  if (file === undefined || file === '') return;
  const rows = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { readers: FuzzRow[] }).readers : [];
  const others = rows.filter(({ reader }) => reader !== report.reader);
  const readers = [...others, rowOf(report)].sort((a, b) => (a.reader < b.reader ? -1 : 1));
  writeFileSync(
    file,
    `${JSON.stringify({ command: 'VIDEO_SSL_FUZZ=FILE.json npm run test:long', readers }, null, 1)}\n`,
  );
};
