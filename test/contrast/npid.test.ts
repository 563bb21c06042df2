import assert from 'node:assert/strict';
import { MemoryBank } from '../../src/contrast/memory-bank.js';
import { estimateNormaliser, noiseContrastiveLoss } from '../../src/contrast/npid/instance-loss.js';
import { InstanceDiscrimination } from '../../src/contrast/npid/instance-discrimination.js';
import { createNpid, type NpidOptions } from '../../src/contrast/npid/npid.js';
import { proximalLoss } from '../../src/contrast/npid/proximal-loss.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, EmbedAll, Source } from '../../src/training/method.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

/** The formula draw by draw, in float64: similarities to the own row, and to each noise draw. */
const slowLoss = (positive: number[], noise: number[][], tau: number, z: number, rows: number): number => {
  const total = positive.map((own, i) => {
    const k = noise[i]!.length;
    const h = (s: number): number => {
      const p = Math.exp(s / tau) / z;
      return p / (p + k / rows + 1e-7);
    };
    const q = (s: number): number => k / rows / (Math.exp(s / tau) / z + k / rows + 1e-7);
    return -Math.log(h(own)) - noise[i]!.reduce((sum, s) => sum + Math.log(q(s)), 0);
  });
  return total.reduce((a, b) => a + b, 0) / positive.length;
};

describe('noise-contrastive instance loss', () => {
  before(() => openRuntime({ threads: 1 }));

  it('gives the known normaliser and loss', () => {
    tf.tidy(() => {
      const similarities = tf.tensor2d([
        [0.9, 0.1, -0.2],
        [0.5, 0.4, 0],
      ]);
      const z = estimateNormaliser(similarities, 0.07, 10);
      close(z / 641819.712, 1, 1e-5);
      // A bank of ten of which the noise draws hit rows 1 and 2 once each; the others count for nothing.
      const all = tf.tensor2d([
        [0.9, 0.1, -0.2, 1, 1, 1, 1, 1, 1, 1],
        [0.5, 0.4, 0, 1, 1, 1, 1, 1, 1, 1],
      ]);
      const drawn = tf.tensor2d([
        [0, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0, 0, 0, 0, 0],
      ]);
      const loss = noiseContrastiveLoss(
        { positive: tf.tensor1d([0.9, 0.5]), all, drawn },
        { tau: 0.07, normaliser: z, noise: 2 },
      );
      close(loss.dataSync()[0]!, 2.460342);
    });
  });

  it('agrees with the formula draw by draw, with repeated draws and the own row among them; so does its gradient', () => {
    const positive = [0.3, -0.1];
    const all = [
      [0.3, 0.2, -0.5],
      [0.4, -0.1, 0.1],
    ];
    const draws = [
      [1, 1, 0, 2],
      [2, 0, 0, 1],
    ];
    const counts = draws.map((row) => [0, 1, 2].map((r) => row.filter((d) => d === r).length));
    const [tau, z] = [0.2, 7];
    const loss = (a: Tensor2D) =>
      noiseContrastiveLoss(
        { positive: tf.tensor1d(positive), all: a, drawn: tf.tensor2d(counts) },
        { tau, normaliser: z, noise: 4 },
      );
    const slow = (a: number[][]): number =>
      slowLoss(
        positive,
        draws.map((row, i) => row.map((d) => a[i]![d]!)),
        tau,
        z,
        3,
      );
    tf.tidy(() => {
      close(loss(tf.tensor2d(all)).dataSync()[0]!, slow(all));
      const grad = tf
        .grad((a) => loss(a as Tensor2D))(tf.tensor2d(all))
        .arraySync() as number[][];
      const h = 1e-5;
      all.forEach((row, i) =>
        row.forEach((_, k) => {
          const at = (by: number): number =>
            slow(all.map((r, j) => r.map((v, m) => (j === i && m === k ? v + by : v))));
          close(grad[i]![k]!, (at(h) - at(-h)) / (2 * h), 1e-4);
        }),
      );
    });
  });
});

describe('comparison with the bank', () => {
  before(() => openRuntime({ threads: 1 }));

  const rows = [
    [0.6, 0.8, 0],
    [0, 0.6, -0.8],
    [1, 0, 0],
    [0.8, 0, 0.6],
  ];
  const queries = [
    [0, 1, 0],
    [0.6, 0, 0.8],
  ];
  const indices = Int32Array.of(2, 0);
  const bankOf = (): MemoryBank => {
    const bank = new MemoryBank(4, 3, RandomStream.of(1));
    bank.load({ shape: [4, 3], data: Float32Array.from(rows.flat()) });
    return bank;
  };
  const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, k) => sum + v * b[k]!, 0);

  it('as softmax moves a row by the bank rows in the measure of their probabilities, the bank held', () => {
    const tau = 0.3;
    const instances = new InstanceDiscrimination({ estimator: 'softmax', tau });
    const bank = bankOf();
    tf.tidy(() => {
      const gradient = tf
        .grad((x) => instances.compare(x as Tensor2D, bank, indices, RandomStream.of(1)).loss)(tf.tensor2d(queries))
        .arraySync() as number[][];
      queries.forEach((query, i) => {
        const weights = rows.map((row) => Math.exp(product(query, row) / tau));
        const total = weights.reduce((a, b) => a + b);
        query.forEach((_, k) => {
          const pull = rows.reduce(
            (sum, row, j) => sum + (weights[j]! / total - (j === indices[i] ? 1 : 0)) * row[k]!,
            0,
          );
          close(gradient[i]![k]!, pull / tau / queries.length);
        });
      });
    });
    bank.dispose();
  });

  it('by NCE gives the loss of its draws, whose number is the noise', () => {
    for (const noise of [1, 7]) {
      const instances = new InstanceDiscrimination({ estimator: 'nce', tau: 0.3, noise });
      const bank = bankOf();
      tf.tidy(() => {
        const random = RandomStream.of(4, 'draws');
        const draws = queries.map(() => Array.from({ length: noise }, () => random.integer(4)));
        const { loss, positive } = instances.compare(tf.tensor2d(queries), bank, indices, RandomStream.of(4, 'draws'));
        const own = queries.map((query, i) => product(query, rows[indices[i]!]!));
        own.forEach((s, i) => close(positive.dataSync()[i]!, s));
        const drawn = draws.map((list, i) => list.map((row) => product(queries[i]!, rows[row]!)));
        const exponentials = [...own, ...drawn.flat()].map((s) => Math.exp(s / 0.3));
        const z = (4 * exponentials.reduce((a, b) => a + b)) / exponentials.length;
        close(instances.save()['normaliser']!.data[0]! / z, 1);
        close(loss.dataSync()[0]!, slowLoss(own, drawn, 0.3, z, 4), 1e-4);
      });
      bank.dispose();
    }
  });
});

describe('proximal term', () => {
  before(() => openRuntime({ threads: 1 }));

  const now = [
    [0.6, 0.8],
    [1, 0],
  ];
  const before_ = [
    [1, 0],
    [1, 0],
  ];

  it('is the mean squared distance from the rows of the step before; 2 - 2 cos of unit rows', () => {
    tf.tidy(() => close(proximalLoss(tf.tensor2d(now), tf.tensor2d(before_)).dataSync()[0]!, (2 - 2 * 0.6) / 2));
  });

  it('pulls towards them, by twice the difference', () => {
    tf.tidy(() => {
      const gradient = tf.grad((x) => proximalLoss(x as Tensor2D, tf.tensor2d(before_)))(tf.tensor2d(now));
      [-0.4, 0.8, 0, 0].forEach((value, i) => close(gradient.dataSync()[i]!, value));
    });
  });
});

describe('memory bank', () => {
  before(() => openRuntime({ threads: 1 }));

  it('moves the rows it is told to, and keeps them of length 1', () => {
    const bank = new MemoryBank(3, 2, RandomStream.of(1));
    bank.load({ shape: [3, 2], data: Float32Array.of(1, 0, 0, 1, 1, 0) });
    bank.update(Int32Array.of(1), Float32Array.of(1, 0), 0.5);
    const values = bank.tensor().arraySync();
    assert.deepEqual(
      [values[0], values[2]],
      [
        [1, 0],
        [1, 0],
      ],
    );
    close(values[1]![0]!, Math.SQRT1_2);
    close(values[1]![1]!, Math.SQRT1_2);
    bank.dispose();
  });

  it('begins with rows of length near 1, in all directions', () => {
    const { data } = new MemoryBank(50, 300, RandomStream.of(2)).save();
    const squares = data.reduce((sum, value) => sum + value * value, 0) / 50;
    close(squares, 1, 0.05);
    assert.ok(Math.abs(data.reduce((sum, value) => sum + value, 0) / data.length) < 0.005);
  });

  it('refuses the rows of another bank', () => {
    const bank = new MemoryBank(3, 2, RandomStream.of(1));
    assert.throws(() => tf.tidy(() => bank.fill(tf.zeros([2, 2]))), /shape \[3, 2\], got \[2, 2\]/);
    assert.throws(() => bank.load({ shape: [2, 3], data: new Float32Array(6) }), /shape \[3, 2\], got \[2, 3\]/);
  });
});

describe('instance discrimination', () => {
  before(() => openRuntime({ threads: 1 }));

  const dim = 4;
  const trunk = {
    layers: [{ name: 'embedding', channels: dim }],
    embed: (images: Tensor4D) => {
      const rows = tf.reshape(images, [images.shape[0], dim]) as Tensor2D;
      return tf.div(rows, tf.norm(rows, 2, 1, true)) as Tensor2D;
    },
  } as unknown as Trunk;
  const batch = (indices: number[]): Batch => ({
    indices: Int32Array.from(indices),
    videos: Int32Array.from(indices),
    step: 0,
    epoch: 0,
    random: RandomStream.of(3, 'step'),
  });
  const images = (values: number[][]): Tensor4D => tf.tensor4d(values.flat(), [values.length, 1, 1, dim]);
  const npid = (options: Partial<NpidOptions<string>> = {}) => {
    const method = createNpid<string>({ drawView: () => 'a', noise: 5, tau: 0.5, ...options });
    method.init(trunk, { length: 6 } as Source<string>, RandomStream.of(1));
    return method;
  };
  const run = (method: ReturnType<typeof npid>, indices: number[], values: number[][]): number => {
    const { loss, signals, commit } = method.step([images(values)], batch(indices));
    const value = loss.dataSync()[0]!;
    commit!();
    for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
    return value;
  };

  it('takes one view of end a', () => {
    assert.deepEqual(npid().views({ index: 0, video: 0, paired: true }, RandomStream.of(1)), ['a']);
  });

  it('estimates the normaliser from the first batch, keeps it, and saves it', () => {
    const method = npid();
    assert.equal(method.save()['normaliser']!.data[0], 0);
    run(
      method,
      [0, 1],
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
      ],
    );
    const first = method.save()['normaliser']!.data[0]!;
    assert.ok(first > 0);
    run(
      method,
      [2, 3],
      [
        [1, 1, 0, 0],
        [0, 1, 1, 0],
      ],
    );
    assert.equal(method.save()['normaliser']!.data[0], first);
  });

  it('goes on from saved state as if it had not stopped', () => {
    const one = npid();
    run(
      one,
      [0, 1],
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
      ],
    );
    const other = npid();
    other.load(one.save());
    const [a, b] = [one, other].map((method) =>
      run(
        method,
        [1, 4],
        [
          [1, 2, 0, 0],
          [0, 1, 3, 0],
        ],
      ),
    );
    assert.equal(a, b);
    assert.deepEqual(one.save(), other.save());
  });

  it('the bank changes only in the commit, only in the rows of the batch, and gets no gradient', () => {
    const method = npid();
    const before = method.save()['bank']!.data;
    const { loss, signals, commit } = method.step([images([[0, 0, 0, 1]])], batch([4]));
    assert.deepEqual(method.save()['bank']!.data, before);
    commit!();
    const after = method.save()['bank']!.data;
    for (let row = 0; row < 6; row++) {
      const changed = before.slice(row * dim, (row + 1) * dim).some((value, i) => value !== after[row * dim + i]);
      assert.equal(changed, row === 4);
    }
    loss.dispose();
    for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
    assert.equal(method.variables().size, 0);
  });

  it('as softmax is the cross-entropy over the whole bank: ln of its size when all rows are alike', () => {
    const method = npid({ estimator: 'softmax' });
    const { normaliser } = method.save();
    method.load({ bank: { shape: [6, dim], data: new Float32Array(6 * dim).fill(0.5) }, normaliser: normaliser! });
    close(
      run(
        method,
        [0, 5],
        [
          [1, 2, 3, 4],
          [0, 1, 0, 0],
        ],
      ),
      Math.log(6),
    );
    close(method.uniformLoss(0), Math.log(6));
  });

  it('in NCE names the loss of equal features, which is what it gives for them', () => {
    const method = npid();
    const { normaliser } = method.save();
    method.load({ bank: { shape: [6, dim], data: new Float32Array(6 * dim).fill(0.5) }, normaliser: normaliser! });
    close(
      run(
        method,
        [0, 5],
        [
          [1, 1, 1, 1],
          [1, 1, 1, 1],
        ],
      ),
      method.uniformLoss(0),
    );
  });

  it('with a proximal term adds its share of the distance to the bank as it was', () => {
    const values = [
      [1, 2, 0, 0],
      [0, 1, 3, 0],
    ];
    const [plain, weighed] = [0, 0.7].map((proximal) => run(npid({ proximal }), [1, 4], values));
    const { data } = npid().save()['bank']!;
    const squares = values.map((row, i) => {
      const own = data.slice([1, 4][i]! * dim);
      return row.reduce((sum, value, k) => sum + (value / Math.hypot(...row) - own[k]!) ** 2, 0);
    });
    close(weighed! - plain!, (0.7 * (squares[0]! + squares[1]!)) / 2, 1e-4);
  });

  it('moves the bank by its momentum, and sharpens by its temperature', () => {
    const values = [[0, 0, 0, 1]];
    const rows = [0, 0.9].map((momentum) => {
      const method = npid({ momentum });
      run(method, [4], values);
      return [...method.save()['bank']!.data.slice(4 * dim, 5 * dim)];
    });
    rows[0]!.forEach((value, k) => close(value, values[0]![k]!));
    assert.ok(rows[1]![3]! < 0.9);
    const [sharp, soft] = [0.1, 10].map((tau) => run(npid({ tau, estimator: 'softmax' }), [4], values));
    close(soft!, Math.log(6), 0.2);
    assert.ok(Math.abs(sharp! - Math.log(6)) > Math.abs(soft! - Math.log(6)));
  });

  it('says how far the partition over the bank is from the Z of the first batch', () => {
    const partition = (fill: number): number => {
      const method = npid();
      const z = Math.fround(6 * Math.exp(1));
      const bank = { shape: [6, dim], data: new Float32Array(6 * dim).fill(fill) };
      method.load({ bank, normaliser: { shape: [1], data: Float32Array.of(z) } });
      const { signals, commit } = method.step([images([[1, 1, 1, 1]])], batch([0]));
      commit!();
      return (signals['partition'] as Tensor2D).dataSync()[0]!;
    };
    // Every row at similarity s: 6 exp(s / 0.5) / (6 e).
    close(partition(0.25), 1);
    close(partition(0.5), Math.exp(1), 1e-4);
  });

  it('begins with the rows of all samples where it is told to, once', () => {
    const rows = Array.from({ length: 6 }, (_, i) => Array.from({ length: dim }, (_, k) => (k === i % dim ? 2 : 0)));
    const embedAll: EmbedAll = (embed) => embed!(images(rows));
    const method = npid({ bankStart: 'features' });
    method.beforeEpoch!(0, embedAll);
    assert.deepEqual(
      [...method.save()['bank']!.data],
      rows.flat().map((value) => value / 2),
    );
    const before = method.save()['bank'];
    method.beforeEpoch!(1, () => assert.fail('the bank was filled again'));
    npid().beforeEpoch!(0, () => assert.fail('the bank was filled unasked'));
    assert.deepEqual(method.save()['bank'], before);
  });

  it('as softmax is the same in any order of the batch', () => {
    const values = [
      [1, 2, 0, 0],
      [0, 1, 3, 0],
      [1, 0, 0, 2],
    ];
    const order = [2, 0, 1];
    const [one, other] = [
      run(npid({ estimator: 'softmax' }), [1, 4, 5], values),
      run(
        npid({ estimator: 'softmax' }),
        order.map((i) => [1, 4, 5][i]!),
        order.map((i) => values[i]!),
      ),
    ];
    close(one, other);
  });

  it('resumes exactly, by NCE with a saved Z, a proximal term and batch norm in its head', () =>
    assertExactResume(() =>
      createNpid<TestView>({
        drawView: drawTestView(),
        noise: 5,
        proximal: 0.5,
        bankStart: 'features',
        projector: mlp({ hidden: [8], dim: 8, batchNorm: 'hidden' }),
      }),
    ));

  it('teaches convolutions and head', () => {
    const small = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const method = createNpid<TestView>({
      drawView: drawTestView(),
      estimator: 'softmax',
      projector: mlp({ hidden: [], dim: 8, batchNorm: 'none' }),
    });
    const source = testSource();
    method.init(small, source, RandomStream.of(2));
    const view = source.plain(Int32Array.of(1, 4));
    assertLearns(method, small, [view], batch([1, 4]));
    view.dispose();
    method.dispose();
    small.dispose();
  });

  it('refuses parameters out of range', () => {
    assert.throws(() => npid({ proximal: -1 }), /Expected `proximal` to be a number from 0, got `-1`/);
    assert.throws(() => npid({ estimator: 'mean' as 'nce' }), /Expected `estimator` to be nce or softmax, got `mean`/);
    assert.throws(() => npid({ tau: 0 }), /Expected `tau` to be a number above 0, got `0` \(number\)/);
    assert.throws(() => npid({ noise: 0.5 }), /Expected `noise`/);
    assert.throws(() => npid({ momentum: 1 }), /Expected `momentum`/);
  });
});
