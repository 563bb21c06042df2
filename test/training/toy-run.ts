import { createHash } from 'node:crypto';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { l2Normalize } from '../../src/runtime/ops/l2-normalize.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from '../../src/runtime/tensors.js';
import type { Method, Source } from '../../src/training/method.js';
import { cosine } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import type { TrainOptions } from '../../src/training/train.js';

/** One dense layer on 2x2 images, so that the loop is what is tested. */
export const toyTrunk = (seed: number): Trunk => {
  const random = RandomStream.of(seed, 'toy');
  const values = Float32Array.from({ length: 12 * 5 }, () => random.normal());
  const variables = new Map<string, Variable>([
    ['w', tf.tidy(() => tf.variable(tf.tensor2d(values, [12, 5]))) as Variable],
  ]);
  const embed = (images: Tensor4D): Tensor2D =>
    l2Normalize(tf.matMul(tf.reshape(images, [-1, 12]) as Tensor2D, variables.get('w') as unknown as Tensor2D));
  return {
    architecture: 'toy',
    inputSize: 2,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    layers: [{ name: 'embedding', channels: 5 }],
    variables,
    buffers: new Map(),
    features: (images) => ({ embedding: embed(images) }),
    embed,
    dispose: () => variables.get('w')!.dispose(),
  };
};

/** Ten samples of noise, shifted by the view that was drawn. */
const toySource = (): Source<number> => {
  const random = RandomStream.of(5, 'pixels');
  const pixels = Array.from({ length: 10 }, () => Array.from({ length: 12 }, () => random.normal()));
  const render = (indices: Int32Array, shifts: readonly number[]): Tensor4D =>
    tf.tensor4d(
      [...indices].flatMap((index, i) => pixels[index]!.map((v) => v + shifts[i]!)),
      [indices.length, 2, 2, 3],
    );
  return {
    length: 10,
    videos: 10,
    digest: 'toy',
    info: (index) => ({ index, video: index, paired: false }),
    render: (indices, views) => [
      render(
        indices,
        views.map(([shift]) => shift!),
      ),
    ],
    plain: (indices) => render(indices, new Array<number>(indices.length).fill(0)),
  };
};

/** Pulls all embeddings towards a target that moves after every step: a method with state, a head, and sampling weights. */
const toyMethod = (): Method<number> => {
  let trunk: Trunk;
  let scale: Variable;
  let target = Float32Array.of(1, 0, 0, 0, 0);
  let weights = new Float64Array(10).fill(1);
  return {
    name: 'toy',
    views: (_, random) => [random.uniform(0, 0.1)],
    init: (network, _source, random) => {
      trunk = network;
      scale = tf.tidy(() => tf.variable(tf.scalar(1 + random.uniform(0, 0.1)))) as Variable;
    },
    variables: () => new Map([['scale', scale]]),
    beforeEpoch: (epoch, embedAll) => {
      const rows = embedAll();
      weights = Float64Array.from({ length: 10 }, (_, i) => 1 + Math.abs(rows.dataSync()[i * 5]!) + epoch);
      rows.dispose();
    },
    weights: () => weights,
    step: ([images], { random }) => {
      const embedding = trunk.embed(images!, 'train');
      const noise = random.uniform(0, 0.01);
      const apart = tf.sub(tf.mul(embedding, scale), tf.add(tf.tensor1d(target), noise));
      return {
        loss: tf.mean(tf.square(apart)) as Scalar,
        signals: { embedding, norm: tf.norm(embedding) },
        commit: () => {
          target = Float32Array.from(target, (value, i) => 0.9 * value + (i === 1 ? 0.01 : 0));
        },
      };
    },
    uniformLoss: () => 1,
    save: () => ({ target: { shape: [5], data: target } }),
    load: ({ target: saved }) => {
      target = Float32Array.from(saved!.data);
    },
    dispose: () => scale.dispose(),
  };
};

/** Options of a quick run with everything a run can have. Batches of 3 of 10 samples: epochs end between other boundaries. */
export const toyRun = ({
  steps,
  rate = 0.5,
  ...more
}: { readonly steps: number; readonly rate?: number } & Partial<TrainOptions<number>>): TrainOptions<number> => ({
  method: toyMethod(),
  source: toySource(),
  trunk: toyTrunk(1),
  optimizer: sgd({ momentum: 0.5, weightDecay: 1e-4 }),
  schedule: cosine(rate),
  length: { steps },
  batchSize: 3,
  seed: 1,
  rules: new Map(),
  logEvery: 5,
  ...more,
});

/** sha256 over the trunk's values. */
export const hashToy = (trunk: Trunk): string =>
  createHash('sha256')
    .update(new Uint8Array(trunk.variables.get('w')!.dataSync().slice().buffer))
    .digest('hex');
