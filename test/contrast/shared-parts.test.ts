import assert from 'node:assert/strict';
import { openEncoder, representationDim } from '../../src/contrast/encoder.js';
import { FeatureQueue } from '../../src/training/feature-queue.js';
import { MomentumEncoder } from '../../src/contrast/momentum-encoder.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Scalar, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import { withoutTape } from '../../src/runtime/without-tape.js';

const images = (count: number, side: number, seed = 1): Tensor4D =>
  tf.randomNormal([count, side, side, 3], 0, 1, 'float32', seed);

describe('encoder with a momentum copy', () => {
  before(() => openRuntime({ threads: 2 }));

  const open = () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const projector = mlp({ hidden: [16], dim: 8, batchNorm: 'hidden' });
    const encoder = openEncoder(trunk, projector, RandomStream.of(1, 'head'));
    return { trunk, encoder };
  };

  it('projects pictures of any size to rows of the length of the head', () => {
    const { trunk, encoder } = open();
    tf.tidy(() => {
      assert.deepEqual(encoder.project(images(3, 96), 'train').shape, [3, 8]);
      assert.deepEqual(encoder.project(images(3, 32), 'eval').shape, [3, 8]);
    });
    assert.equal(representationDim(trunk), 128);
    assert.equal(encoder.dim, 8);
    assert.deepEqual(
      [...encoder.variables().keys()].filter((name) => name.endsWith('weight')),
      ['projector.0.weight', 'projector.1.weight', 'projector.3.weight'],
    );
    assert.equal(encoder.rules().get('projector.0.weight')!.decay, 1);
    assert.equal(encoder.rules().get('projector.1.weight')!.decay, 0);
    encoder.dispose();
    trunk.dispose();
  });

  it('gives the copy no gradient, and moves it by the share asked for', () => {
    const { trunk, encoder } = open();
    const target = new MomentumEncoder(encoder);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const batch = images(4, 48);
      const [weight] = trunk.variables.values();
      const grads = tf.variableGrads(
        () =>
          tf.add(
            tf.sum(encoder.project(batch, 'train')),
            tf.sum(tf.mul(target.project(batch, 'train'), 100)),
          ) as Scalar,
        [weight!],
      ).grads;
      const alone = tf.variableGrads(() => tf.sum(encoder.project(batch, 'train')) as Scalar, [weight!]).grads;
      const difference = tf.max(tf.abs(tf.sub(grads[weight!.name]!, alone[weight!.name]!))).dataSync()[0]!;
      assert.ok(difference < 1e-4, `the copy adds ${difference} to the gradient`);
    });
    const [name, weight] = [...encoder.variables()][0]!;
    tf.tidy(() => weight.assign(tf.add(weight, 1)));
    const saved = target.save()[`momentum/${name}`]!.data[0]!;
    target.update(0.75);
    assert.ok(Math.abs(target.save()[`momentum/${name}`]!.data[0]! - (saved + 0.25)) < 1e-5);
    assert.equal(tf.memory().numTensors, before);
    target.dispose();
    encoder.dispose();
    trunk.dispose();
  });

  it('comes back from its saved state, statistics of batch norm included', () => {
    const { trunk, encoder } = open();
    const target = new MomentumEncoder(encoder);
    tf.tidy(() => target.project(images(4, 48), 'train'));
    const state = target.save();
    const batch = images(2, 48, 3);
    const once = tf.tidy(() => target.project(batch, 'eval').dataSync());
    const other = new MomentumEncoder(encoder);
    other.load(state);
    assert.deepEqual(
      tf.tidy(() => other.project(batch, 'eval').dataSync()),
      once,
    );
    assert.throws(() => other.load({}), /Expected `momentum\/.*` of shape .* in the state, got none/);
    tf.dispose(batch);
    for (const part of [target, other, encoder, trunk]) part.dispose();
  });
});

describe('what runs without the tape', () => {
  before(() => openRuntime({ threads: 1 }));

  it('is a constant to the gradient', () => {
    tf.tidy(() => {
      const gradient = tf.grad((x: Tensor) =>
        tf.sum(
          tf.mul(
            x,
            withoutTape(() => tf.mul(x, x)),
          ),
        ),
      );
      assert.deepEqual([...gradient(tf.tensor1d([2, 3])).dataSync()], [4, 9]);
    });
  });

  it('leaves the tape running when it throws', () => {
    tf.tidy(() => {
      const gradient = tf.grad((x: Tensor) => {
        assert.throws(() =>
          withoutTape(() => {
            throw new Error('inside');
          }),
        );
        return tf.sum(tf.square(x));
      });
      assert.deepEqual([...gradient(tf.tensor1d([2])).dataSync()], [4]);
    });
  });
});

describe('feature queue', () => {
  before(() => openRuntime({ threads: 1 }));

  it('begins with unit rows and forgets the oldest first', () => {
    const queue = new FeatureQueue(3, 2, RandomStream.of(1));
    const start = queue.tensor().arraySync();
    for (const [x, y] of start) assert.ok(Math.abs(Math.hypot(x!, y!) - 1) < 1e-6);
    queue.push(Float32Array.of(1, 0, 0, 1));
    assert.deepEqual(queue.tensor().arraySync(), [[1, 0], [0, 1], start[2]]);
    queue.push(Float32Array.of(-1, 0, 0, -1));
    assert.deepEqual(queue.tensor().arraySync(), [
      [0, -1],
      [0, 1],
      [-1, 0],
    ]);
    queue.dispose();
  });

  it('goes on from a saved state at the same place', () => {
    const [one, two] = [new FeatureQueue(3, 2, RandomStream.of(1)), new FeatureQueue(3, 2, RandomStream.of(2))];
    one.push(Float32Array.of(1, 0));
    two.load(one.save());
    for (const queue of [one, two]) queue.push(Float32Array.of(0, 1, 0, -1, -1, 0));
    assert.deepEqual(two.tensor().arraySync(), one.tensor().arraySync());
    assert.throws(() => two.load({}), /Expected a queue of shape \[3, 2\]/);
    one.dispose();
    two.dispose();
  });
});
