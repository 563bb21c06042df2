import assert from 'node:assert/strict';
import { simclrMethod } from '../../pipelines/methods/simclr.js';
import { ntXent } from '../../src/contrast/simclr/nt-xent.js';
import { createSimclr, type SimclrOptions } from '../../src/contrast/simclr/simclr.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { l2Normalize } from '../../src/runtime/ops/l2-normalize.js';
import { tf, type Tensor, type Tensor2D } from '../../src/runtime/tensors.js';
import { assertNumericGradient, assertSameGradients, numbers } from '../runtime/gradient-check.js';
import { assertExactResume, drawTestView } from './resume.js';
import { batchOf, noise, rowsOf, runStep, smallTrunk, sourceOf } from './run-step.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Equation 1 row by row, in float64. */
const slowNtXent = (first: number[][], second: number[][], temperature: number): number[] => {
  const rows = [...first, ...second];
  const n = first.length;
  return rows.map((row, i) => {
    const partner = rows[i < n ? i + n : i - n]!;
    let sum = 0;
    rows.forEach((other, k) => {
      if (k !== i) sum += Math.exp(dot(row, other) / temperature);
    });
    return -Math.log(Math.exp(dot(row, partner) / temperature) / sum);
  });
};

const unit = (rows: number, dim: number, seed: number): Tensor2D => l2Normalize(numbers([rows, dim], seed) as Tensor2D);

describe('NT-Xent', () => {
  before(() => openRuntime({ threads: 1 }));

  it('agrees with the formula row by row, over batches, lengths and temperatures', () => {
    for (const batch of [1, 2, 5]) {
      for (const dim of [2, 7]) {
        for (const temperature of [0.07, 0.5, 2]) {
          tf.tidy(() => {
            const [first, second] = [unit(batch, dim, 3), unit(batch, dim, 4)];
            const losses = ntXent(first, second, temperature).dataSync();
            const slow = slowNtXent(rowsOf(first), rowsOf(second), temperature);
            assert.equal(losses.length, 2 * batch);
            slow.forEach((value, i) => close(losses[i]!, value, 2e-5));
          });
        }
      }
    }
  });

  it('gives what an independent implementation gives (lightly 1.6)', () => {
    tf.tidy(() => {
      const first = tf.tensor2d([1, 0, 0.6, 0.8, 0, 1], [3, 2]);
      const second = tf.tensor2d([0.8, 0.6, 0, 1, -0.6, 0.8], [3, 2]);
      close(tf.mean(ntXent(first, second, 0.5)).dataSync()[0]!, 1.252459);
      close(tf.mean(ntXent(first, second, 0.1)).dataSync()[0]!, 1.519837);
    });
  });

  it('is ln(2 n - 1) for equal rows, and ln(1 + (2 n - 2) exp(-1 / tau)) for equal partners that are orthogonal to all others', () => {
    tf.tidy(() => {
      const same = tf.tile(tf.tensor2d([[0.6, 0.8]]), [4, 1]) as Tensor2D;
      for (const value of ntXent(same, same, 0.1).dataSync()) close(value, Math.log(7));
      const axes = tf.eye(4) as Tensor2D;
      for (const value of ntXent(axes, axes, 0.5).dataSync()) close(value, Math.log(1 + 6 * Math.exp(-2)));
    });
  });

  it('a pair alone has nothing to be told from: loss and gradient are 0, whatever its likeness', () => {
    tf.tidy(() => {
      const loss = (a: Tensor, b: Tensor) => ntXent(a as Tensor2D, b as Tensor2D, 0.1);
      const [first, second] = [unit(1, 5, 1), unit(1, 5, 2)];
      assert.deepEqual([...loss(first, second).dataSync()], [0, 0]);
      for (const gradient of tf.grads((a, b) => tf.sum(loss(a, b)))([first, second])) {
        assert.ok([...gradient.dataSync()].every((value) => Math.abs(value) < 1e-6));
      }
    });
  });

  it('permuting the batch permutes its terms; swapping the views swaps its halves; scale and temperature are one', () => {
    tf.tidy(() => {
      const [first, second] = [unit(4, 6, 5), unit(4, 6, 6)];
      const losses = ntXent(first, second, 0.3).dataSync();
      const order = [2, 0, 3, 1];
      const places = tf.tensor1d(order, 'int32');
      const moved = ntXent(tf.gather(first, places), tf.gather(second, places), 0.3).dataSync();
      order.forEach((from, to) => {
        close(moved[to]!, losses[from]!);
        close(moved[4 + to]!, losses[4 + from]!);
      });
      const swapped = ntXent(second, first, 0.3).dataSync();
      for (let i = 0; i < 8; i++) close(swapped[i]!, losses[(i + 4) % 8]!);
      const scaled = ntXent(tf.mul(first, 2), tf.mul(second, 2), 1.2).dataSync();
      for (let i = 0; i < 8; i++) close(scaled[i]!, losses[i]!);
    });
  });

  it('has the gradient of the formula in both views', () => {
    tf.tidy(() => {
      const inputs = [unit(3, 4, 7), unit(3, 4, 8)];
      const loss = (a: Tensor, b: Tensor): Tensor => ntXent(a as Tensor2D, b as Tensor2D, 0.4);
      assertNumericGradient(loss, inputs);
      const plain = (a: Tensor, b: Tensor): Tensor => {
        const rows = tf.concat([a, b], 0);
        const exponentials = tf.exp(tf.div(tf.matMul(rows as Tensor2D, rows as Tensor2D, false, true), 0.4));
        const others = tf.sum(tf.mul(exponentials, tf.sub(1, tf.eye(6))), 1);
        const own = tf.div(tf.sum(tf.mul(a, b), 1), 0.4);
        return tf.sub(tf.log(others), tf.concat([own, own], 0));
      };
      assertSameGradients(loss, plain, inputs);
    });
  });

  it('refuses views of unlike shapes', () => {
    assert.throws(() => tf.tidy(() => ntXent(unit(3, 4, 1), unit(2, 4, 1), 1)), /two views of one shape, got \[3, 4\]/);
  });
});

describe('SimCLR', () => {
  before(() => openRuntime({ threads: 1 }));

  const open = (options: Partial<SimclrOptions<string>> = {}) => {
    const trunk = smallTrunk();
    const method = createSimclr<string>({
      drawView: (_, view) => `view ${view}`,
      projector: mlp({ hidden: [8], dim: 6, batchNorm: 'all' }),
      ...options,
    });
    method.init(trunk, sourceOf(10), RandomStream.of(1));
    const dispose = (): void => {
      method.dispose();
      trunk.dispose();
    };
    return { trunk, method, dispose };
  };

  it('takes two views of a sample', () => {
    const { method, dispose } = open();
    assert.deepEqual(method.views({ index: 0, video: 0, paired: false }, RandomStream.of(1)), ['view 0', 'view 1']);
    dispose();
  });

  it('its loss is the mean of NT-Xent over the rows it shows, and its signals are the mean cosines of partners and of the others', () => {
    const { trunk, method, dispose } = open({ temperature: 0.3 });
    const { loss, signals, embedding } = runStep(method, trunk, [noise(4), noise(4, 24, 2)], batchOf([0, 1, 2, 3]));
    assert.equal(embedding.length, 8);
    for (const row of embedding) close(dot(row, row), 1);
    const slow = slowNtXent(embedding.slice(0, 4), embedding.slice(4), 0.3);
    close(loss, slow.reduce((a, b) => a + b, 0) / 8, 1e-4);
    const [partners, others]: [number[], number[]] = [[], []];
    embedding.forEach((a, i) =>
      embedding.forEach((b, j) => {
        if (i !== j) (i % 4 === j % 4 ? partners : others).push(dot(a, b));
      }),
    );
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    close(signals['positive']!, mean(partners));
    close(signals['negative']!, mean(others));
    close(method.uniformLoss(0), Math.log(7));
    dispose();
  });

  it('the temperature counts, and is 0.5 unless it is said otherwise', () => {
    const losses = [{}, { temperature: 0.5 }, { temperature: 0.1 }].map((options) => {
      const { trunk, method, dispose } = open(options);
      const { loss } = runStep(method, trunk, [noise(4), noise(4, 24, 2)], batchOf([0, 1, 2, 3]));
      dispose();
      return loss;
    });
    assert.equal(losses[0], losses[1]);
    assert.notEqual(losses[1], losses[2]);
  });

  it('both views teach trunk and head, a step changes them, and nothing stays in memory', () => {
    const { trunk, method, dispose } = open();
    const [name] = method.variables().keys();
    const before = method.variables().get(name!)!.dataSync().slice();
    const step = () => runStep(method, trunk, [noise(4), noise(4, 24, 2)], batchOf([0, 1, 2, 3]), 0.1);
    step();
    assert.notDeepEqual(method.variables().get(name!)!.dataSync(), before);
    const count = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step();
    assert.equal(tf.memory().numTensors, count);
    for (const side of [0, 1]) {
      tf.tidy(() => {
        const views = [noise(4), noise(4, 24, 2)];
        const gradient = tf.grad((x: Tensor) => {
          const given = views.map((view, v) => (v === side ? x : view)) as typeof views;
          return method.step(given, batchOf([0, 1, 2, 3])).loss;
        })(views[side]!);
        assert.ok(tf.max(tf.abs(gradient)).dataSync()[0]! > 0);
      });
    }
    dispose();
  });

  it('resumes exactly, running statistics of the head included', () =>
    assertExactResume(() => createSimclr({ drawView: drawTestView() })));

  it('refuses parameters out of range', () => {
    assert.throws(() => open({ temperature: 0 }), /Expected `temperature` to be a number above 0, got `0` \(number\)/);
  });

  it('is known to the pipelines with two views alike: those of a run, or the recipe of its paper', () => {
    const params = simclrMethod.params.parse({});
    const views = (base?: typeof augmentationPolicies.full) =>
      simclrMethod.views(params, { inputSize: 96, ...(base ? { base } : {}) }).map(({ policy }) => policy);
    assert.deepEqual(views(), [augmentationPolicies.simclr, augmentationPolicies.simclr]);
    assert.deepEqual(views(augmentationPolicies.full), [augmentationPolicies.full, augmentationPolicies.full]);
    assert.throws(() => simclrMethod.params.parse({ temperature: -1 }));
  });
});
