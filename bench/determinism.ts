// Is training the same to the byte? Trains every trunk and every method twice, each time in a fresh process, and compares weights, running
// statistics, heads, optimiser and the method's own state every few steps. Where two runs differ they are run again with the output of
// every op hashed, and the first op that differs is named.
//
// Then the check of the check: a case with one thread beside the same with two, which may differ; there too the op is named.
//
// Ends with the ops that src/runtime/ops asks TensorFlow for by name, and which of them no case ran. Exit 1 if two runs differ.
//
//   node dist/bench/determinism.js [--steps 200] [--threads 2] [--only REGEXP] [--out FILE.json]
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { determinismCases, type DeterminismCase } from './determinism-cases.js';
import type { SideAnswer, SideTask } from './determinism-side.js';
import { firstDifference, firstOpThatDiffers } from './determinism-trace.js';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '200' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});
const steps = Number(values.steps);
const threads = Number(values.threads);
const cases = determinismCases.filter(({ name }) => new RegExp(values.only).test(name));
const side = path.join(import.meta.dirname, 'determinism-side.js');

const runSide = async (task: SideTask): Promise<SideAnswer> => {
  const { stdout } = await promisify(execFile)(process.execPath, [side, JSON.stringify(task)], {
    maxBuffer: 1 << 30,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as SideAnswer;
};

/** Two fresh processes, one after the other; of two numbers of threads, the first has the first. */
const runTwice = async (
  { name, share }: DeterminismCase,
  [first, second]: readonly [number, number],
  steps: number,
): Promise<{ one: SideAnswer; other: SideAnswer; difference?: Difference }> => {
  const printEvery = Math.max(1, Math.round((steps * share) / 20));
  const task = { name, steps, printEvery };
  const one = await runSide({ ...task, threads: first });
  const other = await runSide({ ...task, threads: second });
  const found = firstDifference(one.states, other.states);
  if (!found) return { one, other };
  const record = [found.equalAt, found.step] as const;
  const [opsOfOne, opsOfOther] = [
    await runSide({ ...task, threads: first, record }),
    await runSide({ ...task, threads: second, record }),
  ];
  const op = firstOpThatDiffers(opsOfOne.prints, opsOfOther.prints);
  return {
    one,
    other,
    difference: { step: found.step, parts: found.parts, ...(op ? { op: op.op, shapes: op.shapes } : {}) },
  };
};

type Difference = {
  /** The first state that differs is that of this step. */
  readonly step: number;
  readonly parts: readonly string[];
  /** The first op that gave other bytes; absent where two further runs were the same. */
  readonly op?: string;
  readonly shapes?: readonly string[];
};

const describe = (difference: Difference | undefined): string => {
  if (!difference) return 'equal';
  const { step, parts, op, shapes } = difference;
  const first = op ? `first op that differs: ${op} ${shapes!.join(' ')}` : 'run again, no op differed';
  return `DIFFERENT at step ${step} (${parts.join(', ')}); ${first}`;
};

/** Names of TensorFlow's ops that a room asks for by name, by file. */
const namedOps = (folder: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts')))
    for (const [, op] of readFileSync(path.join(folder, file), 'utf8').matchAll(/nativeOp\(\s*'(\w+)'/g))
      found.set(op!, file);
  return found;
};

const rows: object[] = [];
const controls: object[] = [];
const named = namedOps(path.join('src', 'runtime', 'ops'));
const ops = new Map<string, number>();
let version = '';

/** After every case, so that what was measured stays where a long run is ended. */
const write = (): void => {
  if (!values.out) return;
  const sorted = [...ops].sort(([a], [b]) => (a < b ? -1 : 1));
  const result = {
    machine: { processor: cpus()[0]!.model.trim(), cores: cpus().length },
    tensorflow: version,
    ...{ steps, threads, cases: rows, otherThreads: controls },
    ops: {
      run: Object.fromEntries(sorted),
      named: [...named.keys()].sort(),
      notRun: [...named.keys()].filter((op) => !ops.has(op)).sort(),
    },
  };
  writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
};

let different = 0;
console.log(`${steps} steps, twice, each in a fresh process with ${threads} threads`);
for (const asked of cases) {
  const { one, other, difference } = await runTwice(asked, [threads, threads], steps);
  for (const [op, count] of Object.entries(one.ops)) ops.set(op, (ops.get(op) ?? 0) + count);
  version = one.version;
  if (difference) different++;
  const { name, architecture, method, optimizer } = asked;
  const processorSeconds = Math.round((one.cpuSeconds + other.cpuSeconds) * 10) / 10;
  rows.push({
    ...{ name, architecture, method, optimizer, steps: one.steps, statesCompared: one.states.length },
    ...{ equal: !difference, ...(difference ? { difference } : {}), processorSeconds },
    trunk: one.states.at(-1)!.parts['trunk'],
  });
  const verdict = `${String(one.steps).padStart(4)} steps  ${describe(difference)}`;
  console.log(`${name.padEnd(26)} ${verdict}  (${processorSeconds} s of processor time)`);
  write();
}
for (const asked of threads === 1 ? [] : cases.filter(({ name }) => ['triplet, small', 'rotnet'].includes(name))) {
  const { one, difference } = await runTwice(asked, [1, threads], Math.min(steps, 10));
  const found = difference ? { difference } : {};
  controls.push({ name: asked.name, threads: [1, threads], steps: one.steps, equal: !difference, ...found });
  console.log(`${asked.name} with 1 thread beside ${threads}: ${describe(difference)}`);
}
write();

const idle = [...named].filter(([op]) => !ops.has(op));
const ran = `${named.size - idle.length} of the ${named.size} that src/runtime/ops names`;
console.log(`${ops.size} ops of TensorFlow ran, ${ran}`);
for (const [op, file] of idle) console.log(`  not run: ${op} (${file})`);
if (different > 0) {
  console.log(`${different} of ${cases.length} cases differ`);
  process.exitCode = 1;
}
