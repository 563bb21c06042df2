import assert from 'node:assert/strict';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Source } from '../../src/training/method.js';
import { sgd } from '../../src/training/sgd.js';
import { trainStep } from '../../src/training/train-step.js';
import { createTriplet } from '../../src/triplet/triplet.js';

/** How many tensors the engine has made since it began: the number of the next one. */
const tensorsMade = (): number =>
  (tf.engine() as unknown as { readonly state: { readonly nextTensorId: number } }).state.nextTensorId;

describe('a training step', () => {
  before(() => openRuntime({ threads: 1 }));

  for (const architecture of ['small', 'resnet18-cifar'])
    it(`of ${architecture} makes a constant number of tensors, and leaves none but its loss and signals`, () => {
      const trunk = buildTrunk(architecture, { random: RandomStream.of(1, 'step') });
      const { inputSize: size } = trunk;
      const pairs = Int32Array.of(0, 1);
      const method = createTriplet<null>({ drawView: () => null, negatives: 2, randomShare: 0.5, steps: 4 });
      method.init(trunk, {} as Source<null>, RandomStream.of(1, 'method'));
      const optimizer = sgd({ momentum: 0.9, weightDecay: 5e-4 });
      const optimizerState = optimizer.init(trunk.variables);
      const tensors = [1, 2].map((seed) => tf.randomNormal([2, size, size, 3], 0, 1, 'float32', seed)) as Tensor4D[];
      const made: number[] = [];
      const left: number[] = [];
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) {
        const first = tensorsMade();
        const { loss, signals } = trainStep({
          method,
          variables: trunk.variables,
          optimizer,
          optimizerState,
          rules: new Map(),
          learningRate: 0.05,
          tensors,
          batch: { indices: pairs, videos: pairs, step, epoch: 0, random: RandomStream.of(1, 'batch', step) },
        });
        made.push(tensorsMade() - first);
        losses.push(loss.dataSync()[0]!);
        loss.dispose();
        for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
        left.push(tf.memory().numTensors);
      }
      // Random negatives in the first two steps, hard ones in the third: as many ops.
      assert.equal(new Set(made.slice(1)).size, 1, `tensors made by the steps: ${made.join(', ')}`);
      assert.equal(new Set(left).size, 1, `tensors after the steps: ${left.join(', ')}`);
      assert.ok(losses[2]! < losses[0]!, `losses: ${losses.join(', ')}`);
      trunk.dispose();
      tf.dispose([...tensors, ...optimizerState.slots.values()]);
    });
});
