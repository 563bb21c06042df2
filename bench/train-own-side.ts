// This project's side of `npm run bench:train`, in a process of its own so that its peak memory is its own: writes the first
// weights and the batch, says that it is ready, and then speaks as bench/train_torch.py does.
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { buildTrunk } from '../src/network/build-trunk.js';
import { saveTrunk } from '../src/network/weights.js';
import { RandomStream } from '../src/numeric/random.js';
import { describeRuntime, openRuntime } from '../src/runtime/open.js';
import { tf, type Tensor4D, type Variable } from '../src/runtime/tensors.js';
import type { Source } from '../src/training/method.js';
import { sgd } from '../src/training/sgd.js';
import { trainStep } from '../src/training/train-step.js';
import { createTriplet } from '../src/triplet/triplet.js';
import type { SideSetup, Timing } from './train-cases.js';

const setup = JSON.parse(await readFile(process.argv[2]!, 'utf8')) as SideSetup;
const { architecture, images, threads, device = 'cpu' } = setup;
const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

const runtime = await openRuntime({ device, threads });
const trunk = buildTrunk(architecture, { random: RandomStream.of(1, 'bench') });
await saveTrunk(setup.model, trunk, null);
const { inputSize: size, std } = trunk;
const random = RandomStream.of(2, 'bench');
// Noise with a quarter of the pixels' range as its deviation, normalised as the network wants it.
const pixels = Float32Array.from(
  { length: images * size * size * 3 },
  (_, i) => (random.normal() * 0.25) / std[i % 3]!,
);
await writeFile(setup.batch, pixels);
const tensors = tf.tidy(() => tf.split(tf.tensor4d(pixels, [images, size, size, 3]), 2, 0)) as Tensor4D[];

const method = createTriplet<null>({
  drawView: () => null,
  margin: setup.margin,
  negatives: setup.negatives,
  hardRatio: 1,
  randomRatio: 0,
  randomShare: 0,
  steps: 1,
});
method.init(trunk, {} as Source<null>, random);
const variables = new Map<string, Variable>(trunk.variables);
const optimizer = sgd(setup);
const optimizerState = optimizer.init(variables);
const pairs = Int32Array.from({ length: images / 2 }, (_, i) => i);
let done = 0;

const oneStep = (): number => {
  const { loss, signals } = trainStep({
    method,
    variables,
    optimizer,
    optimizerState,
    rules: new Map(),
    learningRate: setup.rate,
    tensors,
    batch: { indices: pairs, videos: pairs, step: done, epoch: 0, random: RandomStream.of(1, 'step', done) },
  });
  done++;
  const value = loss.dataSync()[0]!;
  loss.dispose();
  for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
  return value;
};

const timeSteps = (count: number): Timing => {
  const seconds: number[] = [];
  const cpuSeconds: number[] = [];
  let loss = NaN;
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const used = process.cpuUsage();
    loss = oneStep();
    seconds.push((performance.now() - began) / 1000);
    const { user, system } = process.cpuUsage(used);
    cpuSeconds.push((user + system) / 1e6);
  }
  return { seconds, cpuSeconds, loss, peakBytes: process.resourceUsage().maxRSS * 1024 };
};

say({ version: describeRuntime(runtime).join(' '), inputSize: size });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as { steps: number } | { save: string };
  if ('steps' in command) {
    say(timeSteps(command.steps));
  } else {
    await saveTrunk(command.save, trunk, null);
    say({ saved: command.save });
  }
}
