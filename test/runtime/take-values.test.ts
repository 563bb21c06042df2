import assert from 'node:assert/strict';
import { openRuntime } from '../../src/runtime/open.js';
import { takeAllValues, takeValues } from '../../src/runtime/take-values.js';
import { tf } from '../../src/runtime/tensors.js';

for (const device of ['auto', 'wasm'] as const) {
  describe(`values taken out of tensors, device ${device}`, () => {
    before(async () => {
      await openRuntime(device === 'wasm' ? { device } : { threads: 1 });
      await tf.ready();
    });

    it('are those of the result, and every tensor made on the way is freed', () => {
      const before = tf.memory().numTensors;
      const squares = takeValues(() => tf.square(tf.tensor2d([1, 2, 3, 4], [2, 2])));
      assert.deepEqual(squares, Float32Array.of(1, 4, 9, 16));
      const places = takeValues<'int32'>(() => tf.argMax(tf.tensor2d([1, 2, 4, 3], [2, 2]), 1));
      assert.deepEqual(places, Int32Array.of(1, 0));
      assert.equal(tf.memory().numTensors, before);
    });

    it('are their own: later tensors, made where the freed one lay, change nothing', () => {
      const values = takeValues(() => tf.fill([4096], 7).add(1));
      const later = Array.from({ length: 32 }, () => tf.fill([4096], 1).add(2));
      assert.ok(values.every((value) => value === 8));
      tf.dispose(later);
    });

    it('of several tensors keep their order, however many there are', () => {
      const before = tf.memory().numTensors;
      const [sum, product] = takeAllValues(() => {
        const x = tf.tensor1d([2, 3]);
        return [tf.sum(x), tf.prod(x)];
      });
      assert.deepEqual([sum, product], [Float32Array.of(5), Float32Array.of(6)]);
      assert.deepEqual(
        takeAllValues(() => [tf.scalar(4)]),
        [Float32Array.of(4)],
      );
      assert.deepEqual(
        takeAllValues(() => []),
        [],
      );
      assert.equal(tf.memory().numTensors, before);
    });

    it('leave nothing behind where making them fails', () => {
      const before = tf.memory().numTensors;
      const fail = (): never => {
        tf.ones([8]).add(1);
        throw new Error('not made');
      };
      assert.throws(() => takeValues(fail), /not made/);
      assert.throws(() => takeAllValues(fail), /not made/);
      assert.equal(tf.memory().numTensors, before);
    });

    it('are not looked at one by one', () => {
      // A typed array that went through tidy would be walked by its keys.
      let looks = 0;
      const made = tf.ones([16]);
      const watched = new Proxy(new Float32Array(16), {
        ownKeys: (values) => {
          looks++;
          return Reflect.ownKeys(values);
        },
      });
      made.dataSync = (() => watched) as unknown as typeof made.dataSync;
      assert.equal(
        takeValues(() => made),
        watched,
      );
      assert.equal(looks, 0);
      tf.tidy(() => watched as never);
      assert.ok(looks > 0);
    });
  });
}
