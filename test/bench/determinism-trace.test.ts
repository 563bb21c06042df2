import assert from 'node:assert/strict';
import { firstDifference, firstOpThatDiffers, OpTrace } from '../../bench/determinism-trace.js';
import { openRuntime } from '../../src/runtime/open.js';
import { isNative } from '../../src/runtime/ops/native-op.js';
import { tf } from '../../src/runtime/tensors.js';

describe('what tells two trainings apart', () => {
  before(() => openRuntime({ threads: 1 }));

  const states = (...trunks: string[]) =>
    trunks.map((trunk, i) => ({ step: 5 * (i + 1), parts: { trunk, optimizer: 'same' } }));

  it('finds the first state that differs, the parts that do, and the last before it', () => {
    assert.equal(firstDifference(states('a', 'b', 'c'), states('a', 'b', 'c')), undefined);
    assert.deepEqual(firstDifference(states('a', 'b', 'c'), states('a', 'x', 'y')), {
      ...{ equalAt: 5, step: 10, parts: ['trunk'] },
    });
    assert.deepEqual(firstDifference(states('a'), states('x')), { equalAt: 0, step: 5, parts: ['trunk'] });
    assert.deepEqual(firstDifference(states('a', 'b'), states('a')), {
      ...{ equalAt: 5, step: 10, parts: ['trunk', 'optimizer'] },
    });
  });

  it('names the first op whose bytes differ, by what it gave and not by what it was given', function () {
    if (!isNative()) return this.skip();
    const backend = tf.backend() as unknown as Record<string, unknown>;
    const run = (value: number) => {
      const trace = new OpTrace();
      try {
        tf.tidy(() => {
          tf.square(tf.scalar(7));
          trace.record = true;
          const a = tf.matMul(tf.ones([2, 3]), tf.ones([3, 4]));
          // Of both values the same.
          const b = tf.relu(tf.scalar(value));
          return tf.add(a, tf.add(b, tf.abs(tf.scalar(value))));
        });
        return trace;
      } finally {
        delete backend['executeSingleOutput'];
        delete backend['executeMultipleOutputs'];
      }
    };
    const [one, same, other] = [run(-1), run(-1), run(-2)];
    assert.equal(one.counts.get('Square'), 1);
    assert.ok(!one.prints.some(({ op }) => op === 'Square'), 'recorded before it was asked to');
    assert.deepEqual(one.prints, same.prints);
    assert.equal(firstOpThatDiffers(one.prints, same.prints), undefined);
    const found = firstOpThatDiffers(one.prints, other.prints)!;
    assert.deepEqual([found.op, found.shapes], ['Abs', ['[]']]);
    const matMul = one.prints.find(({ op }) => op.endsWith('MatMul') || op.includes('MatMul'))!;
    assert.deepEqual(matMul.shapes, ['[2, 4]']);
  });
});
