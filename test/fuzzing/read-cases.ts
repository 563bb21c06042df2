import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FuzzedReader, Outcome, Verdict } from './fuzzed-reader.js';
import { unclear } from './judge-error.js';
import { casesOf, layOut, type Case } from './lay-out-case.js';
import { isBelow, watchOpens } from './watch-opens.js';

// The program of a process that reads hostile cases: `read-cases.js MODULE READERS FOLDER COUNT SEED FROM`. It tells its parent what it
// begins and what came of it; the parent ends it when it takes too long or too much.

/** What the process tells. */
export type CaseMessage =
  | { readonly kind: 'cases'; readonly count: number }
  | {
      readonly kind: 'begin';
      readonly index: number;
      readonly reader: string;
      readonly name: string;
      readonly baseMegabytes: number;
    }
  | ({ readonly kind: 'end' } & Verdict);

const [module, names, root, count, seed, from] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const { readers } = (await import(pathToFileURL(module).href)) as { readers: readonly FuzzedReader[] };
const chosen = readers.filter(({ name }) => (JSON.parse(names) as string[]).includes(name));

const tell = (message: CaseMessage): Promise<void> => new Promise((done) => process.send!(message, () => done()));

/** Memory of this process in MiB: now, or the most since it was last forgotten. */
const memory = (field: 'VmRSS' | 'VmHWM'): number => {
  try {
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return process.memoryUsage().rss / 2 ** 20;
  }
};
const forgetPeak = (): void => {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then the peak is that of the whole process.
  }
};

const [folder, outside] = [path.join(root, 'case'), path.join(root, 'outside')];
let opened: string[] | undefined;
watchOpens((file) => opened?.push(file));

/** Code and the system's own files; everything else that is opened must lie in the case's folder. */
const isInnocent = (file: string): boolean =>
  isBelow(realpathSync(folder), file) ||
  /\.(m?c?js|node|wasm|json)$/.test(file) ||
  /^\/(proc|sys|usr|lib|etc\/ssl)\//.test(file);

const judge = async (reader: FuzzedReader, made: Case): Promise<{ outcome: Outcome; message: string }> => {
  const wanted = made.expected ?? 'refused';
  opened = [];
  let outcome: Outcome = 'read';
  let message = '';
  try {
    await reader.read(folder);
  } catch (error) {
    const why = unclear(error);
    outcome = why === undefined ? 'refused' : 'unclear';
    message = why ?? (error as Error).message;
  }
  const files = opened;
  opened = undefined;
  const strange = files.find((file) => isBelow(outside, file) || !isInnocent(file));
  if (strange !== undefined) return { outcome: 'reached out', message: strange };
  const fits = outcome === 'unclear' || wanted === 'either' || wanted === outcome;
  return fits ? { outcome, message } : { outcome: 'unexpected', message: `${outcome}: ${message}` };
};

mkdirSync(root, { recursive: true });
const all: { readonly reader: FuzzedReader; readonly first: () => Case; readonly make: () => Case }[] = [];
for (const reader of chosen) {
  const cases = await casesOf(reader, Number(count), Number(seed));
  all.push(...cases.map((make) => ({ reader, first: cases[0]!, make })));
}
await tell({ kind: 'cases', count: all.length });
let laidOut: FuzzedReader | undefined;
for (let index = Number(from); index < all.length; index++) {
  const { reader, first, make } = all[index]!;
  // What lies beside the case is as good as the sample: only that it lies there makes it out of bounds.
  if (laidOut !== reader) layOut(first(), outside, outside);
  laidOut = reader;
  const made = make();
  layOut(made, folder, outside);
  forgetPeak();
  const base = memory('VmRSS');
  const about = { index, reader: reader.name, name: made.name };
  await tell({ kind: 'begin', ...about, baseMegabytes: base });
  const begun = process.cpuUsage();
  const judged = await judge(reader, made);
  const { user, system } = process.cpuUsage(begun);
  const seconds = (user + system) / 1e6;
  const verdict = { ...about, ...judged, seconds, megabytes: Math.max(0, memory('VmHWM') - base) };
  await tell({ kind: 'end', ...verdict, message: verdict.message.slice(0, 500) });
}
process.exit(0);
