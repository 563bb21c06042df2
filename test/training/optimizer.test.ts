import assert from 'node:assert/strict';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Variable } from '../../src/runtime/tensors.js';
import { adamw } from '../../src/training/adamw.js';
import { lars } from '../../src/training/lars.js';
import type { Optimizer, VariableRule } from '../../src/training/optimizer.js';
import { sgd } from '../../src/training/sgd.js';

/** One variable of two values through several steps of given gradients; its values after each. */
const run = (optimizer: Optimizer, gradients: number[][], rate: number | number[], rule?: VariableRule): number[][] => {
  const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, -2])));
  const variables = new Map<string, Variable>([['w', variable as Variable]]);
  const state = optimizer.init(variables);
  const values = gradients.map((gradient, step) => {
    const now = typeof rate === 'number' ? rate : rate[step]!;
    tf.tidy(() =>
      optimizer.update(state, variables, new Map([['w', tf.tensor1d(gradient)]]), now, rule && new Map([['w', rule]])),
    );
    return [...variable.dataSync()];
  });
  assert.equal(state.step, gradients.length);
  variable.dispose();
  for (const slot of state.slots.values()) slot.dispose();
  return values;
};

const close = (actual: number[][], expected: number[][]): void =>
  expected.forEach((row, i) =>
    row.forEach((value, k) => {
      assert.ok(Math.abs(actual[i]![k]! - value) < 1e-6, `step ${i}, value ${k}: ${actual[i]![k]} is not ${value}`);
    }),
  );

describe('optimisers', () => {
  before(() => openRuntime({ threads: 1 }));

  it('SGD: two steps worked by hand, with momentum and decay', () => {
    // v1 = g + 0.5 w = (1, -1) + (0.5, -1) = (1.5, -2); w1 = (1, -2) - 0.1 v1 = (0.85, -1.8)
    // v2 = 0.9 v1 + (0, 2) + 0.5 w1 = (1.35 + 0.425, -1.8 + 2 - 0.9) = (1.775, -0.7); w2 = w1 - 0.1 v2 = (0.6725, -1.73)
    close(
      run(
        sgd({ momentum: 0.9, weightDecay: 0.5 }),
        [
          [1, -1],
          [0, 2],
        ],
        0.1,
      ),
      [
        [0.85, -1.8],
        [0.6725, -1.73],
      ],
    );
  });

  it('SGD: a changed rate acts on the whole momentum, as in PyTorch', () => {
    // v2 = 0.5 * 1 + 0; w2 = (1 - 1) - 0.1 * 0.5
    close(
      run(
        sgd({ momentum: 0.5 }),
        [
          [1, 1],
          [0, 0],
        ],
        [1, 0.1],
      ),
      [
        [0, -3],
        [-0.05, -3.05],
      ],
    );
  });

  it('SGD: a variable large enough to be changed in place moves like its formula, and what was cloned from it stays', () => {
    const size = 1 << 16;
    const start = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    const variable = tf.tidy(() => tf.variable(tf.tensor1d(start))) as Variable;
    // Both share the array: a momentum encoder begins like the first, a reader holds the second.
    const cloned = tf.tidy(() => tf.variable(variable.clone()));
    const read = variable.reshape([256, -1]);
    const variables = new Map([['w', variable]]);
    for (const weightDecay of [0, 0.5]) {
      variable.assign(cloned.clone());
      const optimizer = sgd({ momentum: 0.9, weightDecay });
      const state = optimizer.init(variables);
      const rule = new Map([['w', { rate: 2, decay: 0.5 }]]);
      const [w, v] = [start.slice(), new Float32Array(size)];
      let tensors: number | undefined;
      for (let step = 0; step < 3; step++) {
        const gradient = Float32Array.from({ length: size }, (_, i) => Math.cos(i * (step + 1)));
        tf.tidy(() => optimizer.update(state, variables, new Map([['w', tf.tensor1d(gradient)]]), 0.1, rule));
        w.forEach((_, i) => {
          v[i] = 0.9 * v[i]! + gradient[i]! + weightDecay * 0.5 * w[i]!;
          w[i]! -= 0.2 * v[i]!;
        });
        for (const [values, expected] of [
          [variable.dataSync(), w],
          [state.slots.get('momentum/w')!.dataSync(), v],
        ] as const) {
          assert.ok(values.every((value, i) => Math.abs(value - expected[i]!) < 2e-6));
        }
        assert.equal(tf.memory().numTensors, (tensors ??= tf.memory().numTensors));
      }
      for (const slot of state.slots.values()) slot.dispose();
      assert.deepEqual(cloned.dataSync(), start);
      assert.deepEqual(read.dataSync(), start);
    }
    tf.dispose([variable, cloned, read]);
  });

  it('SGD: rate and decay have multipliers a variable', () => {
    close(run(sgd({ momentum: 0, weightDecay: 0.5 }), [[1, 1]], 0.1, { rate: 2, decay: 0 }), [[0.8, -2.2]]);
  });

  it('LARS: two steps worked by hand, with trust, momentum and decay', () => {
    // g = (3, -4) + 0.5 (1, -2) = (3.5, -5); ratio = 0.1 |w| / |g|, |w| = sqrt 5, |g| = sqrt 37.25
    const first = (0.1 * Math.sqrt(5)) / Math.sqrt(37.25);
    const [v1, v2] = [2 * first * 3.5, 2 * first * -5];
    const [w1, w2] = [1 - v1, -2 - v2];
    const [g1, g2] = [1 + 0.5 * w1, 0.5 * w2];
    const second = (0.1 * Math.hypot(w1, w2)) / Math.hypot(g1, g2);
    const options = { momentum: 0.9, weightDecay: 0.5, trust: 0.1 };
    close(
      run(
        lars(options),
        [
          [3, -4],
          [1, 0],
        ],
        2,
      ),
      [
        [w1, w2],
        [w1 - (0.9 * v1 + 2 * second * g1), w2 - (0.9 * v2 + 2 * second * g2)],
      ],
    );
  });

  it('LARS: biases and batch norm, whose decay is 0, move by plain momentum; a gradient of 0 moves nothing', () => {
    const options = { momentum: 0, weightDecay: 0.5, trust: 0.1 };
    close(run(lars(options), [[3, -4]], 0.1, { rate: 1, decay: 0 }), [[0.7, -1.6]]);
    close(run(lars({ ...options, weightDecay: 0 }), [[0, 0]], 0.1), [[1, -2]]);
  });

  it('AdamW: the first step moves by the rate against the sign of the gradient, after the decay', () => {
    close(run(adamw({ weightDecay: 0.1 }), [[3, -0.01]], 0.1), [[1 * 0.99 - 0.1, -2 * 0.99 + 0.1]]);
  });

  it('AdamW: follows the formula over steps', () => {
    const [b1, b2, eps, rate, decay] = [0.8, 0.95, 1e-3, 0.05, 0.2];
    const gradients = [
      [1, 0.5],
      [-2, 0.1],
      [0.3, 0],
      [0.1, -4],
    ];
    let [m, v, w] = [
      [0, 0],
      [0, 0],
      [1, -2],
    ];
    const expected = gradients.map((g, step) => {
      m = m.map((x, i) => b1 * x + (1 - b1) * g[i]!);
      v = v.map((x, i) => b2 * x + (1 - b2) * g[i]! ** 2);
      w = w.map((x, i) => {
        const meanHat = m[i]! / (1 - b1 ** (step + 1));
        const squareHat = v[i]! / (1 - b2 ** (step + 1));
        return x - rate * decay * x - (rate * meanHat) / (Math.sqrt(squareHat) + eps);
      });
      return w;
    });
    close(run(adamw({ beta1: b1, beta2: b2, epsilon: eps, weightDecay: decay }), gradients, rate), expected);
  });

  it('AdamW: a variable large enough to be changed in place moves like a small one, and what was cloned from it stays', () => {
    const size = 1 << 16;
    const made = (values: Float32Array): Variable => tf.tidy(() => tf.variable(tf.tensor1d(values))) as Variable;
    const start = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    const [large, small] = [made(start), made(start.slice(0, 100))];
    const cloned = large.clone();
    const optimizer = adamw({ weightDecay: 0.1 });
    const states = [large, small].map((variable) => optimizer.init(new Map([['w', variable]])));
    for (let step = 0; step < 3; step++) {
      const gradient = Float32Array.from({ length: size }, (_, i) => Math.cos(i * (step + 1)));
      for (const [i, variable] of [large, small].entries()) {
        const own = tf.tidy(() => tf.keep(tf.tensor1d(gradient.slice(0, variable.size))));
        tf.tidy(() => optimizer.update(states[i]!, new Map([['w', variable]]), new Map([['w', own]]), 0.1));
        own.dispose();
      }
      const [a, b] = [large.dataSync(), small.dataSync()];
      // The op takes 1 - beta2 in float32, which is off by 1.3e-5 of itself.
      assert.ok(b.every((value, i) => Math.abs(value - a[i]!) < 5e-6));
      for (const slot of ['mean/w', 'square/w']) {
        const [c, d] = states.map(({ slots }) => slots.get(slot)!.dataSync());
        assert.ok(d!.every((value, i) => Math.abs(value - c![i]!) < 1e-6));
      }
    }
    assert.deepEqual(cloned.dataSync(), start);
    tf.dispose([large, small, cloned, ...states.flatMap(({ slots }) => [...slots.values()])]);
  });

  it('vectors that are moved at once, by rules alike or unlike, go to the byte where each goes alone', () => {
    const sizes = { a: 3, b: 5, c: 2, d: 4 };
    const rules = new Map([['c', { rate: 2, decay: 0 }]]);
    const wave = (size: number, step: number): Float32Array =>
      Float32Array.from({ length: size }, (_, i) => Math.cos(size * i + step));
    for (const optimizer of [sgd({ weightDecay: 0.1 }), adamw({ weightDecay: 0.1 })]) {
      const after = (names: readonly string[]): Record<string, Float32Array> => {
        const shape = (name: string): number[] => (name === 'd' ? [2, 2] : [sizes[name as 'a']]);
        const variables = new Map(
          names.map((name) => [
            name,
            tf.tidy(() => tf.variable(tf.tensor(wave(sizes[name as 'a'], 9), shape(name)))) as Variable,
          ]),
        );
        const state = optimizer.init(variables);
        for (let step = 0; step < 3; step++) {
          tf.tidy(() => {
            // b has no gradient in the second step.
            const gradients = names.flatMap((name) =>
              name === 'b' && step === 1
                ? []
                : [[name, tf.tensor(wave(sizes[name as 'a'], step), shape(name))] as const],
            );
            optimizer.update(state, variables, new Map(gradients), 0.1, rules);
          });
        }
        const all = [...variables, ...state.slots];
        const values = all.map(([name, variable]) => [name, variable.dataSync<'float32'>()] as const);
        tf.dispose(all.map(([, variable]) => variable));
        return Object.fromEntries(values);
      };
      const before = tf.memory().numTensors;
      const together = after(Object.keys(sizes));
      const alone = Object.assign({}, ...Object.keys(sizes).map((name) => after([name]))) as typeof together;
      assert.deepEqual(together, alone);
      assert.equal(tf.memory().numTensors, before);
    }
  });

  it('a variable without a gradient is left alone, decay included', () => {
    const variable = tf.tidy(() => tf.variable(tf.scalar(3)));
    const variables = new Map<string, Variable>([['w', variable as Variable]]);
    for (const optimizer of [sgd({ weightDecay: 0.5 }), adamw()]) {
      const state = optimizer.init(variables);
      tf.tidy(() => optimizer.update(state, variables, new Map(), 0.1));
      assert.equal(variable.dataSync()[0], 3);
    }
  });

  it('AdamW: a variable that was held at first moves as if it had begun then, beside one that was not', () => {
    const made = () => tf.tidy(() => tf.variable(tf.scalar(1))) as Variable;
    const [held, alone, other] = [made(), made(), made()];
    const variables = new Map([
      ['held', held],
      ['other', other],
    ]);
    const optimizer = adamw();
    const state = optimizer.init(variables);
    const lone = optimizer.init(new Map([['held', alone]]));
    const step = (of: typeof state, all: ReadonlyMap<string, Variable>, gradients: Record<string, number>): void =>
      tf.tidy(() => {
        const tensors = Object.entries(gradients).map(([name, value]) => [name, tf.scalar(value)] as const);
        optimizer.update(of, all, new Map(tensors), 0.1);
      });
    step(state, variables, { other: 2 });
    step(state, variables, { other: -1 });
    for (const gradient of [0.5, -3, 0.2]) {
      step(state, variables, { held: gradient, other: 1 });
      step(lone, new Map([['held', alone]]), { held: gradient });
      assert.equal(held.dataSync()[0], alone.dataSync()[0]);
    }
    assert.equal(state.step, 5);
    assert.deepEqual([...state.missed], [['held', 2]]);
  });

  it('parameters out of range are refused', () => {
    assert.throws(
      () => sgd({ momentum: 1 }),
      /Expected `momentum` to be a number from 0 to below 1, got `1` \(number\)/,
    );
    assert.throws(() => sgd({ weightDecay: -1 }), /Expected `weightDecay`/);
    assert.throws(() => adamw({ beta2: 1 }), /Expected `beta2`/);
  });
});
