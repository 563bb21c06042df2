import assert from 'node:assert/strict';
import { openEncoder } from '../../src/contrast/encoder.js';
import { projectCrops } from '../../src/contrast/project-crops.js';
import { drawPrototypes, heldPrototypes, normalisePrototypes } from '../../src/contrast/swav/prototypes.js';
import { prototypeUse } from '../../src/contrast/swav/prototype-use.js';
import { sinkhornCodes } from '../../src/contrast/swav/sinkhorn.js';
import { swappedPredictionLoss } from '../../src/contrast/swav/swapped-prediction.js';
import { createSwav, type SwavOptions } from '../../src/contrast/swav/swav.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method } from '../../src/training/method.js';
import { swavMethod } from '../../pipelines/methods/swav.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

const closeRows = (actual: number[][], expected: number[][], tolerance = 1e-5): void => {
  assert.deepEqual([actual.length, actual[0]!.length], [expected.length, expected[0]!.length]);
  actual.forEach((row, i) => row.forEach((value, k) => close(value, expected[i]![k]!, tolerance)));
};

const drawScores = (rows: number, columns: number, seed: number): number[][] => {
  const random = RandomStream.of(seed, 'scores');
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.uniform(-1, 1)));
};

/** Sinkhorn as in the paper, on the values themselves, in float64. */
const slowCodes = (scores: number[][], epsilon: number, iterations: number): number[][] => {
  const [samples, prototypes] = [scores.length, scores[0]!.length];
  let q = scores.map((row) => row.map((s) => Math.exp(s / epsilon)));
  for (let t = 0; t < iterations; t++) {
    const columns = q[0]!.map((_, k) => q.reduce((sum, row) => sum + row[k]!, 0));
    q = q.map((row) => row.map((value, k) => value / columns[k]! / prototypes));
    q = q.map((row) => {
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum / samples);
    });
  }
  return q.map((row) => row.map((value) => value * samples));
};

/** Swapped prediction term by term, in float64. */
const slowLoss = (scores: number[][][], codes: number[][][], temperature: number): number => {
  let total = 0;
  codes.forEach((q, i) => {
    let overOthers = 0;
    scores.forEach((s, v) => {
      if (v === i) return;
      let overSamples = 0;
      s.forEach((row, b) => {
        const sum = row.reduce((a, value) => a + Math.exp(value / temperature), 0);
        row.forEach((value, k) => {
          overSamples -= q[b]![k]! * Math.log(Math.exp(value / temperature) / sum);
        });
      });
      overOthers += overSamples / s.length;
    });
    total += overOthers / (scores.length - 1);
  });
  return total / codes.length;
};

describe("Sinkhorn's codes", () => {
  before(() => openRuntime({ threads: 1 }));
  const options = { epsilon: 0.05, iterations: 3 };
  const codesOf = (scores: number[][], own: Partial<typeof options> = {}): number[][] =>
    tf.tidy(() => sinkhornCodes(tf.tensor2d(scores), { ...options, ...own }).arraySync());

  it('are the known ones', () => {
    closeRows(
      codesOf([
        [0.9, 0.1, 0],
        [0.8, 0.2, 0.1],
        [0.1, 0.7, 0.2],
        [0.7, 0.1, 0.6],
      ]),
      [
        [0.999942, 0.000029, 0.000029],
        [0.996849, 0.001558, 0.001593],
        [0, 0.999657, 0.000343],
        [0.003831, 0.000006, 0.996163],
      ],
      1e-6,
    );
  });

  it('agree with the normalisations done one by one, for other epsilons and rounds', () => {
    const scores = drawScores(7, 4, 1);
    for (const [epsilon, iterations] of [
      [0.05, 3],
      [0.2, 1],
      [0.5, 6],
    ] as const) {
      closeRows(codesOf(scores, { epsilon, iterations }), slowCodes(scores, epsilon, iterations), 2e-5);
    }
    assert.ok(Math.abs(codesOf(scores, { epsilon: 0.2 })[0]![0]! - codesOf(scores, { epsilon: 0.3 })[0]![0]!) > 1e-3);
  });

  it('sum to 1 over prototypes, and after enough rounds to samples / prototypes over samples', () => {
    const codes = codesOf(drawScores(12, 4, 2), { epsilon: 0.3, iterations: 60 });
    for (const row of codes)
      close(
        row.reduce((a, b) => a + b),
        1,
      );
    for (let k = 0; k < 4; k++)
      close(
        codes.reduce((sum, row) => sum + row[k]!, 0),
        3,
        1e-4,
      );
  });

  it('do not change when all scores rise alike, and follow the order of the samples', () => {
    const scores = drawScores(5, 3, 3);
    const codes = codesOf(scores);
    closeRows(codesOf(scores.map((row) => row.map((s) => s + 0.4))), codes, 1e-5);
    closeRows(codesOf([...scores].reverse()), [...codes].reverse(), 1e-6);
  });

  it('are numbers where plain exponentials leave the range of float32', () => {
    const scores = [
      [500, 0, -500],
      [0, 400, -300],
      [-200, 0, 300],
    ];
    closeRows(codesOf(scores), [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    const sums = codesOf(drawScores(6, 3, 4), { epsilon: 1e-3 }).map((row) => row.reduce((a, b) => a + b));
    for (const sum of sums) close(sum, 1);
  });

  it('share alike where all scores are equal', () => {
    closeRows(
      codesOf([
        [0.3, 0.3],
        [0.3, 0.3],
        [0.3, 0.3],
      ]),
      [
        [0.5, 0.5],
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    );
  });
});

describe('swapped prediction', () => {
  before(() => openRuntime({ threads: 1 }));
  const tau = 0.1;
  const scores = [drawScores(4, 3, 5), drawScores(4, 3, 6), drawScores(4, 3, 7), drawScores(4, 3, 8)];
  const codes = [slowCodes(scores[0]!, 0.2, 3), slowCodes(scores[1]!, 0.2, 3)];
  const lossOf = (s: number[][][], q: number[][][], temperature = tau): number =>
    tf.tidy(
      () =>
        swappedPredictionLoss(
          s.map((rows) => tf.tensor2d(rows)),
          q.map((rows) => tf.tensor2d(rows)),
          temperature,
        ).dataSync()[0]!,
    );

  it('agrees with its formula term by term, with and without small crops, at any temperature', () => {
    close(lossOf(scores, codes), slowLoss(scores, codes, tau), 1e-4);
    close(lossOf(scores.slice(0, 2), codes), slowLoss(scores.slice(0, 2), codes, tau), 1e-4);
    close(lossOf(scores, codes, 0.7), slowLoss(scores, codes, 0.7), 1e-5);
  });

  it('is ln K for scores that say nothing, and near 0 where every crop is sure of the same', () => {
    const flat = scores.map((s) => s.map((row) => row.map(() => 0.2)));
    close(lossOf(flat, codes), Math.log(3));
    const sure = [0, 1, 2, 0].map((k) => [0, 1, 2].map((j) => (j === k ? 1 : 0)));
    assert.ok(lossOf([sure, sure, sure, sure], [sure, sure]) < 1e-3);
  });

  it('never compares a crop with its own code', () => {
    // The two large crops disagree fully: were the own code among the terms, the loss would be below 10.
    const [one, other] = [[[1, 0]], [[0, 1]]];
    close(lossOf([one, other], [one, other]), 10, 1e-3);
  });

  it('does not depend on the order of the samples, nor on that of the small crops', () => {
    const turned = <T>(rows: T[]): T[] => [...rows.slice(1), rows[0]!];
    close(lossOf(scores.map(turned), codes.map(turned)), lossOf(scores, codes), 1e-5);
    close(lossOf([scores[0]!, scores[1]!, scores[3]!, scores[2]!], codes), lossOf(scores, codes), 1e-5);
  });

  it('has the gradient of finite differences, in large and small crops', () => {
    tf.tidy(() => {
      const grads = tf.grads((...s: Tensor[]) =>
        swappedPredictionLoss(
          s as Tensor2D[],
          codes.map((rows) => tf.tensor2d(rows)),
          0.5,
        ),
      )(scores.map((rows) => tf.tensor2d(rows)));
      const h = 1e-5;
      scores.forEach((crop, v) => {
        const found = grads[v]!.arraySync() as number[][];
        crop.forEach((row, b) =>
          row.forEach((_, k) => {
            const at = (by: number): number =>
              slowLoss(
                scores.map((c, w) => c.map((r, i) => r.map((s, j) => (w === v && i === b && j === k ? s + by : s)))),
                codes,
                0.5,
              );
            close(found[b]![k]!, (at(h) - at(-h)) / (2 * h), 1e-5);
          }),
        );
      });
    });
  });

  it('gets no gradient through the codes', () => {
    tf.tidy(() => {
      const s = scores.map((rows) => tf.tensor2d(rows));
      const fixed = codes.map((rows) => tf.tensor2d(rows));
      const [alone] = tf.grads((a: Tensor, b: Tensor) => swappedPredictionLoss([a, b] as Tensor2D[], fixed, tau))([
        s[0]!,
        s[1]!,
      ]);
      const [through] = tf.grads((a: Tensor, b: Tensor) =>
        swappedPredictionLoss(
          [a, b] as Tensor2D[],
          [a, b].map((x) => sinkhornCodes(x as Tensor2D, { epsilon: 0.2, iterations: 3 })),
          tau,
        ),
      )([s[0]!, s[1]!]);
      const difference = tf.max(tf.abs(tf.sub(alone!, through!))).dataSync()[0]!;
      assert.ok(difference < 1e-4, `codes add ${difference} to the gradient`);
      // As the gradient of the scores by way of the codes alone: none at all.
      assert.throws(() => tf.grad((x) => tf.sum(sinkhornCodes(x as Tensor2D, { epsilon: 0.2, iterations: 3 })))(s[0]!));
    });
  });
});

describe('prototypes', () => {
  before(() => openRuntime({ threads: 1 }));

  it('are drawn as unit rows, and brought back to unit rows in place', () => {
    const prototypes = drawPrototypes(5, 3, RandomStream.of(1));
    const rows = (): number[][] => prototypes.arraySync() as number[][];
    const before = rows();
    for (const row of before) close(Math.hypot(...row), 1);
    tf.tidy(() => prototypes.assign(tf.mul(prototypes, 3)));
    normalisePrototypes(prototypes);
    closeRows(rows(), before);
    prototypes.dispose();
  });

  it('while held get no gradient', () => {
    const prototypes = drawPrototypes(2, 3, RandomStream.of(1));
    tf.tidy(() => {
      const other = tf.variable(tf.ones([2, 3]));
      const loss = (c: Tensor) => (): Scalar => tf.sum(tf.mul(tf.mul(c, c), other));
      const free = tf.variableGrads(loss(prototypes), [prototypes, other]).grads;
      const held = tf.variableGrads(() => loss(heldPrototypes(prototypes))(), [prototypes, other]).grads;
      assert.ok(free[prototypes.name]);
      assert.equal(held[prototypes.name] ?? null, null);
      assert.ok(held[other.name]);
    });
    prototypes.dispose();
  });

  it('are used as the measures say', () => {
    tf.tidy(() => {
      const sure = tf.tensor2d([
        [9, 0, 0, 0],
        [9, 0, 0, 0],
        [0, 9, 0, 0],
      ]);
      const even = tf.fill([3, 4], 0.25) as Tensor2D;
      const use = prototypeUse(sure, even, 0.1);
      close(use.usedPrototypes.dataSync()[0]!, 2 / 3);
      close(use.codeEntropy.dataSync()[0]!, Math.log(4));
      close(use.prototypeEntropy.dataSync()[0]!, -(2 / 3) * Math.log(2 / 3) - (1 / 3) * Math.log(1 / 3), 1e-4);
    });
  });
});

describe('crops through one encoder', () => {
  before(() => openRuntime({ threads: 2 }));

  it('of one size share a pass, of another have their own, and come back in the order of the views', () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const encoder = openEncoder(trunk, mlp({ hidden: [8], dim: 4, batchNorm: 'hidden' }), RandomStream.of(1, 'head'));
    tf.tidy(() => {
      const views = [48, 48, 24, 48].map(
        (side, i) => tf.randomNormal([2, side, side, 3], 0, 1, 'float32', i) as Tensor4D,
      );
      const together = projectCrops(encoder, views, 'eval');
      assert.deepEqual(together.shape, [8, 4]);
      const apart = tf.concat(views.map((view) => projectCrops(encoder, [view], 'eval')));
      assert.ok(tf.max(tf.abs(tf.sub(together, apart))).dataSync()[0]! < 1e-5);
      for (const row of together.arraySync()) close(Math.hypot(...row), 1);
    });
    encoder.dispose();
    trunk.dispose();
  });
});

describe('SwAV', () => {
  before(() => openRuntime({ threads: 2 }));

  const swav = (options: Partial<SwavOptions<TestView>> = {}): Method<TestView> =>
    createSwav({
      drawView: drawTestView({ from: 2, size: 16 }),
      steps: 5,
      localCrops: 1,
      prototypes: 6,
      freezeShare: 0.4,
      queueRows: 8,
      queueAfter: 0.2,
      projector: mlp({ hidden: [16], dim: 8, batchNorm: 'hidden' }),
      ...options,
    });
  const batchAt = (step: number): Batch => ({
    indices: Int32Array.of(0, 1, 2, 3),
    videos: Int32Array.of(0, 1, 2, 3),
    step,
    epoch: 0,
    random: RandomStream.of(1, step),
  });
  /** Gradients of a step, and what it logs. */
  const stepOf = (
    method: Method<TestView>,
    step: number,
  ): { grads: string[]; signals: Record<string, number>; loss: number } => {
    const source = testSource({ size: 32 });
    const batch = batchAt(step);
    const draws = [...batch.indices].map((i) => method.views(source.info(i), RandomStream.of(3, step, i)));
    return tf.tidy(() => {
      const variables = [...method.variables()];
      const signals: Record<string, number> = {};
      const { value, grads } = tf.variableGrads(
        () => {
          const result = method.step(source.render(batch.indices, draws), batch);
          for (const [name, signal] of Object.entries(result.signals)) {
            if (typeof signal !== 'number' && signal.rank === 0) signals[name] = signal.dataSync()[0]!;
          }
          result.commit?.();
          (result.signals['embedding'] as Tensor).dispose();
          return result.loss;
        },
        variables.map(([, variable]) => variable),
      );
      const found = variables.filter(([, variable]) => grads[variable.name]).map(([name]) => name);
      return { grads: found, signals, loss: value.dataSync()[0]! };
    });
  };
  const open = (options: Partial<SwavOptions<TestView>> = {}) => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const method = swav(options);
    method.init(trunk, testSource(), RandomStream.of(1, 'method'));
    return { method, close: () => [method, trunk].forEach((part) => part.dispose()) };
  };

  it('goes on from any step to the same bytes, through held prototypes, an empty and a full queue', () =>
    assertExactResume(swav, { size: 32 }));

  it('holds the prototypes for their share of the run, then lets them learn', () => {
    const { method, close } = open();
    assert.equal(stepOf(method, 1).grads.includes('prototypes'), false);
    assert.equal(stepOf(method, 2).grads.includes('prototypes'), true);
    close();
  });

  it('fills the queue from its share of the run on, and lets it take part in the codes once it is full', () => {
    const { method, close } = open();
    const queue = (): number[] => [...method.save()['0/queue']!.data];
    const first = queue();
    stepOf(method, 0);
    assert.deepEqual(queue(), first, 'filled before its time');
    stepOf(method, 1);
    assert.notDeepEqual(queue(), first);
    close();
    // The same step from the same state, with other rows in the queue: another loss only where it takes part.
    for (const [step, takesPart] of [
      [2, false],
      [3, true],
    ] as const) {
      const losses = [1, -1].map((sign) => {
        const { method, close } = open();
        const state = { ...method.save() };
        for (const name of ['0/queue', '1/queue']) {
          const { shape } = state[name]!;
          const row = [sign, 0, 0, 0, 0, 0, 0, 0];
          state[name] = { shape, data: Float32Array.from(Array.from({ length: shape[0]! }, () => row).flat()) };
        }
        method.load(state);
        const { loss } = stepOf(method, step);
        close();
        return loss;
      });
      assert.equal(Math.abs(losses[0]! - losses[1]!) > 1e-6, takesPart, `step ${step}: ${losses.join(' and ')}`);
    }
  });

  it('draws two large crops and the small ones asked for, and names ln K as the loss of nothing learned', () => {
    const sizes = (method: Method<TestView>): (number | undefined)[] =>
      method.views({ index: 0, video: 0, paired: false }, RandomStream.of(1)).map(({ size }) => size);
    assert.deepEqual(sizes(swav()), [undefined, undefined, 16]);
    assert.deepEqual(sizes(swav({ localCrops: 0 })), [undefined, undefined]);
    close(swav().uniformLoss(0), Math.log(6));
  });

  it('says in its signals that a collapsed network is at ln K: codes that decide nothing', () => {
    const { method, close: end } = open({ queueRows: 0 });
    // Projections that are all alike.
    for (const [name, variable] of method.variables()) {
      if (name.startsWith('projector.') && variable.rank === 2) tf.tidy(() => variable.assign(tf.zerosLike(variable)));
      if (name === 'projector.3.bias') tf.tidy(() => variable.assign(tf.onesLike(variable)));
    }
    const { signals, loss } = stepOf(method, 4);
    close(signals['codeEntropy']!, Math.log(6), 1e-3);
    assert.ok(signals['usedPrototypes']! < 0.2);
    assert.ok(loss >= Math.log(6) - 1e-3);
    end();
  });

  it('with the dense layers of the trunk takes no small crops', () => {
    assert.throws(() => swav({ projector: 'embedding' }), /`localCrops`, got `embedding` with 1/);
    swav({ projector: 'embedding', localCrops: 0 });
  });

  it('refuses parameters out of range by name', () => {
    const wrong: Partial<SwavOptions<TestView>>[] = [
      { localCrops: -1 },
      { prototypes: 1 },
      { iterations: 0 },
      { queueRows: 0.5 },
      { epsilon: 0 },
      { temperature: -1 },
      { freezeShare: 1.5 },
      { queueAfter: NaN },
    ];
    for (const options of wrong) {
      assert.throws(() => swav(options), new RegExp(`Expected \`${Object.keys(options)[0]}\``));
    }
  });
});

describe('SwAV in a pipeline', () => {
  const params = swavMethod.params.parse({ localCrops: 4 });

  it('plans two large crops of the input size and small ones of half of it', () => {
    const plans = swavMethod.views(params, { inputSize: 96 });
    assert.deepEqual(
      plans.map(({ size, policy }) => [size, ...policy.cropArea]),
      [[undefined, 0.14, 1], [undefined, 0.14, 1], ...Array.from({ length: 4 }, () => [48, 0.05, 0.14])],
    );
  });

  it('changes no more of a shared augmentation than the areas, and nothing of one that never crops', () => {
    const [large, , small] = swavMethod.views(params, { inputSize: 96, base: augmentationPolicies.full });
    assert.deepEqual(large!.policy, { ...augmentationPolicies.full, cropArea: [0.14, 1] });
    assert.deepEqual(small!.policy, { ...augmentationPolicies.full, cropArea: [0.05, 0.14] });
    for (const { policy } of swavMethod.views(params, { inputSize: 96, base: augmentationPolicies.none })) {
      assert.deepEqual(policy, augmentationPolicies.none);
    }
  });
});
