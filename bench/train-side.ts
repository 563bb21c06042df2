import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { SideSetup, Timing } from './train-cases.js';

/** A program that trains, in a process of its own. */
export type Side = {
  readonly name: string;
  /** Of what it computes with. */
  readonly version: string;
  steps(count: number): Promise<Timing>;
  /** Writes its weights into a folder, and returns that. */
  save(folder: string): Promise<string>;
  close(): void;
};

/**
 * Starts this project's side, or PyTorch's where there is a `python`, and waits until it is ready.
 *
 * @param folder for its setup
 * @throws Error if it ends before its answer
 */
export const startSide = async (name: string, setup: SideSetup, folder: string, python?: string): Promise<Side> => {
  const file = path.join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(setup));
  const [program, script] = python
    ? [python, path.join(import.meta.dirname, '..', '..', 'bench', 'train_torch.py')]
    : [process.execPath, path.join(import.meta.dirname, 'train-own-side.js')];
  const threads = String(setup.threads);
  const child = spawn(program, [script, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended before its answer`);
    return JSON.parse(value as string) as T;
  };
  const ask = <T>(command: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return answer<T>();
  };
  const { version } = await answer<{ version: string }>();
  return {
    name,
    version,
    steps: (count) => ask<Timing>({ steps: count }),
    save: async (to) => (await ask<{ saved: string }>({ save: to })).saved,
    close: () => child.stdin.end(),
  };
};
