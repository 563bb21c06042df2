import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FuzzedReader, Outcome, Verdict } from './fuzzed-reader.js';
import type { CaseMessage } from './read-cases.js';

const program = fileURLToPath(new URL('./read-cases.js', import.meta.url));

/** Verdicts on all cases of a reader. */
export type FuzzReport = { readonly reader: string; readonly verdicts: readonly Verdict[] };

const megabytesOf = ({ pid }: ChildProcess): number => {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20;
  } catch {
    return 0; // gone, or not Linux: then the process itself tells
  }
};

/** Processor time of a process so far, seconds. */
const processorTimeOf = ({ pid }: ChildProcess): number => {
  try {
    // Fields 14 and 15, in hundredths; the name before them may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
};

/** Longest time for a case that uses no processor: one that waits. Long, since the machine may be busy with others. */
const mostWaitMs = 60_000;

/**
 * Reads samples, hand-made cases and `count` random mutants with each reader, in a process of its own that is ended when a case takes more
 * time or memory than its reader is given, and begun again behind it.
 *
 * @param module path of the module that exports `readers`
 */
export const fuzz = async (
  module: string,
  readers: readonly FuzzedReader[],
  count: number,
  seed = 8,
): Promise<readonly FuzzReport[]> => {
  const root = await mkdtemp(path.join(tmpdir(), 'fuzz-'));
  const verdicts: Verdict[] = [];
  const names = JSON.stringify(readers.map(({ name }) => name));
  try {
    for (let from = 0, total = Infinity; from < total; from = verdicts.length) {
      const told = await readCases([module, names, root, String(count), String(seed), String(from)], readers, verdicts);
      total = told ?? total;
      if (verdicts.length === from && from < total)
        throw new Error(`The cases of ${names} cannot be read on from ${from}`);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return readers.map(({ name }) => ({ reader: name, verdicts: verdicts.filter(({ reader }) => reader === name) }));
};

type Open = Extract<CaseMessage, { kind: 'begin' }> & {
  readonly at: number;
  readonly processorTime: number;
  readonly bounds: Bounds;
};
type Bounds = { readonly seconds: number; readonly megabytes: number };

const boundsOf = (readers: readonly FuzzedReader[], wanted: string): Bounds => {
  const { seconds = 10, megabytes = 256 } = readers.find(({ name }) => name === wanted)!;
  return { seconds, megabytes };
};

/** Runs one process until it ends; pushes verdicts, that on the case it died of among them. Gives the number of cases. */
const readCases = (
  args: readonly string[],
  readers: readonly FuzzedReader[],
  verdicts: Verdict[],
): Promise<number | undefined> =>
  new Promise((resolve) => {
    const child = fork(program, args, {
      execArgv: ['--max-old-space-size=2048'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let complaint = '';
    child.stderr!.on('data', (data: Buffer) => (complaint = (complaint + data.toString()).slice(-2000)));
    let total: number | undefined;
    let open: Open | undefined;
    let peak = 0;
    let killed: Outcome | undefined;
    const end = (outcome: Outcome): void => {
      killed ??= outcome;
      child.kill('SIGKILL');
    };
    const watch = setInterval(() => {
      if (!open) return;
      peak = Math.max(peak, megabytesOf(child) - open.baseMegabytes);
      if (peak > open.bounds.megabytes) end('grew');
      else if (processorTimeOf(child) - open.processorTime > open.bounds.seconds) end('hung');
      else if (performance.now() - open.at > mostWaitMs) end('hung');
    }, 20);
    child.on('message', (message: CaseMessage) => {
      if (message.kind === 'cases') total = message.count;
      else if (message.kind === 'begin') {
        const [at, processorTime] = [performance.now(), processorTimeOf(child)];
        open = { ...message, at, processorTime, bounds: boundsOf(readers, message.reader) };
        peak = 0;
      } else {
        const { kind: _, ...verdict } = message;
        const grew = verdict.megabytes > boundsOf(readers, verdict.reader).megabytes;
        verdicts.push(grew ? { ...verdict, outcome: 'grew' } : verdict);
        open = undefined;
      }
    });
    child.on('close', () => {
      clearInterval(watch);
      if (open) {
        const { index, reader, name, at } = open;
        const [seconds, outcome] = [(performance.now() - at) / 1000, killed ?? 'crashed'];
        verdicts.push({
          index,
          reader,
          name,
          outcome,
          message: complaint.trim().slice(-300),
          seconds,
          megabytes: peak,
        });
      } else if (complaint !== '') console.error(complaint);
      resolve(total);
    });
  });
