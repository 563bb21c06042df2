import assert from 'node:assert/strict';
import { batchNorm, batchNormEval } from '../../src/runtime/ops/batch-norm.js';
import { biasAdd } from '../../src/runtime/ops/bias-add.js';
import { conv2d } from '../../src/runtime/ops/conv2d.js';
import { cropAndResize } from '../../src/runtime/ops/crop-and-resize.js';
import { l2Normalize } from '../../src/runtime/ops/l2-normalize.js';
import { localResponseNorm } from '../../src/runtime/ops/lrn.js';
import { maxPool } from '../../src/runtime/ops/max-pool.js';
import { nativeOp } from '../../src/runtime/ops/native-op.js';
import { relu } from '../../src/runtime/ops/relu.js';
import { softmaxCrossEntropy } from '../../src/runtime/ops/softmax-cross-entropy.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import { assertNumericGradient, assertSameGradients, difference, numbers } from './gradient-check.js';

const as4 = (x: Tensor): Tensor4D => x as Tensor4D;

/** Both backends live in one process, since only wasm's own pieces of memory differ: tensors are made anew under each. */
async function useBackend(name: 'tensorflow' | 'wasm', skip: () => void): Promise<void> {
  const info = await openRuntime({ threads: 1 });
  if (name === 'tensorflow' && info.backend !== 'tensorflow') return skip();
  if (name === 'wasm' && info.backend === 'tensorflow') await openRuntime({ device: 'wasm' });
  await tf.ready();
}

for (const backend of ['tensorflow', 'wasm'] as const)
  describe(`training ops on ${backend}`, () => {
    before(async function () {
      await useBackend(backend, () => this.skip());
    });
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());

    it('convolve like a padded plain convolution, with stride, odd sides and groups', () => {
      for (const [side, size, stride, pad, groups] of [
        [9, 3, 1, 1, 1],
        [10, 3, 2, 1, 1],
        [11, 5, 4, 0, 1],
        [8, 3, 2, 2, 2],
        [9, 1, 2, 0, 1],
        [12, 7, 2, 3, 1],
        [8, 2, 3, 0, 1],
        [6, 3, 1, 1, 2],
      ]) {
        const x = numbers([2, side, side, 4]);
        const weight = numbers([size, size, 4 / groups, 6], 2);
        const reference = (image: Tensor, filter: Tensor): Tensor => {
          const padded = tf.pad(as4(image), [
            [0, 0],
            [pad, pad],
            [pad, pad],
            [0, 0],
          ]);
          const divide = (whole: Tensor): Tensor[] => (groups === 1 ? [whole] : tf.split(whole, groups, 3));
          const filters = divide(filter);
          const out = Math.floor((side + 2 * pad - size) / stride) + 1;
          const parts = divide(padded).map((part, g) => {
            // One matrix product a filter place: nothing of a convolution op is in here.
            const places = [];
            for (let i = 0; i < size; i++)
              for (let j = 0; j < size; j++) {
                const rows = tf.range(i, i + out * stride, stride, 'int32');
                const columns = tf.range(j, j + out * stride, stride, 'int32');
                const seen = tf.gather(tf.gather(part, rows, 1), columns, 2);
                const tap = tf.reshape(tf.slice(filters[g], [i, j, 0, 0], [1, 1, -1, -1]), [4 / groups, 6 / groups]);
                places.push(tf.matMul(tf.reshape(seen, [-1, 4 / groups]), tap as Tensor2D));
              }
            return tf.reshape(tf.addN(places), [2, out, out, 6 / groups]);
          });
          return groups === 1 ? parts[0] : tf.concat(parts, 3);
        };
        const own = (image: Tensor, filter: Tensor): Tensor => conv2d(as4(image), as4(filter), { stride, pad, groups });
        assert.ok(difference(own(x, weight), reference(x, weight)) < 1e-5);
        if (backend === 'tensorflow') assertSameGradients(own, reference, [x, weight]);
        assertNumericGradient(own, [x, weight]);
      }
    });

    it('give the same filter gradient where few cells and many weights make it a product of matrices', () => {
      if (backend === 'wasm') return;
      // 2^19 weights and more on maps of at most 16 cells take the product; the same batch in a corner of a larger map does not.
      for (const [stride, pad] of [
        [1, 1],
        [2, 1],
        [1, 0],
      ] as const) {
        const [x, weight] = [numbers([2, 4, 4, 240]), numbers([3, 3, 240, 248], 2)];
        const own = (w: Tensor): Tensor => conv2d(as4(x), as4(w), { stride, pad });
        const { kernelNames } = profileSync(() => tf.grad((w) => tf.sum(own(w)))(weight));
        assert.ok(!kernelNames.includes('Conv2DBackpropFilter'));
        const padded = tf.pad(as4(x), [
          [0, 0],
          [pad, pad + 8],
          [pad, pad + 8],
          [0, 0],
        ]);
        const out = own(weight).shape as [number, number, number, number];
        assertSameGradients(
          own,
          (w) => tf.slice(tf.conv2d(padded as Tensor4D, as4(w), stride, 'valid'), [0, 0, 0, 0], out),
          [weight],
        );
      }
    });

    it('compute no gradient for an input that nobody asks about', () => {
      const [x, weight] = [numbers([1, 5, 5, 2]), numbers([3, 3, 2, 3], 2)];
      const { kernelNames } = profileSync(() => tf.grad((w) => tf.sum(conv2d(as4(x), as4(w), {})))(weight));
      assert.ok(!kernelNames.includes('Conv2DBackpropInput'));
    });

    it('normalise a batch by its own statistics, in maps and rows', () => {
      for (const shape of [
        [3, 4, 5, 6],
        [8, 6],
      ]) {
        const [x, weight, bias] = [tf.add(tf.mul(numbers(shape), 2), 3), numbers([6], 2), numbers([6], 3)];
        const axes = shape.slice(0, -1).map((_, i) => i);
        const reference = (a: Tensor, w: Tensor, b: Tensor): Tensor => {
          const centred = tf.sub(a, tf.mean(a, axes, true));
          const variance = tf.mean(tf.square(centred), axes, true);
          return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, 1e-3))), w), b);
        };
        const own = (a: Tensor, w: Tensor, b: Tensor): Tensor => batchNorm(a, w, b, 1e-3).y;
        assert.ok(difference(own(x, weight, bias), reference(x, weight, bias)) < 1e-5);
        assertSameGradients(own, reference, [x, weight, bias], 1e-4);
        assertNumericGradient(own, [x, weight, bias]);
      }
    });

    it("give batch norm's mean, and its variance unbiased as PyTorch keeps it", () => {
      const x = tf.tensor2d([1, 2, 3, 6, 5, 10], [3, 2]);
      const { mean, variance } = batchNorm(x, tf.ones([2]), tf.zeros([2]));
      assert.deepEqual([...mean.dataSync()], [3, 6]);
      assert.ok(difference(variance, tf.tensor1d([4, 16])) < 1e-5);
      const y = batchNormEval(x, mean, tf.tensor1d([4, 16]), tf.tensor1d([2, 1]), tf.tensor1d([0, 1]), 0);
      assert.ok(difference(y, tf.tensor2d([-2, 0, 0, 1, 2, 2], [3, 2])) < 1e-5);
    });

    it('move running statistics by their share of the batch, and leave what is normalised as it is', () => {
      const [x, weight, bias] = [tf.add(numbers([3, 4, 5, 6]), 1), numbers([6], 2), numbers([6], 3)];
      const [mean, variance] = [numbers([6], 4), tf.abs(numbers([6], 5))];
      const plain = batchNorm(x, weight, bias);
      const moved = batchNorm(x, weight, bias, 1e-5, { mean, variance, share: 0.1 });
      assert.deepEqual(moved.y.dataSync(), plain.y.dataSync());
      for (const [result, running, batch] of [
        [moved.mean, mean, plain.mean],
        [moved.variance, variance, plain.variance],
      ] as const)
        assert.ok(difference(result, tf.add(tf.mul(running, 0.9), tf.mul(batch, 0.1))) < 1e-6);
    });

    it('pool the largest value, and send the gradient to where it came from', () => {
      const x = tf.tensor4d([1, 5, 2, 0, 3, 4, 9, 1, 7, 7, 0, 0, 0, 0, 0, 0], [1, 4, 4, 1]);
      const y = maxPool(x, { size: 2 });
      assert.deepEqual([...y.dataSync()], [5, 9, 7, 0]);
      const dx = tf.grad((a) => tf.sum(tf.mul(maxPool(as4(a), { size: 2 }), y)))(x);
      // The window of zeros sends zero, wherever it goes; the tied window sends its 7 to one place.
      const gradient = [...dx.dataSync()];
      assert.deepEqual(gradient.slice(0, 8), [0, 5, 0, 0, 0, 0, 9, 0]);
      assert.equal(gradient[8] + gradient[9], 7);
      assert.ok(gradient[8] * gradient[9] === 0);
      assert.deepEqual(maxPool(as4(numbers([1, 7, 8, 2])), { size: 3, stride: 2 }).shape, [1, 3, 3, 2]);
    });

    it('pool windows that overlap, do not divide the map, or reach beyond it like a search of each window', () => {
      for (const [height, width, size, stride, pad] of [
        [7, 8, 3, 2, 0],
        [6, 6, 2, 2, 0],
        [8, 7, 3, 2, 1],
      ]) {
        const x = numbers([2, height!, width!, 3]);
        const reference = (map: Tensor): Tensor => {
          const sides: [number, number] = [pad!, pad!];
          const padded = tf.pad(as4(map), [[0, 0], sides, sides, [0, 0]], -100);
          const length = (side: number): number => Math.floor((side + 2 * pad! - size!) / stride!) + 1;
          const from = (at: number, axis: 1 | 2): Tensor => {
            const count = length(axis === 1 ? height! : width!);
            return tf.range(at, at + count * stride!, stride, 'int32').slice(0, count);
          };
          let largest: Tensor | undefined;
          for (let i = 0; i < size!; i++)
            for (let j = 0; j < size!; j++) {
              const seen = tf.gather(tf.gather(padded, from(i, 1) as Tensor1D, 1), from(j, 2) as Tensor1D, 2);
              largest = largest ? tf.maximum(largest, seen) : seen;
            }
          return largest!;
        };
        const own = (map: Tensor): Tensor => maxPool(as4(map), { size: size!, stride: stride!, pad: pad! });
        assert.equal(difference(own(x), reference(x)), 0);
        if (backend === 'tensorflow') assertSameGradients(own, reference, [x], 1e-6);
        assertNumericGradient(own, [x], { step: 1e-5, tolerance: 5e-2 });
      }
    });

    it('normalise across channels as Caffe and PyTorch do', () => {
      const x = tf.mul(numbers([2, 3, 3, 8]), 4);
      const options = { size: 5, alpha: 0.2, beta: 0.75, k: 2 };
      const reference = (a: Tensor): Tensor => {
        const padded = tf.pad(tf.square(as4(a)), [
          [0, 0],
          [0, 0],
          [0, 0],
          [2, 2],
        ]);
        const sums = tf.addN([0, 1, 2, 3, 4].map((c) => tf.slice(padded, [0, 0, 0, c], [-1, -1, -1, 8])));
        return tf.div(a, tf.pow(tf.add(tf.mul(sums, 0.2 / 5), 2), 0.75));
      };
      const own = (a: Tensor): Tensor => localResponseNorm(as4(a), options);
      assert.ok(difference(own(x), reference(x)) < 1e-5);
      assertSameGradients(own, reference, [x], 1e-4);
      assertNumericGradient(own, [x]);
      const other = (a: Tensor): Tensor => localResponseNorm(as4(a), { ...options, size: 3, beta: 0.5 });
      assertNumericGradient(other, [x]);
    });

    it('scale rows to length 1, and leave a row of zeros alone', () => {
      const x = numbers([4, 5]);
      const own = (a: Tensor): Tensor => l2Normalize(a, 1e-2);
      const reference = (a: Tensor): Tensor => tf.div(a, tf.sqrt(tf.add(tf.sum(tf.square(a), 1, true), 1e-2)));
      assert.ok(difference(own(x), reference(x)) < 1e-6);
      assertSameGradients(own, reference, [x], 1e-4);
      assertNumericGradient(own, [x]);
      const zeros = tf.grad((a) => tf.sum(l2Normalize(a)))(tf.zeros([1, 5]));
      assert.ok(zeros.dataSync().every(Number.isFinite));
      assert.ok(
        l2Normalize(tf.zeros([1, 5]))
          .dataSync()
          .every((value) => value === 0),
      );
    });

    it('take the cross-entropy by class number, also of logits in the thousands', () => {
      const logits = tf.mul(numbers([5, 4]), 3) as Tensor2D;
      const labels = tf.tensor1d([0, 3, 1, 1, 2], 'int32');
      const reference = (z: Tensor): Tensor =>
        tf.neg(tf.sum(tf.mul(tf.logSoftmax(z as Tensor2D), tf.cast(tf.oneHot(labels, 4), 'float32')), 1));
      const own = (z: Tensor): Tensor => softmaxCrossEntropy(z as Tensor2D, labels);
      assert.ok(difference(own(logits), reference(logits)) < 1e-5);
      assertSameGradients(own, reference, [logits], 1e-4);
      assertNumericGradient(own, [logits]);
      const [loss] = softmaxCrossEntropy(tf.tensor2d([[5000, 0]]), tf.tensor1d([1], 'int32')).dataSync();
      assert.equal(loss, 5000);
      assert.throws(() => softmaxCrossEntropy(logits, tf.tensor1d([0, 1, 2, 3, 0]) as Tensor1D), /int32/);
    });

    it('cut off at zero, and pass the gradient where the output is positive', () => {
      const x = numbers([3, 7]);
      assert.ok(difference(relu(x), tf.relu(x)) === 0);
      assertSameGradients(
        (a) => relu(a),
        (a) => tf.mul(a, tf.step(a)),
        [x],
      );
      assert.deepEqual(
        [
          ...tf
            .grad((a) => tf.sum(relu(a)))(tf.zeros([2]))
            .dataSync(),
        ],
        [0, 0],
      );
    });

    it('add a bias a channel, and sum its gradient', () => {
      const [x, bias] = [numbers([2, 3, 3, 4]), numbers([4], 2)];
      assertSameGradients(
        (a, b) => biasAdd(a, b),
        (a, b) => tf.add(a, b),
        [x, bias],
      );
      assert.ok(difference(biasAdd(x, bias), tf.add(x, bias)) === 0);
    });

    it('cut boxes by pixel centres, mirrored where asked', () => {
      const ramp = tf.tile(tf.reshape(tf.range(0, 8), [1, 1, 8, 1]), [1, 8, 1, 1]) as Tensor4D;
      const read = (box: { x: number; y: number; width: number; height: number }, flip: boolean): number[] => [
        ...cropAndResize(ramp, [{ image: 0, box, flip }], 2)
          .dataSync()
          .slice(0, 2),
      ];
      // Two samples over four pixels sit between each pair of pixels.
      assert.deepEqual(read({ x: 2, y: 2, width: 4, height: 4 }, false), [2.5, 4.5]);
      assert.deepEqual(read({ x: 2, y: 2, width: 4, height: 4 }, true), [4.5, 2.5]);
      const whole = cropAndResize(ramp, [{ image: 0, box: { x: 0, y: 0, width: 8, height: 8 } }], 8);
      assert.ok(difference(whole, ramp) < 1e-5);
      // Enlarging reaches half a pixel beyond the edge, which must not darken it.
      assert.ok(
        cropAndResize(tf.ones([1, 4, 4, 1]), [{ image: 0, box: { x: 0, y: 0, width: 4, height: 4 } }], 16)
          .dataSync()
          .every((value) => value > 0.999),
      );
    });
  });

describe('nativeOp', () => {
  it('says which backend it needs on any other', async () => {
    await openRuntime({ device: 'wasm' });
    assert.throws(
      () => nativeOp('Abs', { T: { type: 'float32' } }, [tf.scalar(-1)]),
      /native TensorFlow backend for the op Abs, got `wasm`/,
    );
  });

  it('works again once native TensorFlow is asked for after wasm', async function () {
    const info = await openRuntime({ threads: 1 });
    if (info.backend !== 'tensorflow') this.skip();
    assert.equal(nativeOp('Abs', { T: { type: 'float32' } }, [tf.scalar(-1)])[0]?.dataSync()[0], 1);
  });
});

/** Names of the kernels that `f` runs. The engine's own profiler, in its synchronous half. */
function profileSync(f: () => unknown): { kernelNames: string[] } {
  const { state } = tf.engine() as unknown as {
    state: { profiling: boolean; activeProfile: { kernels: { name: string }[] } };
  };
  state.profiling = true;
  state.activeProfile.kernels = [];
  try {
    f();
  } finally {
    state.profiling = false;
  }
  return { kernelNames: state.activeProfile.kernels.map(({ name }) => name) };
}
