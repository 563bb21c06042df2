import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DrawView } from '../../src/contrast/views.js';
import { RandomStream } from '../../src/numeric/random.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import { loadCheckpoint } from '../../src/training/checkpoints.js';
import type { Method, Source } from '../../src/training/method.js';
import type { Optimizer } from '../../src/training/optimizer.js';
import { cosine } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import { train } from '../../src/training/train.js';
import { smallTrunk } from './run-step.js';

/** A view of a test sample: which end, how much noise of which seed is added, and its side, px. */
export type TestView = {
  readonly end: 'a' | 'b';
  readonly seed: number;
  readonly size?: number;
};

/** Views of a test sample, all of end `a`, each with noise of its own; views from number `small.from` on are of side `small.size`. */
export const drawTestView =
  (small?: { readonly from: number; readonly size: number }): DrawView<TestView> =>
  (_, view, random) => ({
    end: 'a',
    seed: random.integer(2 ** 31),
    ...(small && view >= small.from ? { size: small.size } : {}),
  });

/**
 * Samples of coloured noise, eight blocks a side, which every view shows with a little noise of its own: pictures that differ, and
 * views that belong together.
 */
export function testSource({ samples = 10, size = 48 } = {}): Source<TestView> {
  const blocks = 8;
  const base = Array.from({ length: samples }, (_, index) => {
    const random = RandomStream.of(index, 'test picture');
    return Float32Array.from({ length: blocks * blocks * 3 }, () => random.normal());
  });
  const picture = (index: number, side: number, noise: RandomStream | undefined): Float32Array =>
    Float32Array.from({ length: side * side * 3 }, (_, at) => {
      const [y, x] = [Math.floor(at / 3 / side), Math.floor(at / 3) % side].map((c) => Math.floor((c * blocks) / side));
      return base[index]![(y! * blocks + x!) * 3 + (at % 3)]! + (noise ? noise.uniform(-0.5, 0.5) : 0);
    });
  const batch = (pictures: readonly Float32Array[], side: number): Tensor4D => {
    const values = new Float32Array(pictures.length * side * side * 3);
    pictures.forEach((values_, i) => values.set(values_, i * values_.length));
    return tf.tensor4d(values, [pictures.length, side, side, 3]);
  };
  return {
    length: samples,
    videos: samples,
    digest: `test ${samples} ${size}`,
    info: (index) => ({ index, video: index, paired: false }),
    render: (indices, views) =>
      views[0]!.map((first, v) => {
        const side = first.size ?? size;
        const rows = views.map((row, i) => picture(indices[i]!, side, RandomStream.of(row[v]!.seed, 'view')));
        return batch(rows, side);
      }),
    plain: (indices) =>
      batch(
        Array.from(indices, (index) => picture(index, size, undefined)),
        size,
      ),
  };
}

/** How long the runs of {@link assertExactResume} are, and on what. */
export type ResumeOptions = {
  /** With 10 samples in batches of 4 an epoch has 2 steps: cuts are in the middle of one and between two. @default 4 */
  readonly steps?: number;
  readonly batchSize?: number;
  readonly samples?: number;
  /** Side of the pictures, px; a method that reads the trunk's dense layers needs 96. @default 48 */
  readonly size?: number;
  readonly learningRate?: number;
  /** @default SGD with momentum and decay */
  readonly optimizer?: () => Optimizer;
};

/**
 * Trains the small trunk in one go, then in pieces of one step, every piece with objects built anew. Both must come to the same
 * bytes: weights, statistics, heads, optimiser, the method's state, the curve, and every variable that the method made, saved or
 * not (which finds running statistics that nobody saved). Nothing may stay in the runtime's memory.
 *
 * @param build makes the method, with everything it is made of, anew
 */
export async function assertExactResume(build: () => Method<TestView>, options: ResumeOptions = {}): Promise<void> {
  const { steps = 4, batchSize = 4, samples = 10, size = 48, learningRate = 0.05 } = options;
  const { optimizer = () => sgd({ momentum: 0.9, weightDecay: 1e-4 }) } = options;
  const root = await mkdtemp(path.join(tmpdir(), 'resume-'));
  const source = testSource({ samples, size });

  /** One process's worth: from where `dir` stands to `stopAt` or to the end. */
  const piece = async (dir: string, stopAt?: number): Promise<Float32Array[]> => {
    const trunk = smallTrunk();
    const tensors = tf.memory().numTensors;
    const known = new Set(Object.keys(tf.engine().registeredVariables));
    const method = build();
    const controller = new AbortController();
    const stopped = new Error('stopped by the test');
    const run = train({
      method,
      source,
      trunk,
      optimizer: optimizer(),
      schedule: cosine(learningRate),
      length: { steps },
      batchSize,
      seed: 7,
      dir,
      checkpointEvery: steps,
      logEvery: 2,
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === stopAt) controller.abort(stopped);
      },
    });
    if (stopAt === undefined) await run;
    else await assert.rejects(run, stopped);
    const variables = Object.entries(tf.engine().registeredVariables)
      .filter(([name]) => !known.has(name))
      .map(([, variable]) => variable.dataSync<'float32'>().slice());
    method.dispose();
    assert.equal(tf.memory().numTensors, tensors, 'tensors stay behind after the method was disposed');
    trunk.dispose();
    return variables;
  };
  const inPieces = async (name: string, stops: readonly number[]) => {
    const dir = path.join(root, name);
    for (const stop of stops) await piece(dir, stop);
    const variables = await piece(dir);
    const state = await loadCheckpoint(dir, () => {});
    return { variables, arrays: state!.arrays, history: state!.progress.history };
  };

  try {
    const whole = await inPieces('whole', []);
    for (const { loss } of whole.history) assert.ok(Number.isFinite(loss), `the loss is ${loss}`);
    const pieces = await inPieces(
      'pieces',
      Array.from({ length: steps - 1 }, (_, i) => i + 1),
    );
    assert.deepEqual(pieces.history, whole.history, 'another curve');
    assert.deepEqual([...pieces.arrays.keys()], [...whole.arrays.keys()]);
    for (const [name, { data }] of whole.arrays) {
      assert.deepEqual(pieces.arrays.get(name)!.data, data, `${name} is another in pieces`);
    }
    assert.equal(pieces.variables.length, whole.variables.length);
    whole.variables.forEach((values, i) =>
      assert.deepEqual(pieces.variables[i], values, `variable ${i} of ${values.length} values was not saved`),
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
