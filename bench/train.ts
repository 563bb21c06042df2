// Times whole training steps of the trunk `small` (96 px, batch 64: forward, ranking loss, backward, SGD) beside PyTorch with the
// same weights, batch and thread, alternating the two, and compares the weights after 5 steps. Exit 1 if they differ, or if this
// project is slower than 0.9 of PyTorch in its default memory format.
//
//   npm run bench:train [-- --rounds 9] [--steps 6]
//
// The first run installs PyTorch into a virtual environment of its own, in the cache folder.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildTrunk } from '../src/network/build-trunk.js';
import { decodeSafetensors, type StoredTensor } from '../src/network/safetensors.js';
import { saveTrunk, weightsOf, modelFiles } from '../src/network/weights.js';
import { RandomStream } from '../src/numeric/random.js';
import { median } from '../src/numeric/statistics.js';
import { describeRuntime, openRuntime } from '../src/runtime/open.js';
import { tf, type Tensor4D, type Variable } from '../src/runtime/tensors.js';
import type { Source } from '../src/training/method.js';
import { sgd } from '../src/training/sgd.js';
import { trainStep } from '../src/training/train-step.js';
import { createTriplet } from '../src/triplet/triplet.js';
import { torchPython } from './python-venv.js';

const images = 64;
const checkedSteps = 5;
const settings = { margin: 0.5, negatives: 4, rate: 0.01, momentum: 0.9, weightDecay: 5e-4 };
const allowedDifference = 1e-3;
// Where a value lies within rounding of a kink (rectifier, pooling), two sound programs part by a few thousandths of a step.
const allowedPathDifference = 2e-2;
const allowedRatio = 0.9;

/** Wall and processor time of each step: on a machine with other work only the second is a property of the program. */
type Timing = {
  readonly seconds: number[];
  readonly cpuSeconds: number[];
  readonly loss: number;
  readonly peakBytes: number;
};
type Side = {
  readonly name: string;
  steps(count: number): Promise<Timing>;
  weights(): Promise<ReadonlyMap<string, StoredTensor>>;
};

const openOurs = async (folder: string): Promise<Side & { readonly size: number }> => {
  const trunk = buildTrunk('small', { random: RandomStream.of(1, 'bench') });
  await saveTrunk(folder, trunk, null);
  const random = RandomStream.of(2, 'bench');
  const size = trunk.inputSize;
  const pixels = Float32Array.from({ length: images * size * size * 3 }, () => random.normal());
  await writeFile(path.join(folder, 'batch.f32'), pixels);
  const batch = tf.tensor4d(pixels, [images, size, size, 3]);
  const tensors = tf.split(batch, 2, 0) as Tensor4D[];
  const method = createTriplet<null>({
    drawView: () => null,
    margin: settings.margin,
    negatives: settings.negatives,
    hardRatio: 1,
    randomRatio: 0,
    randomShare: 0,
    steps: 1,
  });
  method.init(trunk, {} as Source<null>, random);
  const variables = new Map<string, Variable>(trunk.variables);
  const optimizer = sgd(settings);
  const optimizerState = optimizer.init(variables);
  const pairs = Int32Array.from({ length: images / 2 }, (_, i) => i);
  let done = 0;
  return {
    name: 'this project',
    size,
    steps: async (count) => {
      const seconds: number[] = [];
      const cpuSeconds: number[] = [];
      let last = NaN;
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        const used = process.cpuUsage();
        const { loss, signals } = trainStep({
          method,
          variables,
          optimizer,
          optimizerState,
          rules: new Map(),
          learningRate: settings.rate,
          tensors,
          batch: { indices: pairs, videos: pairs, step: done, epoch: 0, random: RandomStream.of(1, 'step', done) },
        });
        last = loss.dataSync()[0]!;
        loss.dispose();
        for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
        done++;
        seconds.push((performance.now() - began) / 1000);
        const { user, system } = process.cpuUsage(used);
        cpuSeconds.push((user + system) / 1e6);
      }
      return { seconds, cpuSeconds, loss: last, peakBytes: process.resourceUsage().maxRSS * 1024 };
    },
    weights: async () => weightsOf(trunk),
  };
};

const openTorch = async (
  python: string,
  folder: string,
  size: number,
  channelsLast: boolean,
): Promise<Side & { readonly version: string; close(): void }> => {
  const name = `PyTorch ${channelsLast ? 'channels_last' : 'default'}`;
  const setup = path.join(folder, `setup-${channelsLast}.json`);
  const weights = path.join(folder, modelFiles.weights);
  const batch = path.join(folder, 'batch.f32');
  await writeFile(setup, JSON.stringify({ ...settings, weights, batch, images, size, threads: 1, channelsLast }));
  const script = path.join(import.meta.dirname, '..', '..', 'bench', 'train_torch.py');
  const child = spawn(python, [script, setup], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
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
  const { torch } = await answer<{ torch: string }>();
  return {
    name,
    version: torch,
    steps: (count) => ask<Timing>({ steps: count }),
    weights: async () => {
      const file = path.join(folder, `torch-${channelsLast}.safetensors`);
      await ask({ save: file });
      return decodeSafetensors(await readFile(file), file).tensors;
    },
    close: () => child.stdin.end(),
  };
};

/** `|a - b| / |b|` over all trained arrays as one vector; `from` is taken off both first, where given. */
const difference = (
  a: ReadonlyMap<string, StoredTensor>,
  b: ReadonlyMap<string, StoredTensor>,
  from?: ReadonlyMap<string, StoredTensor>,
): number => {
  let apart = 0;
  let length = 0;
  for (const [name, { data }] of b) {
    const own = a.get(name);
    if (own?.data.length !== data.length) throw new Error(`Expected ${name} on both sides`);
    if (name.includes('running_')) continue;
    const origin = from?.get(name)?.data;
    data.forEach((value, i) => {
      apart += (own.data[i]! - value) ** 2;
      length += (value - (origin?.[i] ?? 0)) ** 2;
    });
  }
  return Math.sqrt(apart / length);
};

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, steps: { type: 'string', default: '6' } },
});
const rounds = Number(values.rounds);
const stepsPerRound = Number(values.steps);
const python = await torchPython();
const folder = await mkdtemp(path.join(tmpdir(), 'bench-train-'));
const failures: string[] = [];
try {
  const runtime = await openRuntime({ device: 'cpu', threads: 1 });
  const ours = await openOurs(folder);
  const standard = await openTorch(python, folder, ours.size, false);
  const channelsLast = await openTorch(python, folder, ours.size, true);
  console.log(describeRuntime(runtime).join('\n'));
  console.log(
    `beside PyTorch ${standard.version}, 1 thread of ${availableParallelism()} (${cpus()[0]?.model ?? 'unknown'})`,
  );

  const before = await ours.weights();
  const sides: Side[] = [ours, standard, channelsLast];
  for (const side of sides) await side.steps(checkedSteps);
  const [own, after, other] = [await ours.weights(), await standard.weights(), await channelsLast.weights()];
  const apart = difference(own, after);
  const pathApart = difference(own, after, before);
  console.log(
    `weights after ${checkedSteps} steps: relative difference ${apart.toExponential(1)}, of the way they went ${pathApart.toExponential(1)} ` +
      `(PyTorch's two memory formats: ${difference(other, after).toExponential(1)}, ${difference(other, after, before).toExponential(1)})`,
  );
  if (!(apart <= allowedDifference)) failures.push(`the weights differ by more than ${allowedDifference}`);
  if (!(pathApart <= allowedPathDifference)) failures.push(`the steps differ by more than ${allowedPathDifference}`);

  const timings = new Map<Side, Timing[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) timings.get(side)!.push(await side.steps(stepsPerRound));
  }
  const ms = (seconds: number): string => `${(seconds * 1000).toFixed(1).padStart(7)} ms`;
  for (const side of sides) {
    const own = timings.get(side)!;
    const wall = median(own.flatMap(({ seconds }) => seconds));
    const cpu = median(own.flatMap(({ cpuSeconds }) => cpuSeconds));
    const peak = (own.at(-1)!.peakBytes / 2 ** 20).toFixed(0);
    console.log(
      `${side.name.padEnd(22)} ${ms(wall)} a step (${ms(cpu)} of processor) ${(images / wall).toFixed(0).padStart(5)} images/s, ` +
        `peak memory ${peak} MiB`,
    );
  }
  const ratioOf = (pick: (timing: Timing) => number[], other: Side): number =>
    median(timings.get(ours)!.map((timing, i) => median(pick(timings.get(other)![i]!)) / median(pick(timing))));
  for (const other of [standard, channelsLast]) {
    const [wall, cpu] = [ratioOf(({ seconds }) => seconds, other), ratioOf(({ cpuSeconds }) => cpuSeconds, other)];
    console.log(
      `speed beside ${other.name}: ${wall.toFixed(2)}, in processor time ${cpu.toFixed(2)} (medians of ${rounds} rounds)`,
    );
    // A busy machine may steal from one side more than from the other; a program that is slower is slower in both.
    if (other === standard && !(Math.max(wall, cpu) >= allowedRatio)) {
      failures.push(`the speed is ${Math.max(wall, cpu).toFixed(2)} of PyTorch's, below ${allowedRatio}`);
    }
  }
  standard.close();
  channelsLast.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
