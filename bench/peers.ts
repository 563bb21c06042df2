// Trains the trunk `small` by image-based methods here and by their maintained peers (lightly: SimCLR, MoCo v2, BYOL, SwAV;
// solo-learn: DeepCluster v2) from the same first weights, on the same pictures, with the same augmentation, heads, batch,
// optimiser and seeds, the sides taking turns, and prints k-NN accuracy of both and the ratio of times. Exit 1 if ours is below the
// peer's mean by more than the spread over seeds, or a step slower by more than a tenth.
//
//   npm run bench:peers -- --data CLASS_FOLDERS [--methods simclr,byol] [--seeds 2] [--epochs 4] [--batch 64] [--out FILE.json]
//     [--train-per-class 500] [--test-per-class 500] [--rounds 5] [--local-crops 0] [--workers 1] [--channels-last]
//
// Features are the mean of conv5 over its cells, after batch-norm statistics were taken anew on both sides. The first run installs
// PyTorch and the peers into a virtual environment of its own, in the cache folder.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { drawAugmentation, augmentationPolicies, type ViewSpec } from '../src/images/augmentation.js';
import { loadClassDataset, openClassDataset, type LoadedClasses } from '../src/images/class-dataset.js';
import { cacheSizeFor, type PixelCache } from '../src/images/pixel-cache.js';
import { sampleSource } from '../src/images/sample-source.js';
import { reestimateBatchNorm } from '../src/network/batch-norm-statistics.js';
import { buildTrunk, parametersOf } from '../src/network/build-trunk.js';
import type { Trunk } from '../src/network/trunk.js';
import { modelFiles, saveTrunk } from '../src/network/weights.js';
import type { FeatureMatrix } from '../src/neighbors/feature-matrix.js';
import { RandomStream } from '../src/numeric/random.js';
import { median } from '../src/numeric/statistics.js';
import { describeRuntime, openRuntime } from '../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../src/runtime/tensors.js';
import { adamw } from '../src/training/adamw.js';
import type { EmbedAll, Method, Source } from '../src/training/method.js';
import { cosine } from '../src/training/schedule.js';
import { trainStep } from '../src/training/train-step.js';
import { train } from '../src/training/train.js';
import { pooledReading, readFeatures, readingName } from '../src/transfer/features/read-features.js';
import { evaluateKnn } from '../src/transfer/knn/weighted-knn.js';
import { peerMethods, type MethodRun } from './peers-methods.js';
import { openPeer, peersPython, type Peer, type PeerSetup, type StepTimes } from './peers-python.js';
import { jointSpread, judgePeer, type PeerMeasurement } from './peers-verdict.js';

const learningRate = 1e-3;
const weightDecay = 1e-2;
const knn = { k: 20, sigma: 0.07 };
const layer = 'conv5';
const statisticsImages = 1024;
const statisticsBatch = 128;
const localSize = 48;
const stepsARound = 4;
const warmUpSteps = 2;
// The papers' jitter: each colour step in an order drawn anew, as torchvision does.
const policy = { ...augmentationPolicies.full, colourOrder: 'drawn' as const };
const localPolicy = { ...policy, cropArea: [0.05, 0.25] as const };
// Both vote by the same features: what differs is ties of rounding.
const allowedKnnDifference = 0.2;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    methods: { type: 'string', default: Object.keys(peerMethods).join() },
    seeds: { type: 'string', default: '2' },
    epochs: { type: 'string', default: '4' },
    batch: { type: 'string', default: '64' },
    out: { type: 'string' },
    'train-per-class': { type: 'string', default: '500' },
    'test-per-class': { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    'local-crops': { type: 'string', default: '0' },
    workers: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    'channels-last': { type: 'boolean', default: false },
  },
});

const wholeNumber = (name: Exclude<keyof typeof options, 'channels-last'>, least = 1): number => {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new RangeError(`Expected \`--${name}\` to be a whole number from ${least}, got \`${options[name]}\``);
};

if (options.data === undefined) {
  throw new RangeError('Expected `--data` to name a folder of classes (or one with a zip of them), got none');
}
const seeds = wholeNumber('seeds');
const epochs = wholeNumber('epochs');
const batchSize = wholeNumber('batch', 2);
const rounds = wholeNumber('rounds');
const localCrops = wholeNumber('local-crops', 0);
const threads = wholeNumber('threads');
const names = options.methods.split(',');
for (const name of names) {
  if (!Object.hasOwn(peerMethods, name)) {
    throw new RangeError(`Expected \`--methods\` among ${Object.keys(peerMethods).join(', ')}, got \`${name}\``);
  }
}

/** Either side's accuracy by seed. */
type Trained = { readonly top1: number; readonly losses: readonly number[]; readonly secondsAStep: number };

const openSource = (cache: PixelCache, trunk: Trunk): Source<ViewSpec> => {
  const all = Int32Array.from({ length: cache.count }, (_, i) => i);
  return sampleSource({ cache, a: all, video: all, videos: cache.count, digest: cache.digest, target: trunk });
};

/** The draws of one view number: two large crops, then small ones. */
const drawView: MethodRun['drawView'] = (_sample, view, random) =>
  view < 2
    ? { end: 'a', augmentation: drawAugmentation(policy, random) }
    : { end: 'a', augmentation: drawAugmentation(localPolicy, random), size: localSize };

const openMethod = (name: string, steps: number): Method<ViewSpec> =>
  peerMethods[name]!.create({ drawView, steps, localCrops });

const statisticsBatches = function* (source: Source<ViewSpec>, indices: readonly number[]): Generator<Tensor4D> {
  for (let from = 0; from < indices.length; from += statisticsBatch)
    yield source.plain(Int32Array.from(indices.slice(from, from + statisticsBatch)));
};

const accuracy = (data: LoadedClasses, rows: { train: FeatureMatrix; test: FeatureMatrix }): number =>
  evaluateKnn(
    { ...rows, trainLabels: data.trainLabels, testLabels: data.testLabels, classes: data.classes.length },
    knn,
  ).top1;

const readRows = (trunk: Trunk, data: LoadedClasses): { train: FeatureMatrix; test: FeatureMatrix } => {
  const reading = pooledReading(trunk, layer, 1);
  const rows = (cache: PixelCache): FeatureMatrix => readFeatures(trunk, cache, [reading]).get(readingName(reading))!;
  return { train: rows(data.train), test: rows(data.test) };
};

/** Trains the trunk in place, as the pipelines do. */
const trainOurs = async (
  name: string,
  seed: number,
  trunk: Trunk,
  data: LoadedClasses,
  statistics: readonly number[],
): Promise<Trained> => {
  const source = openSource(data.train, trunk);
  const method = openMethod(name, Math.floor(source.length / batchSize) * epochs);
  const result = await train({
    method,
    source,
    trunk,
    optimizer: adamw({ weightDecay }),
    schedule: cosine(learningRate),
    length: { epochs },
    batchSize,
    seed,
    logEvery: 1,
    onCollapse: 'warn',
    log: (line) => console.log(line),
  });
  method.dispose();
  reestimateBatchNorm(trunk, statisticsBatches(source, statistics));
  return {
    top1: accuracy(data, readRows(trunk, data)),
    losses: result.history.map(({ loss }) => loss),
    secondsAStep: result.seconds / result.steps,
  };
};

const trainPeer = async (peer: Peer, data: LoadedClasses, channels: number, folder: string): Promise<Trained> => {
  const { losses, seconds } = await peer.train(epochs);
  const files = { train: path.join(folder, 'peer-train.f32'), test: path.join(folder, 'peer-test.f32') };
  const { knn: own } = await peer.features(files);
  const rows = async (file: string): Promise<FeatureMatrix> => {
    const bytes = await readFile(file);
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    return { rows: values.length / channels, dim: channels, data: values };
  };
  const top1 = accuracy(data, { train: await rows(files.train), test: await rows(files.test) });
  if (!(Math.abs(top1 - own) <= allowedKnnDifference)) {
    throw new Error(`Expected k-NN of equal features to be equal, got ${top1} here and ${own} by lightly`);
  }
  return { top1, losses, secondsAStep: seconds / losses.length };
};

/** Steps of a network of its own on one batch of noise: the computation alone, without the rendering of views. */
const openStepper = (name: string, data: LoadedClasses): { steps(count: number): StepTimes; close(): void } => {
  const random = RandomStream.of(1, 'peers', 'steps');
  const trunk = buildTrunk('small', { random });
  const source = openSource(data.train, trunk);
  const method = openMethod(name, Math.floor(source.length / batchSize) * epochs);
  method.init(trunk, source, random);
  const variables = new Map<string, Variable>([
    ...trunk.variables,
    ...[...method.variables()].map(([own, variable]) => [`head/${own}`, variable] as const),
  ]);
  const rules = new Map([
    ...parametersOf(trunk.architecture).map(({ name: own, rate, decay }) => [own, { rate, decay }] as const),
    ...[...(method.rules?.() ?? [])].map(([own, rule]) => [`head/${own}`, rule] as const),
  ]);
  const optimizer = adamw({ weightDecay });
  const optimizerState = optimizer.init(variables);
  const indices = Int32Array.from({ length: batchSize }, (_, i) => i);
  const sizes = method.views(source.info(0), random).map(({ size }) => size ?? trunk.inputSize);
  const tensors = sizes.map((size) =>
    tf.tidy(() => {
      const values = Float32Array.from({ length: batchSize * size * size * 3 }, () => random.normal());
      return tf.tensor4d(values, [batchSize, size, size, 3]);
    }),
  );
  const embedAll: EmbedAll = (embed = (images) => trunk.embed(images, 'eval')) =>
    tf.tidy(() => {
      const rows: Tensor2D[] = [];
      for (let from = 0; from < source.length; from += batchSize) {
        const count = Math.min(batchSize, source.length - from);
        rows.push(tf.tidy(() => embed(source.plain(Int32Array.from({ length: count }, (_, i) => from + i)))));
      }
      return tf.concat2d(rows, 0);
    });
  method.beforeEpoch?.(0, embedAll);
  let done = 0;
  const step = (): void => {
    const batch = { indices, videos: indices, step: done, epoch: 0, random: RandomStream.of(1, 'step', done) };
    const { loss, signals } = trainStep({
      method,
      variables,
      optimizer,
      optimizerState,
      rules,
      learningRate,
      tensors,
      batch,
    });
    loss.dataSync();
    loss.dispose();
    for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
    done++;
  };
  return {
    steps: (count) => {
      const seconds: number[] = [];
      const cpuSeconds: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        const used = process.cpuUsage();
        step();
        seconds.push((performance.now() - began) / 1000);
        const { user, system } = process.cpuUsage(used);
        cpuSeconds.push((user + system) / 1e6);
      }
      return { seconds, cpuSeconds };
    },
    close: () => {
      method.dispose();
      trunk.dispose();
      for (const tensor of tensors) tensor.dispose();
      for (const slot of optimizerState.slots.values()) slot.dispose();
    },
  };
};

/** Median over rounds of our time a step over the peer's, the sides taking turns. */
const timeSteps = async (name: string, data: LoadedClasses, peer: Peer): Promise<PeerMeasurement['stepRatio']> => {
  const ours = openStepper(name, data);
  ours.steps(warmUpSteps);
  await peer.steps(warmUpSteps);
  const ratios: { wall: number; cpu: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const [own, other] = [ours.steps(stepsARound), await peer.steps(stepsARound)];
    ratios.push({
      wall: median(own.seconds) / median(other.seconds),
      cpu: median(own.cpuSeconds) / median(other.cpuSeconds),
    });
  }
  ours.close();
  return { wall: median(ratios.map(({ wall }) => wall)), cpu: median(ratios.map(({ cpu }) => cpu)) };
};

const python = await peersPython();
const folder = await mkdtemp(path.join(tmpdir(), 'bench-peers-'));
const began = performance.now();
try {
  const runtime = await openRuntime({ device: 'cpu', threads });
  const dataset = await openClassDataset(options.data, {
    trainPerClass: wholeNumber('train-per-class'),
    testPerClass: wholeNumber('test-per-class'),
  });
  const inputSize = 96;
  const data = await loadClassDataset(dataset, cacheSizeFor(inputSize));
  const pictures = { trainPictures: path.join(folder, 'train.u8'), testPictures: path.join(folder, 'test.u8') };
  await writeFile(pictures.trainPictures, data.train.pixels);
  await writeFile(pictures.testPictures, data.test.pixels);
  console.log(
    [
      ...describeRuntime(runtime),
      `${data.train.count} training and ${data.test.count} test pictures of ${dataset.name}, batch ${batchSize}, ${epochs} epochs, ` +
        `${seeds} seed(s), ${threads} thread(s) of ${availableParallelism()} (${cpus()[0]?.model ?? 'unknown'})`,
    ].join('\n'),
  );
  const rows: (PeerMeasurement & Record<string, unknown>)[] = [];
  let versions: Peer['versions'] = {};
  const steps = Math.floor(data.train.count / batchSize) * epochs;
  for (const name of names) {
    const { multiCrop, settings: settingsFor } = peerMethods[name]!;
    const settings = settingsFor(steps);
    const ours: Trained[] = [];
    const peers: Trained[] = [];
    let stepRatio = { wall: NaN, cpu: NaN };
    for (let seed = 1; seed <= seeds; seed++) {
      const trunk = buildTrunk('small', { random: RandomStream.of(seed, 'peers', 'trunk') });
      const channels = trunk.layers.find(({ name: own }) => own === layer)!.channels;
      await saveTrunk(folder, trunk, null);
      const statistics = RandomStream.of(seed, 'statistics').sample(
        data.train.count,
        Math.min(statisticsImages, data.train.count),
      );
      const setup: PeerSetup = {
        method: name,
        seed,
        threads,
        workers: wholeNumber('workers', 0),
        weights: path.join(folder, modelFiles.weights),
        ...pictures,
        trainLabels: [...data.trainLabels],
        testLabels: [...data.testLabels],
        size: data.train.size,
        inputSize,
        channels,
        mean: trunk.mean,
        std: trunk.std,
        batch: batchSize,
        epochs,
        augmentation: policy,
        ...(localCrops > 0 && multiCrop
          ? { local: { crops: localCrops, size: localSize, augmentation: localPolicy } }
          : {}),
        rate: learningRate,
        weightDecay,
        channelsLast: options['channels-last'],
        statistics: [...statistics],
        knn,
      };
      const peer = await openPeer(python, path.join(folder, 'setup.json'), { ...setup, ...settings });
      versions = peer.versions;
      ours.push(await trainOurs(name, seed, trunk, data, [...statistics]));
      peers.push(await trainPeer(peer, data, channels, folder));
      if (seed === seeds) stepRatio = await timeSteps(name, data, peer);
      peer.close();
      trunk.dispose();
      const show = ({ top1, losses, secondsAStep }: Trained): string =>
        `k-NN ${top1.toFixed(2)} %, loss ${losses[0]!.toFixed(3)} to ${losses.at(-1)!.toFixed(3)}, ` +
        `${(1000 * secondsAStep).toFixed(0)} ms a step with rendering`;
      console.log(`${name} seed ${seed}: ours ${show(ours.at(-1)!)}; peer ${show(peers.at(-1)!)}`);
    }
    const withRendering = median(ours.map(({ secondsAStep }, i) => secondsAStep / peers[i]!.secondsAStep));
    rows.push({
      method: name,
      settings,
      ours: ours.map(({ top1 }) => top1),
      peer: peers.map(({ top1 }) => top1),
      stepRatio,
      stepRatioWithRendering: withRendering,
      losses: { ours: ours.map(({ losses }) => losses), peer: peers.map(({ losses }) => losses) },
    });
  }

  const spread = jointSpread(rows);
  const verdicts = rows.map((row) => judgePeer(row, { spread }));
  const percent = ({ mean, std }: { mean: number; std: number }): string => `${mean.toFixed(1)} ± ${std.toFixed(1)}`;
  console.log(
    `\n| method | ours k-NN % | peer k-NN % | time of a step: wall | processor | with rendering |\n|---|---|---|---|---|---|`,
  );
  rows.forEach(({ method, stepRatio, stepRatioWithRendering }, i) => {
    const times = [stepRatio.wall, stepRatio.cpu, stepRatioWithRendering as number].map((ratio) => ratio.toFixed(2));
    console.log(`| ${[method, percent(verdicts[i]!.ours), percent(verdicts[i]!.peer), ...times].join(' | ')} |`);
  });
  const failures = verdicts.flatMap((verdict) => verdict.failures);
  const minutes = (performance.now() - began) / 60_000;
  console.log(
    `times are ours over the peer's; spread over seeds ${spread.toFixed(2)} points; beside ${JSON.stringify(versions)}; ` +
      `${minutes.toFixed(0)} minutes, load ${loadavg()[0]!.toFixed(1)}`,
  );
  if (options.out !== undefined) {
    const result = {
      command: `npm run bench:peers -- --data ${dataset.name} --methods ${names.join()} --seeds ${seeds} --epochs ${epochs} --batch ${batchSize}`,
      data: { name: dataset.name, digest: dataset.digest, train: data.train.count, test: data.test.count },
      runtime: { ...runtime, processor: cpus()[0]?.model ?? 'unknown', load: loadavg() },
      versions,
      settings: { epochs, batchSize, seeds, learningRate, weightDecay, localCrops, policy, knn, layer },
      spread,
      rows: rows.map((row, i) => ({ ...row, ...{ verdict: verdicts[i] } })),
    };
    await writeFile(options.out, `${JSON.stringify(result, null, 2)}\n`);
  }
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
