import assert from 'node:assert/strict';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { isOnGpu } from '../../src/runtime/on-gpu.js';
import { openRuntime } from '../../src/runtime/open.js';
import { adamUpdate } from '../../src/runtime/ops/adam-update.js';
import { conv2d } from '../../src/runtime/ops/conv2d.js';
import { localResponseNorm } from '../../src/runtime/ops/lrn.js';
import { maxPool } from '../../src/runtime/ops/max-pool.js';
import { momentumUpdate } from '../../src/runtime/ops/momentum-update.js';
import { relu } from '../../src/runtime/ops/relu.js';
import { softmaxCrossEntropy } from '../../src/runtime/ops/softmax-cross-entropy.js';
import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';

type Backend = {
  isUsingGpuDevice: boolean;
  executeMultipleOutputs: (name: string, ...rest: unknown[]) => Tensor[];
};

/** Runs `work` as if the backend's device were a GPU, and gives the names of the ops that went to TensorFlow by name. */
const asOnGpu = <T>(work: () => T): { result: T; ops: Set<string> } => {
  const backend = tf.backend() as unknown as Backend;
  const ops = new Set<string>();
  const { executeMultipleOutputs } = backend;
  backend.isUsingGpuDevice = true;
  backend.executeMultipleOutputs = (name, ...rest) => {
    ops.add(name);
    return executeMultipleOutputs.call(backend, name, ...rest);
  };
  try {
    return { result: work(), ops };
  } finally {
    backend.isUsingGpuDevice = false;
    backend.executeMultipleOutputs = executeMultipleOutputs;
  }
};

/** Ops without a kernel for GPUs, and those whose kernel there gives no equal bytes. */
const forbidden = /^_Mkl|^ResourceApply|^VarHandleOp$|SoftmaxCrossEntropyWithLogits$|^ExtractImagePatches$/;

const distance = (a: Float32Array, b: Float32Array): number => {
  assert.equal(a.length, b.length);
  const norm = (of: (i: number) => number): number => Math.sqrt(a.reduce((sum, _, i) => sum + of(i) ** 2, 0));
  return norm((i) => a[i]! - b[i]!) / (norm((i) => b[i]!) + 1e-12);
};

describe('on a GPU (played by the CPU)', () => {
  before(async function () {
    const info = await openRuntime({ threads: 1 });
    if (info.backend !== 'tensorflow') this.skip();
  });

  it('is told from the backend', () => {
    assert.equal(isOnGpu(), false);
    assert.equal(asOnGpu(() => isOnGpu()).result, true);
  });

  it('splits groups, sums neighbouring channels and pools with ops that have a kernel there', () => {
    const random = RandomStream.of(3, 'gpu');
    const noise = (...shape: [number, number, number, number]): Tensor4D =>
      tf.tensor4d(
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
        shape,
      );
    const [x, weight] = [noise(2, 13, 13, 32), noise(3, 3, 16, 64)];
    const pass = (): Float32Array[] =>
      tf.tidy(() => {
        const layers = tf.grads((map: Tensor, filters: Tensor) => {
          const convolved = relu(conv2d(map as Tensor4D, filters as Tensor4D, { pad: 1, groups: 2 }));
          return localResponseNorm(maxPool(convolved, { size: 3, stride: 2 }));
        });
        return layers([x, weight]).map((t) => t.dataSync() as Float32Array) as never;
      });
    const plain = pass();
    const { result, ops } = asOnGpu(pass);
    assert.ok(ops.has('MaxPool') && ops.has('MaxPoolGrad'));
    for (const name of ops) assert.doesNotMatch(name, forbidden);
    result.forEach((values, i) => assert.ok(distance(values, plain[i]!) < 1e-5, `gradient ${i}`));
    tf.dispose([x, weight]);
  });

  for (const [architecture, size] of [
    ['resnet18-cifar', 16],
    ['small', 48],
  ] as const)
    it(`gives ${architecture} the same features and gradients out of ops that have a kernel there`, () => {
      const numTensors = tf.memory().numTensors;
      const trunk = buildTrunk(architecture, { random: RandomStream.of(1, 'gpu') });
      const random = RandomStream.of(2, 'gpu');
      const x = tf.tensor4d(
        Float32Array.from({ length: size * size * 3 * 2 }, () => random.normal()),
        [2, size, size, 3],
      );
      const pass = (): Float32Array[] => {
        const variables = [...trunk.variables.values()];
        const { value, grads } = tf.variableGrads(
          () => tf.mean(tf.square(trunk.features(x as Tensor4D, ['conv5'], 'train')['conv5']!)),
          variables,
        );
        const values = [value, ...Object.values(grads).filter(Boolean)].map((t) => t.dataSync() as Float32Array);
        tf.dispose([value, grads]);
        return values;
      };
      const plain = pass();
      const { result, ops } = asOnGpu(pass);
      assert.ok(ops.has('Conv2D'));
      for (const name of ops) assert.doesNotMatch(name, forbidden);
      assert.equal(result.length, plain.length);
      result.forEach((values, i) => assert.ok(distance(values, plain[i]!) < 1e-3, `tensor ${i}`));
      x.dispose();
      trunk.dispose();
      assert.equal(tf.memory().numTensors, numTensors);
    });

  it('composes cross-entropy, with the same losses and gradients', () => {
    const logits = tf.tensor2d([1, -2, 30, 0.5, 0.25, 0], [2, 3]);
    const labels = tf.tensor1d([2, 0], 'int32');
    const both = (): Float32Array[] =>
      tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad((z: Tensor) =>
          tf.sum(softmaxCrossEntropy(z as Tensor2D, labels as Tensor1D)),
        )(logits);
        return [value, grad].map((t) => t.dataSync() as Float32Array) as never;
      });
    const plain = both();
    const { result, ops } = asOnGpu(both);
    for (const name of ops) assert.doesNotMatch(name, forbidden);
    result.forEach((values, i) => assert.ok(distance(values, plain[i]!) < 1e-5));
    tf.dispose([logits, labels]);
  });

  it('moves large variables by composed updates, to the same places', () => {
    const size = 1 << 17;
    const make = () => [1, 2, 3].map((k) => tf.variable(tf.fill([size], k / 4)));
    const gradient = tf.fill([size], 0.5);
    const step = (variables: ReturnType<typeof make>): Float32Array[] =>
      tf.tidy(() => {
        const [a, b, c] = variables as [(typeof variables)[0], (typeof variables)[0], (typeof variables)[0]];
        momentumUpdate(a, b, gradient, { momentum: 0.9, decay: 1e-3, rate: 0.1 });
        adamUpdate(a, b, c, gradient, { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, size: 0.1, kept: 1 });
        return variables.map((v) => v.dataSync() as Float32Array) as never;
      });
    const [one, other] = [make(), make()];
    const plain = step(one);
    const { result, ops } = asOnGpu(() => step(other));
    for (const name of ops) assert.doesNotMatch(name, forbidden);
    result.forEach((values, i) => assert.ok(distance(values, plain[i]!) < 1e-5));
    tf.dispose([gradient, ...one, ...other]);
  });
});
