import assert from 'node:assert/strict';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Scalar, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Source } from '../../src/training/method.js';
import { createTriplet } from '../../src/triplet/triplet.js';

describe('triplet method on CaffeNet', () => {
  before(() => openRuntime({ threads: 1 }));

  it('begins at the margin, since its first features are nearly equal, and reaches every variable with a gradient', () => {
    const trunk = buildTrunk('caffenet', { random: RandomStream.of(1) });
    const method = createTriplet<null>({ drawView: () => null, margin: 1, steps: 1 });
    method.init(trunk, {} as Source<null>, RandomStream.of(2));
    const videos = Int32Array.of(0, 1, 2, 3);
    tf.tidy(() => {
      const images = tf.randomUniform([8, 227, 227, 3], -120, 130, 'float32', 1) as Tensor4D;
      const { value, grads } = tf.variableGrads(
        () =>
          method.step(tf.split(images, 2, 0), {
            indices: videos,
            videos,
            step: 0,
            epoch: 0,
            random: RandomStream.of(3),
          }).loss as Scalar,
        [...trunk.variables.values()],
      );
      assert.ok(Math.abs(value.dataSync()[0]! - 1) < 1e-3);
      for (const [name, variable] of trunk.variables) {
        const largest = tf.max(tf.abs(grads[variable.name] as Tensor)).dataSync()[0]!;
        assert.ok(largest > 0, name);
      }
    });
    trunk.dispose();
  });
});
