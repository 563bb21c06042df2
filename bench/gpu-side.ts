// One device's side of `bench/gpu-check`, in a process of its own, since a process loads one build of TensorFlow: the features of
// a new network, the weights after the first step, the digest after the last, and the seconds a step. Argument: a GpuSetup as JSON.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { buildTrunk } from '../src/network/build-trunk.js';
import { RandomStream } from '../src/numeric/random.js';
import { setTensorflowEnvironment } from '../src/runtime/device.js';
import type { TensorflowBuild } from '../src/runtime/libtensorflow.js';
import { loadNative } from '../src/runtime/load-native.js';
import { ensureNative } from '../src/runtime/setup.js';
import { tf, type Tensor4D, type Variable } from '../src/runtime/tensors.js';
import type { Source } from '../src/training/method.js';
import { sgd } from '../src/training/sgd.js';
import { trainStep } from '../src/training/train-step.js';
import { createTriplet } from '../src/triplet/triplet.js';

/** What a side is started with. */
export type GpuSetup = {
  readonly build: TensorflowBuild;
  readonly threads: number;
  readonly architecture: string;
  /** Images a step, both ends of the pairs together. */
  readonly images: number;
  readonly steps: number;
  /** Where the features and then the moves of all weights in the first step go, float32. */
  readonly values: string;
};

/** What it prints, as JSON, on its last line. */
export type GpuAnswer = {
  readonly device: 'cpu' | 'gpu';
  readonly version: string;
  /** How many of the values are features. */
  readonly features: number;
  /** sha256 of all weights after the last step. */
  readonly digest: string;
  readonly loss: number;
  /** Of each step but the first, which also chooses algorithms. */
  readonly seconds: readonly number[];
};

const setup = JSON.parse(process.argv[2]!) as GpuSetup;
const native = await ensureNative((line) => console.error(line), { build: setup.build });
if (native.kind === 'fallback') throw new Error(native.reason);
setTensorflowEnvironment(setup.build, setup.threads);
loadNative(native.addon);
if (!(await tf.setBackend('tensorflow'))) throw new Error('The TensorFlow backend of tfjs did not start.');
const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice: boolean };

const trunk = buildTrunk(setup.architecture, { random: RandomStream.of(1, 'gpu-check') });
const { inputSize: size } = trunk;
const random = RandomStream.of(2, 'gpu-check');
const pixels = Float32Array.from({ length: setup.images * size * size * 3 }, () => random.normal());
const tensors = tf.tidy(() => tf.split(tf.tensor4d(pixels, [setup.images, size, size, 3]), 2, 0)) as Tensor4D[];
const layer = trunk.layers.filter(({ height }) => height !== undefined).at(-1)!.name;
const features = tf.tidy(() => trunk.features(tensors[0]!, [layer], 'eval')[layer]!.dataSync<'float32'>().slice());

const settings = { momentum: 0.9, weightDecay: 5e-4 };
const method = createTriplet<null>({
  drawView: () => null,
  margin: 0.5,
  negatives: 4,
  hardRatio: 1,
  randomRatio: 0,
  randomShare: 0,
  steps: 1,
});
method.init(trunk, {} as Source<null>, random);
const variables = new Map<string, Variable>(trunk.variables);
const optimizer = sgd(settings);
const optimizerState = optimizer.init(variables);
const pairs = Int32Array.from({ length: setup.images / 2 }, (_, i) => i);
const weights = (): Float32Array[] => [...variables.values()].map((variable) => variable.dataSync<'float32'>().slice());

const before = weights();
const moves: Float32Array[] = [];
const seconds: number[] = [];
let loss = NaN;
for (let step = 0; step < setup.steps; step++) {
  const began = performance.now();
  const result = trainStep({
    method,
    variables,
    optimizer,
    optimizerState,
    rules: new Map(),
    learningRate: 0.01,
    tensors,
    batch: { indices: pairs, videos: pairs, step, epoch: 0, random: RandomStream.of(1, 'step', step) },
  });
  // Reading the loss waits for the device.
  loss = result.loss.dataSync()[0]!;
  result.loss.dispose();
  for (const signal of Object.values(result.signals)) if (typeof signal === 'object') signal.dispose();
  if (step > 0) seconds.push((performance.now() - began) / 1000);
  else weights().forEach((after, i) => moves.push(after.map((value, j) => value - before[i]![j]!)));
}
const digest = createHash('sha256');
for (const values of weights()) digest.update(values);
await writeFile(
  setup.values,
  Buffer.concat([features, ...moves].map(({ buffer }) => Buffer.from(buffer as ArrayBuffer))),
);
const answer: GpuAnswer = {
  device: isUsingGpuDevice ? 'gpu' : 'cpu',
  version: native.version,
  features: features.length,
  digest: digest.digest('hex'),
  loss,
  seconds,
};
console.log(JSON.stringify(answer));
