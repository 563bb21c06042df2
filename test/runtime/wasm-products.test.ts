import assert from 'node:assert/strict';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor } from '../../src/runtime/tensors.js';
import { transposeBeforeProducts } from '../../src/runtime/wasm-products.js';
import { numbers } from './gradient-check.js';

/** Row by row, in plain loops. */
const reference = (a: number[][], b: number[][]): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
const turned = (a: number[][]): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));

describe('products on wasm', () => {
  before(async () => void (await openRuntime({ device: 'wasm', threads: 1 })));

  it('are the same with factors that are transposed, alone and in stacks, and keep no tensor', async () => {
    const count = tf.memory().numTensors;
    for (const [m, k, n] of [
      [5, 7, 3],
      [1, 4, 6],
      [6, 1, 2],
      [4, 5, 1],
    ] as const)
      for (const stack of [[], [3]])
        for (const transposeA of [false, true])
          for (const transposeB of [false, true]) {
            const a = numbers([...stack, ...(transposeA ? [k, m] : [m, k])]);
            const b = numbers([...stack, ...(transposeB ? [n, k] : [k, n])], 2);
            const product: Tensor = tf.matMul(a, b, transposeA, transposeB);
            const lists = (x: Tensor): number[][][] => (stack.length ? x : x.expandDims(0)).arraySync() as number[][][];
            const [as, bs, found] = tf.tidy(() => [lists(a), lists(b), lists(product)]);
            as!.forEach((one, i) => {
              const expected = reference(transposeA ? turned(one) : one, transposeB ? turned(bs![i]!) : bs![i]!);
              expected.flat().forEach((value, j) => assert.ok(Math.abs(found![i]!.flat()[j]! - value) < 1e-5));
            });
            tf.dispose([a, b, product]);
          }
    assert.equal(tf.memory().numTensors, count);
  });

  it('free what they transposed, in the backend’s own memory too', () => {
    const { backend } = tf.engine() as unknown as { backend: { numDataIds(): number } };
    const a = tf.ones([40, 30]);
    const before = backend.numDataIds();
    for (let i = 0; i < 3; i++) tf.dispose(tf.matMul(a, a, true, false));
    assert.equal(backend.numDataIds(), before);
    a.dispose();
  });

  it('are wrapped once, however often the runtime is opened', () => {
    const { kernelFunc } = tf.getKernel('BatchMatMul', 'wasm');
    transposeBeforeProducts();
    assert.equal(tf.getKernel('BatchMatMul', 'wasm').kernelFunc, kernelFunc);
  });
});
