import assert from 'node:assert/strict';
import type { Trunk } from '../../src/network/trunk.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method } from '../../src/training/method.js';

/**
 * One step of a method whose head reads the convolutions: the gradient reaches all of them and every variable of the head, and none of
 * the trunk's dense layers; no tensor stays behind but the method's own state.
 */
export function assertLearns<V>(method: Method<V>, trunk: Trunk, views: readonly Tensor4D[], batch: Batch): void {
  const once = (): void =>
    tf.tidy(() => {
      const named = [...trunk.variables, ...method.variables()];
      let commit: (() => void) | undefined;
      const { value, grads } = tf.variableGrads(
        () => {
          const result = method.step(views, batch);
          commit = result.commit;
          return result.loss;
        },
        named.map(([, variable]) => variable),
      );
      commit?.();
      assert.ok(Number.isFinite(value.dataSync()[0]!), 'the loss is no number');
      for (const [name, variable] of named) {
        const gradient = grads[variable.name];
        const largest = gradient ? tf.max(tf.abs(gradient)).dataSync()[0]! : 0;
        assert.equal(largest > 0, !name.startsWith('fc.'), `${name} has a gradient of up to ${largest}`);
      }
    });
  once();
  const tensors = tf.memory().numTensors;
  once();
  assert.equal(tf.memory().numTensors, tensors, 'a step leaves tensors behind');
}
