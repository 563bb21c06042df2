// Times what data adds to a training step of the trunk `small` (pairs of 96 px: forward, ranking loss, backward, AdamW), all in one
// run and taking turns:
//
//   tensors   one batch of tensors, fed again and again: what a step costs without data
//   memory    decoded pairs in memory, two augmented views a pair, rendered by threads while the step before is computed
//   buffer    the same from a file that is larger than the memory it may take, read in sequence through a shuffle buffer
//   uniform   the same from that file, every pair read from where it lies
//
// Pairs are drawn procedurally and written into a file, or come from the folder of a run's `pack`. Exit 1 if data add more than 15 % to a step,
// in time and in processor time: a busy machine may take more from one side than from the other, but a program that is slower is slower in both.
//
//   npm run bench:data [-- --rounds 7] [--steps 6] [--pairs 32] [--threads 2] [--set-mb 1024] [--memory-mb 128] [--pack FOLDER]
//                      [--only tensors,buffer] [--out FILE.json]
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { augmentationPolicies, drawAugmentation, type ViewSpec } from '../src/images/augmentation.js';
import { openPairCache } from '../src/images/pair-cache-file.js';
import { pickPictures } from '../src/images/pick-pictures.js';
import { areInFile, type PictureFile } from '../src/images/picture-file.js';
import { cacheSizeFor } from '../src/images/pixel-cache.js';
import { sampleSource, type SampleParts, type SampleSource } from '../src/images/sample-source.js';
import { buildTrunk } from '../src/network/build-trunk.js';
import { RandomStream } from '../src/numeric/random.js';
import { median } from '../src/numeric/statistics.js';
import { describeRuntime, openRuntime } from '../src/runtime/open.js';
import type { Tensor4D, Variable } from '../src/runtime/tensors.js';
import { adamw } from '../src/training/adamw.js';
import { epochOrder } from '../src/training/data-order.js';
import type { Source } from '../src/training/method.js';
import { trainStep } from '../src/training/train-step.js';
import { createTriplet } from '../src/triplet/triplet.js';
import { measureDisk } from './data-disk.js';
import { drawPictures, writeRepeated } from './data-set.js';

const allowedShare = 0.15;
const seed = 1;
const modes = ['tensors', 'memory', 'buffer', 'uniform'] as const;
type Mode = (typeof modes)[number];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    steps: { type: 'string', default: '6' },
    pairs: { type: 'string', default: '32' },
    threads: { type: 'string', default: String(availableParallelism()) },
    'set-mb': { type: 'string', default: '1024' },
    'memory-mb': { type: 'string', default: '128' },
    pack: { type: 'string' },
    only: { type: 'string', default: modes.join(',') },
    out: { type: 'string' },
  },
});
const [rounds, stepsPerRound, batch, threads] = [values.rounds, values.steps, values.pairs, values.threads].map(
  Number,
) as [number, number, number, number];
const memoryBytes = Number(values['memory-mb']) * 2 ** 20;
const chosen = modes.filter((mode) => values.only.split(',').includes(mode));

const runtime = await openRuntime({ device: 'cpu', threads });
const trunk = buildTrunk('small', { random: RandomStream.of(seed, 'bench') });
const folder = await mkdtemp(path.join(tmpdir(), 'bench-data-'));

/** Samples in a file. */
type FileParts = Omit<SampleParts, 'cache'> & { readonly cache: PictureFile };

/** Pairs that lie as `pack` leaves them: ends `a` and `b`, and the patch that only one control looks at. */
const drawnParts = async (): Promise<FileParts> => {
  const size = cacheSizeFor(trunk.inputSize);
  const count = Math.floor((Number(values['set-mb']) * 1e6) / (3 * size ** 2 * 3));
  const cache = await writeRepeated(folder, drawPictures(256, size), 3 * count);
  const a = Int32Array.from({ length: count }, (_, i) => 3 * i);
  const video = a.map((_, i) => Math.floor(i / 50));
  return { cache, a, b: a.map((i) => i + 1), video, videos: video.at(-1)! + 1, digest: 'bench', target: trunk };
};

const packedParts = async (pack: string): Promise<FileParts> => {
  const { pixels, a, b, video, videos, digest } = await openPairCache(pack, { memoryBytes: 1, shuffle: 'uniform' });
  if (!areInFile(pixels)) throw new Error(`Expected pairs in ${pack}`);
  return { cache: pixels, a, b, video, videos: videos.length, digest, target: trunk };
};

const parts = values.pack === undefined ? await drawnParts() : await packedParts(values.pack);
const setBytes = parts.cache.count * parts.cache.size ** 2 * 3;

/** As many pairs as fit into the memory that the others get, held whole. */
const openHeld = (): SampleSource => {
  const held = Math.min(parts.a.length, Math.floor(memoryBytes / (2 * parts.cache.size ** 2 * 3)));
  const numbers = Array.from({ length: held }, (_, i) => [parts.a[i]!, parts.b![i]!]).flat();
  const a = Int32Array.from({ length: held }, (_, i) => 2 * i);
  return sampleSource({
    ...parts,
    ...{ cache: pickPictures(parts.cache, numbers), a, b: a.map((i) => i + 1), video: parts.video.slice(0, held) },
  });
};

const openSource: Readonly<Record<Exclude<Mode, 'tensors'>, () => SampleSource>> = {
  memory: openHeld,
  buffer: () => sampleSource({ ...parts, cache: { ...parts.cache, bufferBytes: memoryBytes } }),
  uniform: () => sampleSource(parts),
};

const method = createTriplet<ViewSpec>({ drawView: () => ({}) as ViewSpec, margin: 0.5, steps: 1 });
method.init(trunk, {} as Source<ViewSpec>, RandomStream.of(2, 'bench'));
const variables = new Map<string, Variable>(trunk.variables);
const optimizer = adamw({ weightDecay: 1e-2 });
const optimizerState = optimizer.init(variables);
let done = 0;

const compute = (tensors: readonly Tensor4D[], indices: Int32Array, videos: Int32Array): void => {
  const { loss, signals } = trainStep({
    ...{ method, variables, optimizer, optimizerState, rules: new Map(), learningRate: 1e-3, tensors },
    batch: { indices, videos, step: done, epoch: 0, random: RandomStream.of(seed, 'step', done) },
  });
  loss.dataSync();
  loss.dispose();
  for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
  done++;
};

const viewsOf = (at: number): ViewSpec[][] =>
  Array.from({ length: batch }, (_, row) => {
    const random = RandomStream.of(seed, 'views', at, row);
    return (['a', 'b'] as const).map((end) => ({
      end,
      augmentation: drawAugmentation(augmentationPolicies.full, random),
    }));
  });

/** A way to feed steps; `step` computes one. */
type Feed = { readonly mode: Mode; step(): Promise<void>; close(): void };

/** Steps of the loop in `src/training/train.ts`: render, announce the next, compute. */
const feedOf = async (mode: Exclude<Mode, 'tensors'>): Promise<Feed> => {
  const source = openSource[mode]();
  const perEpoch = Math.floor(source.length / batch);
  const orderOf = (epoch: number): Promise<Int32Array> | Int32Array =>
    source.follow?.(seed, epoch, 0) ?? epochOrder(source.length, seed, epoch);
  let order = await orderOf(0);
  let at = 0;
  const draw = (step: number) => {
    const position = (step % perEpoch) * batch;
    return { indices: order.slice(position, position + batch), views: viewsOf(step) };
  };
  let next = draw(0);
  return {
    mode,
    step: async () => {
      if (at > 0 && at % perEpoch === 0) {
        order = await orderOf(at / perEpoch);
        next = draw(at);
      }
      const { indices, views } = next;
      const tensors = source.render(indices, views);
      at++;
      if (at % perEpoch !== 0) {
        next = draw(at);
        source.prepare(next.indices, next.views);
      }
      compute(
        tensors,
        indices,
        indices.map((index) => source.info(index).video),
      );
      for (const tensor of tensors) tensor.dispose();
    },
    close: () => source.release(),
  };
};

const cachedTensors = (): Feed => {
  const source = openHeld();
  const indices = epochOrder(source.length, seed, 0).slice(0, batch);
  const videos = indices.map((index) => source.info(index).video);
  const tensors = source.render(indices, viewsOf(0));
  return {
    mode: 'tensors',
    step: () => Promise.resolve(compute(tensors, indices, videos)),
    close: () => tensors.forEach((tensor) => tensor.dispose()),
  };
};

/** Milliseconds a step, of the clock and of all processors together. */
type Taken = { readonly wall: number; readonly cpu: number };

const timed = async ({ step }: Feed): Promise<Taken> => {
  const taken: Taken[] = [];
  for (let i = 0; i < stepsPerRound; i++) {
    const began = performance.now();
    const used = process.cpuUsage();
    await step();
    // As the loop does, so that threads are heard.
    await new Promise((resolve) => setImmediate(resolve));
    const { user, system } = process.cpuUsage(used);
    taken.push({ wall: performance.now() - began, cpu: (user + system) / 1000 });
  }
  return { wall: median(taken.map(({ wall }) => wall)), cpu: median(taken.map(({ cpu }) => cpu)) };
};

try {
  console.log(describeRuntime(runtime).join('\n'));
  console.log(
    `${threads} of ${availableParallelism()} threads (${cpus()[0]?.model ?? 'unknown'}), ${batch} pairs a step, medians of ${rounds} rounds of ${stepsPerRound} steps\n` +
      `${parts.a.length} pairs in ${(setBytes / 1e6).toFixed(0)} MB on disk, ${values['memory-mb']} MiB of them held`,
  );
  const feeds: Feed[] = [];
  for (const mode of chosen) feeds.push(mode === 'tensors' ? cachedTensors() : await feedOf(mode));
  for (const feed of feeds) await timed(feed);
  const taken = feeds.map((): Taken[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, feed] of feeds.entries()) taken[i]!.push(await timed(feed));
  }
  for (const feed of feeds) feed.close();
  const rows = feeds.map(({ mode }, i) => {
    const of = (pick: (one: Taken) => number, beside: boolean): number =>
      median(taken[i]!.map((one, round) => pick(one) / (beside ? pick(taken[0]![round]!) : 1)));
    return {
      mode,
      milliseconds: of(({ wall }) => wall, false),
      processorMilliseconds: of(({ cpu }) => cpu, false),
      ratio: of(({ wall }) => wall, true),
      processorRatio: of(({ cpu }) => cpu, true),
    };
  });
  for (const { mode, milliseconds, processorMilliseconds, ratio, processorRatio } of rows) {
    console.log(
      `${mode.padEnd(8)} ${milliseconds.toFixed(0).padStart(6)} ms a step (${processorMilliseconds.toFixed(0).padStart(5)} ms of processor), ` +
        `${ratio.toFixed(3)} of ${rows[0]!.mode} (${processorRatio.toFixed(3)} of its processor time)`,
    );
  }
  const disk = measureDisk(parts.cache);
  if (disk) {
    console.log(
      `disk: ${disk.inSequence.toFixed(0)} MB/s in blocks of 4 MiB, ${disk.atRandom.toFixed(0)} MB/s pair by pair; a step reads ${((batch * 2 * parts.cache.size ** 2 * 3) / 1e6).toFixed(1)} MB`,
    );
  }
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(`peak memory of the process ${peakMiB.toFixed(0)} MiB`);
  if (values.out) {
    const about = { processor: cpus()[0]?.model ?? 'unknown', threads, batch, rounds, stepsPerRound };
    const set = { pairs: parts.a.length, bytes: setBytes, memoryBytes };
    await writeFile(values.out, `${JSON.stringify({ ...about, set, rows, disk: disk ?? null, peakMiB }, null, 2)}\n`);
  }
  const failures =
    chosen[0] === 'tensors'
      ? rows.filter(({ ratio, processorRatio }) => !(Math.min(ratio, processorRatio) <= 1 + allowedShare))
      : [];
  for (const { mode, ratio, processorRatio } of failures) {
    console.error(
      `FAILED: ${mode} adds ${((Math.min(ratio, processorRatio) - 1) * 100).toFixed(1)} % to a step, more than 15 %`,
    );
  }
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
