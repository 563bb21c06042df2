// Trains the trunk `small` by image-based methods here and by their maintained peers (lightly: SimCLR, MoCo v2, BYOL, SwAV;
// solo-learn: DeepCluster v2) from the same first weights, heads and prototypes included, on the same views of the same pictures in
// the same order, with the same batch and optimiser, seed by seed, the sides taking turns, and prints k-NN accuracy of both and the
// ratio of times. Exit 1 if ours is below the peer's mean by more than the spread over seeds, a step slower by more than a tenth, or
// the losses of the first steps from equal weights are not equal.
//
//   npm run bench:peers -- --data CLASS_FOLDERS [--methods simclr,byol] [--seeds 2] [--epochs 3] [--batch 64] [--out FILE.json]
//     [--train-per-class 500] [--test-per-class 500] [--local-crops 0] [--rounds 5] [--threads N] [--channels-last]
//     [--heads shared|own] [--views shared|own] [--workers 1]
//
// `--heads own`: each side draws heads and prototypes by its own rule. `--views own`: torchvision renders the peer's views from the
// same policy, in `--workers` processes, in an order of the peer's own; in one process that takes four times as long as a step.
// Features are the mean of conv5 over its cells, after batch-norm statistics were taken anew on both sides. The first run installs
// PyTorch and the peers into a virtual environment of its own, in the cache folder. Shared views lie in the temporary folder for as
// long as a training takes: 14 MB a step of 64 samples.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { augmentationPolicies } from '../src/images/augmentation.js';
import { loadClassDataset, openClassDataset, type LoadedClasses } from '../src/images/class-dataset.js';
import { cacheSizeFor, type PixelCache } from '../src/images/pixel-cache.js';
import { architectures, buildTrunk } from '../src/network/build-trunk.js';
import type { Trunk } from '../src/network/trunk.js';
import { encodeSafetensors } from '../src/network/safetensors.js';
import { modelFiles, saveTrunk } from '../src/network/weights.js';
import type { FeatureMatrix } from '../src/neighbors/feature-matrix.js';
import { RandomStream } from '../src/numeric/random.js';
import { mean, median } from '../src/numeric/statistics.js';
import { describeRuntime, openRuntime } from '../src/runtime/open.js';
import { pooledReading, readFeatures, readingName } from '../src/transfer/features/read-features.js';
import { evaluateKnn } from '../src/transfer/knn/weighted-knn.js';
import { peerMethods } from './peers-methods.js';
import { firstParts, openStepper, stepsOf, trainOurs, type Recipe, type Training } from './peers-ours.js';
import { openPeer, peersPython, type Peer, type PeerSetup } from './peers-python.js';
import { jointSpread, judgePeer, type PeerMeasurement, type PeerVerdict } from './peers-verdict.js';

const architecture = 'small';
const layer = 'conv5';
const knn = { k: 20, sigma: 0.07 };
const statisticsImages = 1024;
const statisticsBatch = 128;
// Few, since AdamW's first steps take the sign of a gradient, that of rounding too.
const checkedSteps = 4;
const stepsARound = 4;
// Both vote by the same features: what differs is ties of rounding, in percent.
const allowedKnnDifference = 0.2;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    methods: { type: 'string', default: Object.keys(peerMethods).join() },
    seeds: { type: 'string', default: '2' },
    epochs: { type: 'string', default: '3' },
    batch: { type: 'string', default: '64' },
    out: { type: 'string' },
    'train-per-class': { type: 'string', default: '500' },
    'test-per-class': { type: 'string', default: '500' },
    'local-crops': { type: 'string', default: '0' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    workers: { type: 'string', default: '1' },
    views: { type: 'string', default: 'shared' },
    heads: { type: 'string', default: 'shared' },
    'channels-last': { type: 'boolean', default: false },
  },
});

const wholeNumber = (name: Exclude<keyof typeof options, 'channels-last' | 'views' | 'heads'>, least = 1): number => {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new RangeError(`Expected \`--${name}\` to be a whole number from ${least}, got \`${options[name]}\``);
};

if (options.data === undefined) {
  throw new RangeError('Expected `--data` to name a folder of classes (or one with a zip of them), got none');
}
const names = options.methods.split(',');
for (const name of names) {
  if (!Object.hasOwn(peerMethods, name)) {
    throw new RangeError(`Expected \`--methods\` among ${Object.keys(peerMethods).join(', ')}, got \`${name}\``);
  }
}
const seeds = wholeNumber('seeds');
const rounds = wholeNumber('rounds');
const threads = wholeNumber('threads');
const [views, heads] = (['views', 'heads'] as const).map((name) => {
  const value = options[name];
  if (value === 'shared' || value === 'own') return value;
  throw new RangeError(`Expected \`--${name}\` to be shared or own, got \`${value}\``);
});
const workers = wholeNumber('workers', 0);
// The papers' jitter: the colour steps in an order drawn anew, as torchvision does.
const policy = { ...augmentationPolicies.full, colourOrder: 'drawn' as const };
const recipe: Recipe = {
  epochs: wholeNumber('epochs'),
  batchSize: wholeNumber('batch', 2),
  learningRate: 1e-3,
  weightDecay: 1e-2,
  policy,
  localCrops: wholeNumber('local-crops', 0),
  localSize: 48,
  localPolicy: { ...policy, cropArea: [0.05, 0.25] },
};

type Rows = { readonly train: FeatureMatrix; readonly test: FeatureMatrix };
type Trained = Training & { readonly top1: number };

const channelsOf = ({ layers }: Trunk): number => layers.find(({ name }) => name === layer)!.channels;

const accuracy = ({ trainLabels, testLabels, classes }: LoadedClasses, rows: Rows): number =>
  evaluateKnn({ ...rows, trainLabels, testLabels, classes: classes.length }, knn).top1;

const readRows = (trunk: Trunk, data: LoadedClasses): Rows => {
  const reading = pooledReading(trunk, layer, 1);
  const rows = (cache: PixelCache): FeatureMatrix => readFeatures(trunk, cache, [reading]).get(readingName(reading))!;
  return { train: rows(data.train), test: rows(data.test) };
};

const readPeerRows = async (file: string, dim: number): Promise<FeatureMatrix> => {
  const { buffer, byteOffset, byteLength } = await readFile(file);
  const data = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  return { rows: data.length / dim, dim, data };
};

const trainPeer = async (peer: Peer, data: LoadedClasses, channels: number, folder: string): Promise<Trained> => {
  const { losses, seconds } = await peer.train(recipe.epochs);
  const files = { train: path.join(folder, 'peer-train.f32'), test: path.join(folder, 'peer-test.f32') };
  const { knn: own } = await peer.features(files);
  const [train, test] = [await readPeerRows(files.train, channels), await readPeerRows(files.test, channels)];
  const top1 = accuracy(data, { train, test });
  if (!(Math.abs(top1 - own) <= allowedKnnDifference)) {
    throw new Error(`Expected k-NN of equal features to be equal, got ${top1} here and ${own} by lightly`);
  }
  return { top1, losses, secondsAStep: seconds / losses.length };
};

/** What is the same for every method and seed. */
type Bench = {
  readonly python: string;
  readonly folder: string;
  readonly data: LoadedClasses;
  readonly pictures: Pick<PeerSetup, 'trainPictures' | 'testPictures'>;
};

/** Starts the peer of a method on the weights of the trunk that lie in the folder. */
const openPeerOn = async (
  name: string,
  { python, folder, data, pictures }: Bench,
  {
    trunk,
    seed,
    statistics,
    ...views
  }: { trunk: Trunk; seed: number; statistics: readonly number[] } & Pick<PeerSetup, 'noise' | 'views'>,
): Promise<Peer> => {
  const { multiCrop, settings } = peerMethods[name]!;
  const { localCrops: crops, localSize, localPolicy } = recipe;
  const setup: PeerSetup = {
    method: name,
    seed,
    threads,
    workers,
    weights: path.join(folder, modelFiles.weights),
    ...pictures,
    trainLabels: [...data.trainLabels],
    testLabels: [...data.testLabels],
    size: data.train.size,
    inputSize: trunk.inputSize,
    channels: channelsOf(trunk),
    mean: trunk.mean,
    std: trunk.std,
    batch: recipe.batchSize,
    epochs: recipe.epochs,
    augmentation: policy,
    ...(multiCrop && crops > 0 ? { local: { crops, size: localSize, augmentation: localPolicy } } : {}),
    rate: recipe.learningRate,
    weightDecay: recipe.weightDecay,
    channelsLast: options['channels-last'],
    statistics,
    statisticsBatch,
    knn,
    ...views,
  };
  const own = settings(stepsOf(recipe, data.train.count));
  return openPeer(python, path.join(folder, 'setup.json'), { ...setup, ...own });
};

/**
 * Steps of both sides on one batch of noise, from the same first weights, heads included, the sides taking turns: how far the losses
 * of the first steps lie apart, relatively, and the median over rounds of our time a step over the peer's.
 */
const compareSteps = async (
  name: string,
  bench: Bench,
): Promise<Pick<MethodRow, 'stepRatio' | 'stepSeconds' | 'lossDifference' | 'firstLosses'>> => {
  const { folder, data } = bench;
  const ours = openStepper(name, data.train, recipe);
  const files = ours.noise.map((_, view) => path.join(folder, `noise-${view}.f32`));
  for (const [view, { values }] of ours.noise.entries()) await writeFile(files[view]!, values);
  const noise = { files, sides: ours.noise.map(({ side }) => side) };
  await saveTrunk(folder, ours.trunk, null);
  const peer = await openPeerOn(name, bench, { trunk: ours.trunk, seed: 1, statistics: [], noise });
  const parts = path.join(folder, 'parts.safetensors');
  await writeFile(parts, Buffer.concat(encodeSafetensors(ours.parts(), {})));
  await peer.adopt(parts);
  const [own, other] = [ours.steps(checkedSteps).losses, (await peer.steps(checkedSteps)).losses];
  const lossDifference = Math.max(...own.map((loss, i) => Math.abs(loss / other[i]! - 1)));
  const wall: number[] = [];
  const cpu: number[] = [];
  const seconds = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const [mine, theirs] = [ours.steps(stepsARound), await peer.steps(stepsARound)];
    seconds.ours.push(...mine.seconds);
    seconds.peer.push(...theirs.seconds);
    wall.push(median(mine.seconds) / median(theirs.seconds));
    cpu.push(median(mine.cpuSeconds) / median(theirs.cpuSeconds));
  }
  peer.close();
  ours.close();
  return {
    stepRatio: { wall: median(wall), cpu: median(cpu) },
    stepSeconds: { ours: median(seconds.ours), peer: median(seconds.peer) },
    lossDifference,
    firstLosses: { ours: own, peer: other },
  };
};

type MethodRow = PeerMeasurement & {
  readonly settings: Readonly<Record<string, number | boolean>>;
  /** Times a step of the trainings, ours over the peer's, where each side renders its views. */
  readonly stepRatioWithRendering?: number;
  /** Mean loss of the trainings, ours over the peer's, less 1; the median over seeds. Judged by nobody: clusterings begin by chance. */
  readonly runDifference: number;
  /** Medians over all rounds. */
  readonly stepSeconds: { readonly ours: number; readonly peer: number };
  /** From equal weights on equal views. */
  readonly firstLosses: { readonly ours: readonly number[]; readonly peer: readonly number[] };
  /** Of the trainings, seed by seed. */
  readonly losses: { readonly ours: readonly (readonly number[])[]; readonly peer: readonly (readonly number[])[] };
  readonly versions: Peer['versions'];
};

const describe = ({ top1, losses, secondsAStep }: Trained): string =>
  `k-NN ${top1.toFixed(2)} %, loss ${losses[0]!.toFixed(3)} to ${losses.at(-1)!.toFixed(3)}, ` +
  `${(1000 * secondsAStep).toFixed(0)} ms a step`;

const compareMethod = async (name: string, bench: Bench): Promise<MethodRow> => {
  const { folder, data } = bench;
  const ours: Trained[] = [];
  const peers: Trained[] = [];
  let versions: Peer['versions'] = {};
  const steps = await compareSteps(name, bench);
  console.log(
    `${name}: losses from equal weights ${steps.lossDifference.toExponential(1)} apart; ` +
      `a step takes ${steps.stepRatio.wall.toFixed(2)} of the peer's time, ${steps.stepRatio.cpu.toFixed(2)} of its processor time`,
  );
  for (let seed = 1; seed <= seeds; seed++) {
    const trunk = buildTrunk(architecture, { random: RandomStream.of(seed, 'peers', 'trunk') });
    const { count } = data.train;
    const statistics = RandomStream.of(seed, 'statistics').sample(count, Math.min(statisticsImages, count));
    const parts = path.join(folder, 'parts.safetensors');
    const record = { indices: path.join(folder, 'indices.i32'), values: path.join(folder, 'views.f32') };
    const task = { trunk, pictures: data.train, recipe, seed, ...(views === 'shared' ? { record } : {}) };
    // Before the training moves them.
    await saveTrunk(folder, trunk, null);
    await writeFile(parts, Buffer.concat(encodeSafetensors(firstParts(name, task), {})));
    const training = await trainOurs(name, task, { statistics: Int32Array.from(statistics), statisticsBatch });
    ours.push({ ...training, top1: accuracy(data, readRows(trunk, data)) });
    const peer = await openPeerOn(name, bench, {
      trunk,
      seed,
      statistics: [...statistics],
      ...(views === 'shared' ? { views: record } : {}),
    });
    versions = peer.versions;
    if (heads === 'shared') await peer.adopt(parts);
    peers.push(await trainPeer(peer, data, channelsOf(trunk), folder));
    peer.close();
    trunk.dispose();
    console.log(`${name} seed ${seed}: ours ${describe(ours.at(-1)!)}; peer ${describe(peers.at(-1)!)}`);
  }
  return {
    method: name,
    settings: peerMethods[name]!.settings(stepsOf(recipe, data.train.count)),
    ours: ours.map(({ top1 }) => top1),
    peer: peers.map(({ top1 }) => top1),
    ...steps,
    ...(views === 'own'
      ? { stepRatioWithRendering: median(ours.map(({ secondsAStep }, i) => secondsAStep / peers[i]!.secondsAStep)) }
      : {}),
    runDifference: median(ours.map(({ losses }, i) => mean(losses) / mean(peers[i]!.losses) - 1)),
    losses: { ours: ours.map(({ losses }) => losses), peer: peers.map(({ losses }) => losses) },
    versions,
  };
};

const python = await peersPython();
const folder = await mkdtemp(path.join(tmpdir(), 'bench-peers-'));
try {
  const runtime = await openRuntime({ device: 'cpu', threads });
  const dataset = await openClassDataset(options.data, {
    trainPerClass: wholeNumber('train-per-class'),
    testPerClass: wholeNumber('test-per-class'),
  });
  const data = await loadClassDataset(dataset, cacheSizeFor(architectures[architecture]!.inputSize));
  const pictures = { trainPictures: path.join(folder, 'train.u8'), testPictures: path.join(folder, 'test.u8') };
  await writeFile(pictures.trainPictures, data.train.pixels);
  await writeFile(pictures.testPictures, data.test.pixels);
  const processor = cpus()[0]?.model ?? 'unknown';
  console.log(
    `${describeRuntime(runtime).join('\n')}\n${data.train.count} training and ${data.test.count} test pictures of ${dataset.name}, ` +
      `batch ${recipe.batchSize}, ${recipe.epochs} epochs, ${seeds} seed(s), ${threads} thread(s) of ${availableParallelism()} (${processor})`,
  );
  const began = performance.now();
  const given = Object.entries(options).filter(([name]) => !['data', 'out', 'channels-last'].includes(name));
  const words = given.map(([name, value]) => `--${name} ${value}`);
  if (options['channels-last']) words.push('--channels-last');
  const rows: MethodRow[] = [];
  const judge = (): { spread: number; verdicts: PeerVerdict[] } => {
    const spread = jointSpread(rows);
    return { spread, verdicts: rows.map((row) => judgePeer(row, { spread })) };
  };
  /** Written after every method, so that an interrupted run leaves what it has. */
  const writeResult = async (file: string): Promise<void> => {
    const { spread, verdicts } = judge();
    const result = {
      command: ['npm run bench:peers -- --data', dataset.name, ...words].join(' '),
      data: { name: dataset.name, digest: dataset.digest, train: data.train.count, test: data.test.count },
      runtime: { ...runtime, processor, load: loadavg(), minutes: (performance.now() - began) / 60_000 },
      recipe,
      features: { layer, knn },
      spread,
      rows: rows.map((row, i) => ({ ...row, verdict: verdicts[i] })),
    };
    await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  };
  for (const name of names) {
    rows.push(await compareMethod(name, { python, folder, data, pictures }));
    if (options.out !== undefined) await writeResult(options.out);
  }

  const { spread, verdicts } = judge();
  const percent = ({ mean, std }: { mean: number; std: number }): string => `${mean.toFixed(1)} ± ${std.toFixed(1)}`;
  console.log('\n| method | ours k-NN % | peer k-NN % | loss apart | over the run | step: wall | processor |');
  console.log('|---|---|---|---|---|---|---|');
  rows.forEach(({ method, stepRatio, lossDifference, runDifference }, i) => {
    const { ours, peer } = verdicts[i]!;
    const apart = [lossDifference.toExponential(0), runDifference.toFixed(3)];
    const times = [stepRatio.wall, stepRatio.cpu].map((ratio) => ratio.toFixed(2));
    console.log(`| ${[method, percent(ours), percent(peer), ...apart, ...times].join(' | ')} |`);
  });
  console.log(
    `times are ours over the peer's; two single runs lie ${spread.toFixed(2)} points apart by seed; beside ` +
      `${JSON.stringify(rows[0]!.versions)}; ${((performance.now() - began) / 60_000).toFixed(0)} minutes, load ${loadavg()[0]!.toFixed(1)}`,
  );
  const failures = verdicts.flatMap((verdict) => verdict.failures);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
