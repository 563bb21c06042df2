import assert from 'node:assert/strict';
import { byolMethod } from '../../pipelines/methods/byol.js';
import { createByol, type ByolOptions } from '../../src/contrast/byol/byol.js';
import { regressionLoss } from '../../src/contrast/byol/regression-loss.js';
import { startMomentumFor, targetMomentum } from '../../src/contrast/byol/target-momentum.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import { TrainingProblem } from '../../src/training/health.js';
import { constant } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import { train } from '../../src/training/train.js';
import { assertNumericGradient, assertSameGradients, numbers } from '../runtime/gradient-check.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';
import { batchOf, noise, rowsOf, runStep, smallTrunk, sourceOf } from './run-step.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

/** Equation 2: the squared distance of unit rows, in float64. */
const slowLoss = (predictions: number[][], targets: number[][]): number[] => {
  const unit = (row: number[]): number[] => row.map((value) => value / Math.hypot(...row));
  return predictions.map((prediction, i) => {
    const [q, z] = [unit(prediction), unit(targets[i]!)];
    return q.reduce((sum, value, j) => sum + (value - z[j]!) ** 2, 0);
  });
};

const table = (rows: number, dim: number, seed: number): Tensor2D => numbers([rows, dim], seed) as Tensor2D;
const loss = (a: Tensor, b: Tensor): Tensor => regressionLoss(a as Tensor2D, b as Tensor2D);

describe("BYOL's regression loss", () => {
  before(() => openRuntime({ threads: 1 }));

  it('is the squared distance of prediction and target as unit rows, over batches and lengths', () => {
    for (const [batch, dim] of [
      [1, 2],
      [3, 5],
      [6, 9],
    ] as const) {
      tf.tidy(() => {
        const [predictions, targets] = [table(batch, dim, 1), table(batch, dim, 2)];
        const losses = loss(predictions, targets).dataSync();
        slowLoss(rowsOf(predictions), rowsOf(targets)).forEach((value, i) => close(losses[i]!, value));
      });
    }
  });

  it('is 0 for one direction, 2 for orthogonal rows, 4 for opposite ones, whatever their lengths', () => {
    tf.tidy(() => {
      const predictions = tf.tensor2d([3, 0, 3, 0, 3, 0], [3, 2]);
      const targets = tf.tensor2d([0.1, 0, 0, 7, -2, 0], [3, 2]);
      [0, 2, 4].forEach((value, i) => close(loss(predictions, targets).dataSync()[i]!, value));
    });
  });

  it('does not change with the scale of either side, nor where they change places; permuting the batch permutes its terms', () => {
    tf.tidy(() => {
      const [a, b] = [table(4, 5, 1), table(4, 5, 2)];
      const losses = loss(a, b).dataSync();
      const order = [1, 3, 2, 0];
      const moved = (rows: Tensor2D): Tensor => tf.gather(rows, tf.tensor1d(order, 'int32'));
      const permuted = loss(moved(a), moved(b)).dataSync();
      for (let i = 0; i < 4; i++) {
        close(loss(tf.mul(a, 5), tf.mul(b, 0.2)).dataSync()[i]!, losses[i]!);
        close(loss(b, a).dataSync()[i]!, losses[i]!);
        close(permuted[i]!, losses[order[i]!]!);
      }
    });
  });

  it('has the gradient of the formula, at right angles to the prediction', () => {
    tf.tidy(() => {
      const inputs = [table(3, 4, 1), table(3, 4, 2)];
      assertNumericGradient(loss, inputs);
      const unit = (x: Tensor): Tensor => tf.div(x, tf.norm(x, 2, 1, true));
      assertSameGradients(loss, (a, b) => tf.sum(tf.square(tf.sub(unit(a), unit(b))), 1), inputs);
      const gradient = tf.grad((x: Tensor) => tf.sum(loss(x, inputs[1]!)))(inputs[0]!);
      for (const value of tf.sum(tf.mul(gradient, inputs[0]!), 1).dataSync()) close(value, 0);
    });
  });
});

describe("BYOL's target momentum", () => {
  it('rises on half a cosine from tau0 at the first step to 1 at the end', () => {
    assert.equal(targetMomentum(0.996, 0, 1000), 0.996);
    close(targetMomentum(0.996, 500, 1000), 0.998, 1e-12);
    close(targetMomentum(0.996, 250, 1000), 1 - (0.004 * (1 + Math.SQRT1_2)) / 2, 1e-12);
    assert.equal(targetMomentum(0.996, 1000, 1000), 1);
    for (let step = 1; step <= 100; step++) {
      assert.ok(targetMomentum(0.97, step, 100) > targetMomentum(0.97, step - 1, 100));
    }
  });

  it('begins lower in shorter runs: the presets of the release by their steps', () => {
    assert.deepEqual([312_500, 93_750, 31_250, 12_500, 300].map(startMomentumFor), [0.996, 0.99, 0.99, 0.97, 0.97]);
  });
});

describe('BYOL', () => {
  before(() => openRuntime({ threads: 1 }));

  const open = (options: Partial<ByolOptions<string>> = {}) => {
    const trunk = smallTrunk();
    const method = createByol<string>({
      drawView: (_, view) => `view ${view}`,
      steps: 10,
      projector: mlp({ hidden: [8], dim: 6, batchNorm: 'hidden' }),
      ...options,
    });
    method.init(trunk, sourceOf(10), RandomStream.of(1));
    const dispose = (): void => {
      method.dispose();
      trunk.dispose();
    };
    return { trunk, method, dispose };
  };
  const views = (): Tensor4D[] => [noise(4), noise(4, 24, 2)];
  const batch = batchOf([0, 1, 2, 3]);

  it('takes two views of a sample', () => {
    const { method, dispose } = open();
    assert.deepEqual(method.views({ index: 0, video: 0, paired: false }, RandomStream.of(1)), ['view 0', 'view 1']);
    dispose();
  });

  it('with no predictor its loss is the distance of the projections it shows, in both orders: the target begins as the network', () => {
    const { trunk, method, dispose } = open({ predictor: [] });
    const { loss, embedding } = runStep(method, trunk, views(), batch);
    const [first, second] = [embedding.slice(0, 4), embedding.slice(4)];
    const slow = [...slowLoss(first, second), ...slowLoss(second, first)];
    close(loss, slow.reduce((a, b) => a + b, 0) / 4, 1e-4);
    dispose();
  });

  it('both orders count alike: the views may change places', () => {
    const { trunk, method, dispose } = open();
    const { loss } = runStep(method, trunk, views(), batch);
    const other = open();
    const swapped = runStep(other.method, other.trunk, views().reverse(), batch);
    close(swapped.loss, loss, 1e-5);
    other.dispose();
    dispose();
  });

  it('nothing passes back to the target; trunk, projector and predictor all learn', () => {
    const known = new Set(Object.values(tf.engine().registeredVariables));
    const { trunk, method, dispose } = open();
    const learning = [...trunk.variables, ...method.variables()];
    // The dense layers of the trunk stand beside the projector's path.
    const used = learning.filter(([name]) => !name.startsWith('fc.'));
    const constant = Object.values(tf.engine().registeredVariables).filter(
      (variable) => !known.has(variable) && !learning.some(([, own]) => own === variable),
    );
    const [first, second] = views();
    const step = () => tf.tidy(() => method.step([first!, second!], batch).loss);
    tf.tidy(() => {
      assert.throws(() => tf.variableGrads(step, constant), /Cannot find a connection/);
      const { grads } = tf.variableGrads(
        step,
        used.map(([, variable]) => variable),
      );
      for (const [name, variable] of used) assert.ok(grads[variable.name], name);
    });
    assert.ok(used.some(([name]) => name.startsWith('predictor.')));
    assert.ok(used.some(([name]) => name.startsWith('projector.')));
    tf.dispose([first!, second!]);
    dispose();
  });

  it('the target moves after the optimiser, by the momentum of the step', () => {
    for (const [step, momentum] of [
      [0, 0.6],
      [5, 0.8],
    ] as const) {
      const { trunk, method, dispose } = open({ startMomentum: 0.6 });
      const name = 'projector.0.weight';
      const before = method.save()[`momentum/${name}`]!.data;
      const { signals } = runStep(method, trunk, views(), batchOf([0, 1, 2, 3], step), 0.5);
      close(signals['momentum']!, momentum);
      const online = method.variables().get(name)!.dataSync();
      assert.notDeepEqual(online, before);
      method
        .save()
        [`momentum/${name}`]!.data.forEach((value, i) =>
          close(value, momentum * before[i]! + (1 - momentum) * online[i]!),
        );
      dispose();
    }
  });

  it('biases and batch norm of both heads are left out of decay, and so out of LARS', () => {
    const { method, dispose } = open();
    for (const [name, { decay }] of method.rules!()) {
      const isMatrix = method.variables().get(name)!.rank === 2;
      assert.equal(decay, isMatrix ? 1 : 0, name);
    }
    assert.deepEqual([...method.rules!().keys()], [...method.variables().keys()]);
    dispose();
  });

  it('nothing stays in memory', () => {
    const { trunk, method, dispose } = open();
    const count = tf.memory().numTensors;
    for (let step = 0; step < 3; step++) runStep(method, trunk, views(), batchOf([0, 1, 2, 3], step), 0.1);
    assert.equal(tf.memory().numTensors, count);
    dispose();
  });

  it('without its predictor it collapses, which is named; with it, on the same pictures, it does not', async () => {
    // Views that share nothing: only equal features make them agree.
    const source = testSource({ samples: 8, size: 24 });
    const run = async (options: Partial<ByolOptions<TestView>>): Promise<readonly Record<string, number>[]> => {
      const trunk = smallTrunk();
      const method = createByol({
        drawView: drawTestView(),
        steps: 1000,
        startMomentum: 0,
        projector: mlp({ hidden: [16], dim: 8, batchNorm: 'none' }),
        ...options,
      });
      try {
        const { history } = await train({
          method,
          source: {
            ...source,
            render: (indices, drawn) => [0, 1].map((v) => noise(indices.length, 24, drawn[0]![v]!.seed)),
          },
          trunk,
          optimizer: sgd({ momentum: 0.9, weightDecay: 0.01 }),
          schedule: constant(0.3),
          length: { steps: 40 },
          batchSize: 8,
          seed: 1,
          logEvery: 1,
        });
        return history;
      } finally {
        method.dispose();
        trunk.dispose();
      }
    };
    await assert.rejects(run({ predictor: [] }), (error: Error) => {
      assert.ok(error instanceof TrainingProblem);
      assert.match(error.message, /All embeddings have become alike/);
      return true;
    });
    const history = await run({});
    assert.equal(history.length, 40);
    assert.ok(history.at(-1)!['spread']! > 0.05, `spread ${history.at(-1)!['spread']}`);
  });

  it('resumes exactly, running statistics of heads and target included', () =>
    assertExactResume(() => createByol({ drawView: drawTestView(), steps: 4 })));

  it('refuses parameters out of range', () => {
    assert.throws(
      () => open({ startMomentum: 1 }),
      /Expected `startMomentum` to be a number from 0 to below 1, got `1`/,
    );
    assert.throws(() => open({ steps: 0 }), /Expected `steps` to be a whole number above 0, got `0` \(number\)/);
    const short = mlp({ hidden: [], dim: 5, batchNorm: 'none' });
    assert.throws(() => open({ predictor: short }), /`predictor` to give rows as long as the projection, 6, got 5/);
  });

  it('is known to the pipelines with views unlike in blur and solarize, on any recipe, unless told otherwise', () => {
    const { full, 'byol-first': first, 'byol-second': second } = augmentationPolicies;
    const policies = (base?: typeof full, asymmetric = true) =>
      byolMethod
        .views(byolMethod.params.parse({ asymmetric }), { inputSize: 96, ...(base ? { base } : {}) })
        .map(({ policy }) => policy);
    assert.deepEqual(policies(), [first, second]);
    assert.deepEqual(policies(full), [
      { ...full, blur: 1, solarize: 0 },
      { ...full, blur: 0.1, solarize: 0.2 },
    ]);
    assert.deepEqual(policies(full, false), [full, full]);
    assert.deepEqual(policies(undefined, false), [first, first]);
  });
});
