// One process of `bench/determinism.js`: trains a case and prints, as JSON in its last line, what it stood at along the way, the ops that
// ran and what each gave between two steps. Where a folder is given it keeps checkpoints there, and can end itself as `kill -9` does.
import { mkdir } from 'node:fs/promises';
import { openRuntime } from '../src/runtime/open.js';
import type { OptimizerState } from '../src/training/optimizer.js';
import { train } from '../src/training/train.js';
import { buildCase, determinismCases } from './determinism-cases.js';
import { OpTrace, printState, type OpPrint, type StatePrint } from './determinism-trace.js';

/** What the process is told, as JSON in its first argument. */
export type SideTask = {
  /** Name of the case. */
  readonly name: string;
  readonly steps: number;
  readonly threads: number;
  /** Steps between prints of the state. */
  readonly printEvery: number;
  /** Prints every op after the first of these steps and up to the second. */
  readonly record?: readonly [after: number, upTo: number];
  /** Folder of checkpoints. */
  readonly dir?: string;
  readonly checkpointEvery?: number;
  /** Ends the process by SIGKILL after this step of the run. */
  readonly killAt?: number;
  /** Also keeps the weights at the lowest loss. */
  readonly best?: boolean;
};

/** What it answers. */
export type SideAnswer = {
  readonly version: string;
  readonly steps: number;
  readonly resumedFrom: number;
  readonly states: readonly StatePrint[];
  readonly losses: readonly number[];
  /** How often each op of TensorFlow ran. */
  readonly ops: Readonly<Record<string, number>>;
  readonly prints: readonly OpPrint[];
  readonly cpuSeconds: number;
};

const task = JSON.parse(process.argv[2]!) as SideTask;
const runtime = await openRuntime({ device: 'cpu', threads: task.threads });
const trace = new OpTrace();
const built = buildCase(
  determinismCases.find(({ name }) => name === task.name)!,
  task.steps,
);
const { method, trunk, optimizer } = built;
const { steps } = built.length;
if (task.dir !== undefined) await mkdir(task.dir, { recursive: true });

let optimizerState: OptimizerState | undefined;
const states: StatePrint[] = [];
const record = task.record;
const recordFrom = (step: number): boolean => record !== undefined && step >= record[0] && step < record[1];
trace.record = recordFrom(0);
const result = await train({
  ...built,
  optimizer: { ...optimizer, init: (variables) => (optimizerState = optimizer.init(variables)) },
  logEvery: Math.max(1, Math.floor(steps / 10)),
  ...(task.dir === undefined ? {} : { dir: task.dir, checkpointEvery: task.checkpointEvery ?? 1 }),
  ...(task.best ? { best: { signal: 'loss', higher: false } } : {}),
  runtime,
  onProgress: ({ done }) => {
    trace.record = false;
    if (done % task.printEvery === 0 || done === steps) {
      states.push(printState(done, { trunk, method, optimizerState: optimizerState! }));
    }
    if (done === task.killAt) process.kill(process.pid, 'SIGKILL');
    trace.record = recordFrom(done);
  },
});
const { user, system } = process.cpuUsage();
const answer: SideAnswer = {
  ...{ version: runtime.version, steps, resumedFrom: result.resumedFrom, states },
  losses: result.history.map(({ loss }) => loss),
  ...{ ops: Object.fromEntries(trace.counts), prints: trace.prints, cpuSeconds: (user + system) / 1e6 },
};
console.log(JSON.stringify(answer));
