// Times what augmentation adds to a training step of the trunk `small` (two views of 64 pictures at 96 px: forward, ranking loss,
// backward, AdamW), policy by policy, all in one run and taking turns:
//
//   alone     rendering the 128 views in the main thread, by itself, as a share of a step on views that lie ready in memory
//   in turn   what whole steps take longer when each is rendered before it is computed
//   ahead     what they take longer when threads render the next one meanwhile, as the training loop does
//
// In brackets the same in processor time.
//
// Exit 1 if a policy adds more than 15 % to a step as the training loop does it, in time and in processor time: a busy machine
// may take more from one side than from the other, but a program that is slower is slower in both.
//
//   npm run bench:augmentation [-- --rounds 7] [--steps 5] [--threads 2] [--device auto|cpu|gpu|wasm] [--policies simclr,full]
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { drawAugmentation, type ViewSpec } from '../src/images/augmentation.js';
import { augmentationPolicies, type AugmentationName } from '../src/images/augmentation-policies.js';
import { pixelCacheOf } from '../src/images/pixel-cache.js';
import { sampleSource } from '../src/images/sample-source.js';
import { buildTrunk } from '../src/network/build-trunk.js';
import { RandomStream } from '../src/numeric/random.js';
import { median } from '../src/numeric/statistics.js';
import { describeRuntime, openRuntime, type DeviceChoice } from '../src/runtime/open.js';
import { tf, type Tensor4D, type Variable } from '../src/runtime/tensors.js';
import { adamw } from '../src/training/adamw.js';
import type { Source } from '../src/training/method.js';
import { trainStep } from '../src/training/train-step.js';
import { createTriplet } from '../src/triplet/triplet.js';

const allowedShare = 0.15;
const batch = 64;
const pictures = 256;
const cacheSize = 128;

/** What the two views of a sample are drawn by. */
const recipes: Readonly<Record<string, readonly [AugmentationName, AugmentationName]>> = {
  paper: ['paper', 'paper'],
  full: ['full', 'full'],
  npid: ['npid', 'npid'],
  'moco-v2': ['moco-v2', 'moco-v2'],
  simclr: ['simclr', 'simclr'],
  byol: ['byol-first', 'byol-second'],
  swav: ['swav-global', 'swav-global'],
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    device: { type: 'string', default: 'auto' },
    policies: { type: 'string', default: Object.keys(recipes).join(',') },
  },
});
const rounds = Number(values.rounds);
const stepsPerRound = Number(values.steps);

/** Pictures as photographs are: brightness with all detail and some noise, colours that change more slowly. */
const drawPictures = () => {
  const random = RandomStream.of(1, 'bench augmentation');
  return Array.from({ length: pictures }, () => {
    const waves = Array.from({ length: 9 }, () => random.uniform(0.02, 0.2));
    const data = new Uint8Array(cacheSize * cacheSize * 3);
    for (let i = 0; i < data.length; i += 3) {
      const [x, y] = [(i / 3) % cacheSize, Math.floor(i / 3 / cacheSize)];
      const light = 128 + 50 * Math.sin(3 * (x * waves[0]! + y * waves[1]!)) + random.uniform(-8, 8);
      for (let c = 0; c < 3; c++) {
        const colour = 30 * (Math.sin(x * waves[c + 2]! - y * waves[c + 5]!) + Math.cos(y * waves[c + 3]!));
        data[i + c] = Math.min(255, Math.max(0, light + colour));
      }
    }
    return { width: cacheSize, height: cacheSize, channels: 3 as const, data };
  });
};

const runtime = await openRuntime({ device: values.device as DeviceChoice, threads: Number(values.threads) });
console.log(describeRuntime(runtime).join('\n'));
console.log(`${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, ${batch} x 2 views of 96 px a step`);

const trunk = buildTrunk('small', { random: RandomStream.of(1, 'bench') });
const order = Int32Array.from({ length: pictures }, (_, i) => i);
const parts = {
  cache: pixelCacheOf(drawPictures()),
  a: order,
  b: order,
  video: order,
  videos: pictures,
  digest: 'bench',
  target: trunk,
};
const source = sampleSource(parts);
/** Keeps its threads from round to round, as in one long training. */
const aheadSource = sampleSource(parts);
const method = createTriplet<ViewSpec>({ drawView: () => ({}) as ViewSpec, margin: 0.5, steps: 1 });
method.init(trunk, {} as Source<ViewSpec>, RandomStream.of(2, 'bench'));
const variables = new Map<string, Variable>(trunk.variables);
const optimizer = adamw({ weightDecay: 1e-2 });
const optimizerState = optimizer.init(variables);
let done = 0;

const drawStep = ([first, second]: readonly [AugmentationName, AugmentationName], step: number) => ({
  indices: Int32Array.from(RandomStream.of(1, 'order', step).sample(pictures, batch)),
  views: Array.from({ length: batch }, (_, row): ViewSpec[] => {
    const random = RandomStream.of(1, 'views', step, row);
    return [
      { end: 'a', augmentation: drawAugmentation(augmentationPolicies[first], random) },
      { end: 'b', augmentation: drawAugmentation(augmentationPolicies[second], random) },
    ];
  }),
});

const compute = (tensors: readonly Tensor4D[], indices: Int32Array): void => {
  const { loss, signals } = trainStep({
    method,
    variables,
    optimizer,
    optimizerState,
    rules: new Map(),
    learningRate: 1e-3,
    tensors,
    batch: { indices, videos: indices, step: done, epoch: 0, random: RandomStream.of(1, 'step', done) },
  });
  loss.dataSync();
  loss.dispose();
  for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
  done++;
};

const dispose = (tensors: readonly Tensor4D[]): void => tensors.forEach((tensor) => tensor.dispose());

/** Milliseconds a step, of the clock and of all processors together. */
type Taken = { readonly wall: number; readonly cpu: number };

/** Medians of some steps. */
const timed = (body: (step: number) => void): Taken => {
  const taken = Array.from({ length: stepsPerRound }, (_, step) => {
    const began = performance.now();
    const used = process.cpuUsage();
    body(step);
    const { user, system } = process.cpuUsage(used);
    return { wall: performance.now() - began, cpu: (user + system) / 1000 };
  });
  return { wall: median(taken.map(({ wall }) => wall)), cpu: median(taken.map(({ cpu }) => cpu)) };
};

type Recipe = readonly [AugmentationName, AugmentationName];

const alone = (recipe: Recipe): Taken =>
  timed((step) => {
    const { indices, views } = drawStep(recipe, step);
    dispose(source.render(indices, views));
  });

/** A step on views that lie rendered in memory: what is left of it without augmentation. */
const onReadyViews = (recipe: Recipe): Taken => {
  const { indices, views } = drawStep(recipe, 0);
  const rendered = source.render(indices, views).map((tensor) => {
    const values = tensor.dataSync<'float32'>().slice();
    const { shape } = tensor;
    tensor.dispose();
    return { values, shape };
  });
  return timed(() => {
    const tensors = rendered.map(({ values, shape }) => tf.tensor4d(values, shape));
    compute(tensors, indices);
    dispose(tensors);
  });
};

const inTurn = (recipe: Recipe): Taken =>
  timed((step) => {
    const { indices, views } = drawStep(recipe, step);
    const tensors = source.render(indices, views);
    compute(tensors, indices);
    dispose(tensors);
  });

const ahead = (recipe: Recipe): Taken => {
  let next = drawStep(recipe, 0);
  aheadSource.prepare(next.indices, next.views);
  const taken = timed((step) => {
    const { indices, views } = next;
    const tensors = aheadSource.render(indices, views);
    next = drawStep(recipe, step + 1);
    aheadSource.prepare(next.indices, next.views);
    compute(tensors, indices);
    dispose(tensors);
  });
  dispose(aheadSource.render(next.indices, next.views));
  return taken;
};

const percent = (share: number): string => `${(share * 100).toFixed(1).padStart(5)} %`;
const failures: string[] = [];
inTurn(recipes['paper']!);
for (const name of values.policies.split(',')) {
  const recipe = recipes[name];
  if (!recipe) throw new RangeError(`Expected \`--policies\` of ${Object.keys(recipes).join(', ')}, got \`${name}\``);
  alone(recipe);
  ahead(recipe);
  const taken = Array.from({ length: rounds }, () => ({
    ready: onReadyViews(recipe),
    alone: alone(recipe),
    inTurn: inTurn(recipe),
    ahead: ahead(recipe),
  }));
  const medianOf = (pick: (round: (typeof taken)[number]) => number): number => median(taken.map(pick));
  const added = medianOf((round) => round.ahead.wall / round.ready.wall - 1);
  const addedCpu = medianOf((round) => round.ahead.cpu / round.ready.cpu - 1);
  const share = (pick: (round: (typeof taken)[number]) => Taken, beside: 0 | 1): string => {
    const [wall, cpu] = (['wall', 'cpu'] as const).map((of) =>
      medianOf((round) => pick(round)[of] / round.ready[of] - beside),
    );
    return `${percent(wall!)} (${percent(cpu!).trim()})`.padEnd(20);
  };
  const ready = `${medianOf((round) => round.ready.wall).toFixed(0)} ms (${medianOf((round) => round.ready.cpu).toFixed(0)})`;
  console.log(
    `${name.padEnd(8)} step ${ready.padEnd(17)} alone ${share((round) => round.alone, 0)} ` +
      `in turn ${share((round) => round.inTurn, 1)} ahead ${share((round) => round.ahead, 1)}`,
  );
  if (!(Math.min(added, addedCpu) <= allowedShare)) {
    failures.push(`${name} adds ${percent(Math.min(added, addedCpu)).trim()} to a step, more than 15 %`);
  }
}
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
