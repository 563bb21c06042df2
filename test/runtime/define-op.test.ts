import assert from 'node:assert/strict';
import { openRuntime } from '../../src/runtime/open.js';
import { addMaps } from '../../src/runtime/ops/add-maps.js';
import { defineOp } from '../../src/runtime/ops/define-op.js';
import { tf, type Tensor } from '../../src/runtime/tensors.js';
import { assertSameGradients, numbers } from './gradient-check.js';

/** `a b`, with a second tensor that only the gradient reads; what it saw of the tape is told. */
const product = (seen: { saved: readonly Tensor[]; dys: readonly Tensor[] }[]) => {
  const forward = ({ a, b }: Readonly<Record<'a' | 'b', Tensor>>): Tensor[] => [tf.mul(a, b), tf.add(a, b)];
  return defineOp<'a' | 'b', object>({
    native: forward,
    composed: forward,
    saveInputs: ['a', 'b'],
    saveOutputs: [false, true],
    gradient: (dys, saved) => {
      seen.push({ dys, saved });
      const [a, b] = saved;
      return { a: () => tf.mul(dys[0]!, b!), b: () => tf.mul(dys[0]!, a!) };
    },
  });
};

describe('a differentiable op', () => {
  before(() => openRuntime({ threads: 1 }));

  it('hands out its outputs alone, and leaves nothing behind', () => {
    const seen: { saved: readonly Tensor[]; dys: readonly Tensor[] }[] = [];
    const run = product(seen);
    const [a, b] = [numbers([4]), numbers([4], 2)];
    const before = tf.memory().numTensors;
    const made = run({ a, b }, {});
    assert.equal(made.length, 1);
    assert.equal(tf.memory().numTensors, before + 1);
    const gradients = tf.grads((x: Tensor, y: Tensor) => tf.sum(run({ a: x, b: y }, {})[0]!))([a, b]);
    assert.equal(tf.memory().numTensors, before + 3);
    const [{ dys, saved }] = seen as [(typeof seen)[0]];
    assert.deepEqual([dys.length, saved.length], [1, 3]);
    tf.dispose([a, b, ...made, ...gradients]);
  });

  it('frees what it saved and the gradient that came in before the backward pass goes on, if all its gradients are asked for', () => {
    const seen: { saved: readonly Tensor[]; dys: readonly Tensor[] }[] = [];
    const run = product(seen);
    const alive: boolean[][] = [];
    const look = (x: Tensor): Tensor =>
      tf.customGrad((value) => ({
        value: (value as Tensor).clone(),
        gradFunc: (dy: Tensor) => {
          alive.push(seen.flatMap(({ dys, saved }) => [...dys, ...saved].map(({ isDisposed }) => !isDisposed)));
          return dy.clone();
        },
      }))(x);
    const [a, b] = [numbers([4]), numbers([4], 2)];
    const ask = (both: boolean): void =>
      tf.dispose(
        both
          ? tf.grads((x: Tensor, y: Tensor) => tf.sum(run({ a: look(x), b: y }, {})[0]!))([a, b])
          : tf.grad((x) => tf.sum(run({ a: look(x), b }, {})[0]!))(a),
      );
    ask(true);
    assert.deepEqual(alive[0], [false, false, false, false]);
    seen.length = 0;
    ask(false);
    assert.deepEqual(alive[1], [true, true, true, true]);
    tf.dispose([a, b]);
  });

  it('leaves a gradient alone that the caller brought, and gives gradients of gradients', () => {
    const run = product([]);
    const [a, b, dy] = [numbers([4]), numbers([4], 2), numbers([4], 3)];
    tf.tidy(() => {
      tf.grads((x: Tensor, y: Tensor) => run({ a: x, b: y }, {})[0]!)([a, b], dy);
      assert.ok(!dy.isDisposed);
      // (x^2)'' = 2
      const square = (x: Tensor): Tensor => run({ a: x, b: x }, {})[0]!;
      const second = tf.grad((x) => tf.grad(square)(x))(a);
      assert.deepEqual([...second.dataSync()], [2, 2, 2, 2]);
    });
    tf.dispose([a, b, dy]);
  });

  it('adds maps like a plain sum, also one map to itself', () => {
    tf.tidy(() => {
      const inputs = [numbers([2, 3, 3, 4]), numbers([2, 3, 3, 4], 2)];
      assertSameGradients(
        (a, b) => tf.square(addMaps(a!, b!)),
        (a, b) => tf.square(tf.add(a!, b!)),
        inputs,
      );
      assert.deepEqual(
        [
          ...tf
            .grad((x) => tf.sum(addMaps(x, x)))(numbers([2]))
            .dataSync(),
        ],
        [2, 2],
      );
      assert.throws(() => addMaps(numbers([2, 3]), numbers([1, 3])), /Expected two maps of one shape, got \[2, 3\]/);
    });
  });
});
