import assert from 'node:assert/strict';
import { fuzz, type FuzzReport } from './fuzz.js';
import type { FuzzedReader, Outcome } from './fuzzed-reader.js';
import { manyMutants } from './lay-out-case.js';
import { noteReport } from './note-report.js';

const good: ReadonlySet<Outcome> = new Set(['read', 'refused']);

/** How a reader did, in a line. */
export const lineOf = ({ reader, verdicts }: FuzzReport): string => {
  const count = (outcome: Outcome): number => verdicts.filter((one) => one.outcome === outcome).length;
  const most = (field: 'seconds' | 'megabytes'): number => Math.max(...verdicts.map((one) => one[field]));
  const parts = [`${verdicts.length} cases`, `${count('read')} read`, `${count('refused')} refused`];
  return `${reader}: ${[...parts, `slowest ${most('seconds').toFixed(2)} s`, `most memory ${most('megabytes').toFixed(0)} MiB`].join(', ')}`;
};

/** Cases that went wrong, a line each. */
export const badCases = ({ verdicts }: FuzzReport): string[] =>
  verdicts
    .filter(({ outcome }) => !good.has(outcome))
    .map(({ name, outcome, message, seconds, megabytes }) => {
      const cost = `${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MiB`;
      return `${name}: ${outcome} (${cost}): ${message}`;
    });

/**
 * A test for each reader of a module: of its samples, its hand-made cases and `count` mutants each is read or refused in clear words,
 * within its bounds on time and memory, and no file outside of the case's folder is opened. Many mutants are read by a process a reader,
 * few by one for all.
 */
export const fuzzTests = (module: string, readers: readonly FuzzedReader[], count: number): void => {
  const many = count >= manyMutants;
  let together: readonly FuzzReport[] = [];
  before(async function () {
    this.timeout(120_000);
    if (process.platform !== 'linux') return this.skip();
    if (!many) together = await fuzz(module, readers, count);
  });
  for (const reader of readers) {
    it(`is read or refused in clear words, in bounds, without reaching out: ${reader.name}`, async function () {
      this.timeout(60_000 + count * 1000);
      const reports = many ? await fuzz(module, [reader], count) : together;
      const report = reports.find((one) => one.reader === reader.name)!;
      noteReport(report);
      if (many) console.log(`      ${lineOf(report)}`);
      assert.deepEqual(badCases(report), []);
    });
  }
};
