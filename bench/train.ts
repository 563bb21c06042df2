// Times whole training steps (forward, ranking loss, backward, SGD with momentum and weight decay; float32) beside PyTorch in both
// of its memory formats, with the same architecture, weights, batch and threads, taking turns in one run: CaffeNet, ResNet-18 for
// small pictures, and the trunk `small`. PyTorch runs the classes that docs/weights.md prints. Compares the weights after 5 steps.
//
// Exit 1 if those differ by more than 1e-3 relative, or if this project is slower than PyTorch in its default memory format.
//
//   npm run bench:train [-- --only caffenet|resnet18|small] [--threads 1] [--rounds 5] [--out FILE.json]
//
// The first run installs PyTorch into a virtual environment of its own, in the cache folder.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pytorchCode } from '../src/network/pytorch-code.js';
import { decodeSafetensors, type StoredTensor } from '../src/network/safetensors.js';
import { modelFiles } from '../src/network/weights.js';
import { median } from '../src/numeric/statistics.js';
import { interchangePython } from './python-venv.js';
import { trainCases, trainSettings, type SideSetup, type Timing, type TrainCase } from './train-cases.js';
import { startSide, type Side } from './train-side.js';

const checkedSteps = 5;
const allowedDifference = 1e-3;
/**
 * Of the way the weights went, which the first bound hardly sees. Where a value lies within rounding of a kink (rectifier, pooling)
 * two sound programs part by a few thousandths of a step, and PyTorch's two memory formats part as far: so twice their distance is
 * allowed too.
 */
const allowedPathDifference = 2e-2;
const allowedRatio = 1;

type Weights = ReadonlyMap<string, StoredTensor>;

const readWeights = async (folder: string): Promise<Weights> => {
  const file = path.join(folder, modelFiles.weights);
  return decodeSafetensors(await readFile(file), file).tensors;
};

/** `|a - b| / |b|` over all trained arrays as one vector; `from` is taken off both first, where given. */
const difference = (a: Weights, b: Weights, from?: Weights): number => {
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

/** What the sides came to after the same steps. */
const compareWeights = async (sides: readonly Side[], folder: string) => {
  const before = await readWeights(path.join(folder, 'model'));
  const after: Weights[] = [];
  for (const [i, side] of sides.entries()) {
    await side.steps(checkedSteps);
    after.push(await readWeights(await side.save(path.join(folder, `after-${i}`))));
  }
  const [own, standard, other] = after;
  return {
    weights: difference(own!, standard!),
    way: difference(own!, standard!, before),
    formatsWeights: difference(other!, standard!),
    formatsWay: difference(other!, standard!, before),
  };
};

const runCase = async (
  { name, architecture, images, steps }: TrainCase,
  { python, threads, rounds }: { readonly python: string; readonly threads: number; readonly rounds: number },
) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-train-'));
  const sides: Side[] = [];
  try {
    const code = path.join(folder, 'network.py');
    await writeFile(code, pytorchCode(architecture));
    const setup: SideSetup = {
      ...trainSettings,
      architecture,
      images,
      threads,
      model: path.join(folder, 'model'),
      batch: path.join(folder, 'batch.f32'),
      channelsLast: false,
      code,
    };
    // The own side writes what the others read.
    sides.push(await startSide('this project', setup, folder));
    sides.push(await startSide('PyTorch default', setup, folder, python));
    sides.push(await startSide('PyTorch channels_last', { ...setup, channelsLast: true }, folder, python));
    const apart = await compareWeights(sides, folder);
    const timings = sides.map((): Timing[] => []);
    const loads: number[] = [];
    for (let round = 0; round < rounds; round++) {
      loads.push(loadavg()[0]!);
      for (const [i, side] of sides.entries()) timings[i]!.push(await side.steps(steps));
    }
    const rows = sides.map((side, i) => {
      const wall = median(timings[i]!.flatMap(({ seconds }) => seconds));
      return {
        side: side.name,
        version: side.version,
        milliseconds: wall * 1000,
        processorMilliseconds: median(timings[i]!.flatMap(({ cpuSeconds }) => cpuSeconds)) * 1000,
        imagesPerSecond: images / wall,
        peakMiB: timings[i]!.at(-1)!.peakBytes / 2 ** 20,
      };
    });
    const ratio = (pick: (timing: Timing) => number[], other: number): number =>
      median(timings[0]!.map((own, round) => median(pick(timings[other]![round]!)) / median(pick(own))));
    const ratios = [1, 2].map((other) => ({
      beside: sides[other]!.name,
      wall: ratio(({ seconds }) => seconds, other),
      processor: ratio(({ cpuSeconds }) => cpuSeconds, other),
    }));
    const load = median(loads);
    return { name, architecture, images, threads, rounds, stepsPerRound: steps, load, apart, rows, ratios };
  } finally {
    for (const side of sides) side.close();
    await rm(folder, { recursive: true, force: true });
  }
};

type CaseResult = Awaited<ReturnType<typeof runCase>>;

const show = ({ name, images, load, apart, rows, ratios }: CaseResult): void => {
  console.log(`\n${name}, batch ${images}, load of the machine ${load.toFixed(1)} (these sides alone: ${threads})`);
  console.log(
    `weights after ${checkedSteps} steps: relative difference ${apart.weights.toExponential(1)}, of the way they went ` +
      `${apart.way.toExponential(1)} (PyTorch's two memory formats: ${apart.formatsWeights.toExponential(1)}, ${apart.formatsWay.toExponential(1)})`,
  );
  const ms = (value: number): string => `${value.toFixed(1).padStart(7)} ms`;
  for (const { side, milliseconds, processorMilliseconds, imagesPerSecond, peakMiB } of rows) {
    console.log(
      `${side.padEnd(22)} ${ms(milliseconds)} a step (${ms(processorMilliseconds)} of processor) ` +
        `${imagesPerSecond.toFixed(1).padStart(6)} images/s, peak memory ${peakMiB.toFixed(0)} MiB`,
    );
  }
  for (const { beside, wall, processor } of ratios) {
    console.log(`speed beside ${beside}: ${wall.toFixed(2)}, in processor time ${processor.toFixed(2)}`);
  }
};

const failuresOf = ({ name, apart, ratios }: CaseResult): string[] => {
  const failures: string[] = [];
  if (!(apart.weights <= allowedDifference))
    failures.push(`${name}: the weights differ by more than ${allowedDifference}`);
  const allowedWay = Math.max(allowedPathDifference, 2 * apart.formatsWay);
  if (!(apart.way <= allowedWay))
    failures.push(`${name}: the steps differ by more than ${allowedWay.toExponential(1)}`);
  // A busy machine may steal from one side more than from the other; a program that is slower is slower in both.
  const speed = Math.max(ratios[0]!.wall, ratios[0]!.processor);
  if (!(speed >= allowedRatio))
    failures.push(`${name}: the speed is ${speed.toFixed(2)} of PyTorch's, below ${allowedRatio}`);
  return failures;
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});
const chosen = trainCases.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  throw new Error(
    `Expected \`--only\` to be one of ${trainCases.map(({ name }) => name).join(', ')}, got \`${values.only}\``,
  );
}
const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
const python = await interchangePython();
console.log(
  `${threads} of ${availableParallelism()} threads (${cpus()[0]?.model ?? 'unknown'}), medians of ${rounds} rounds`,
);
const cases: CaseResult[] = [];
for (const one of chosen) {
  const result = await runCase(one, { python, threads, rounds });
  show(result);
  cases.push(result);
}
if (values.out) {
  await writeFile(values.out, `${JSON.stringify({ processor: cpus()[0]?.model ?? 'unknown', cases }, null, 2)}\n`);
}
const failures = cases.flatMap(failuresOf);
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
