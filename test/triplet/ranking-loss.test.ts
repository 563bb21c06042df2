import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { l2Normalize } from '../../src/runtime/ops/l2-normalize.js';
import { tf, type Scalar, type Tensor2D } from '../../src/runtime/tensors.js';
import { selectNegatives } from '../../src/triplet/negatives.js';
import {
  pairSimilarities,
  rankingLoss,
  selectionMatrix,
  type PairSimilarities,
} from '../../src/triplet/ranking-loss.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

/** All other pairs' rows are negatives. */
const everyOther = (pairs: number): Int32Array[] =>
  Array.from({ length: pairs }, (_, t) =>
    Int32Array.from({ length: 2 * pairs }, (_, row) => row).filter((row) => row % pairs !== t),
  );

/** Unit rows in Caffe's order: a0, p0, a1, p1, … */
const similaritiesOf = (rows: Tensor2D): PairSimilarities => {
  const pick = (offset: number): Tensor2D => tf.gather(rows, tf.range(offset, rows.shape[0], 2, 'int32'));
  return pairSimilarities(pick(0), pick(1));
};

const lossOfUnit = (rows: Tensor2D, negatives: Int32Array[], options: { margin: number; count: number }) =>
  rankingLoss(similaritiesOf(rows), selectionMatrix(negatives, rows.shape[0]), options);

const lossOf = (raw: Tensor2D, negatives: Int32Array[], options: { margin: number; count: number }) =>
  lossOfUnit(l2Normalize(raw, 1e-6), negatives, options);

/** The formula, one term after the other, in float64. Rows in Caffe's order; negatives as rows (first members, then second). */
const slowLoss = (
  raw: number[][],
  negatives: Int32Array[],
  { margin, count }: { margin: number; count: number },
): number => {
  const unit = raw.map((row) => {
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) + 1e-6;
    return row.map((value) => value / length);
  });
  const pairs = raw.length / 2;
  const cosine = (i: number, j: number): number => unit[i]!.reduce((sum, value, k) => sum + value * unit[j]![k]!, 0);
  let loss = 0;
  negatives.forEach((chosen, t) => {
    for (const row of chosen) {
      const n = row < pairs ? 2 * row : 2 * (row - pairs) + 1;
      const positive = cosine(2 * t, 2 * t + 1);
      loss += Math.max(0, cosine(2 * t, n) - positive + margin) + Math.max(0, cosine(2 * t + 1, n) - positive + margin);
    }
  });
  return loss / (2 * count * pairs);
};

const golden = [
  [1, 2, 0, 1],
  [2, 2, 0, 0],
  [0, 1, 3, 0],
  [0, 2, 2, 1],
  [3, 0, 0, 1],
  [2, 0, 1, 2],
];

describe('ranking loss', () => {
  before(() => openRuntime({ threads: 1 }));

  for (const { margin, loss, active, gradient } of [
    { margin: 1, loss: 0.541031, active: 24, gradient: { 0: [-0.10109, -0.153794, 0.16239, 0.109686] } },
    {
      margin: 0.5,
      loss: 0.082853,
      active: 10,
      gradient: { 0: [-0.042164, -0.148999, 0.055556, 0.095797], 2: [0, 0, 0, 0] },
    },
  ]) {
    it(`gives the known loss and gradient at margin ${margin}`, () => {
      tf.tidy(() => {
        const rows = l2Normalize(tf.tensor2d(golden), 1e-6);
        // Fewer candidates than K, so that all are taken: at margin 0.5 those whose anchor hinge is above 0.
        const { first, positive } = similaritiesOf(rows);
        const labels = Int32Array.of(0, 1, 2);
        const negatives = selectNegatives(
          {
            similarities: first.dataSync<'float32'>(),
            positives: positive.dataSync<'float32'>(),
            anchorLabels: labels,
            rowLabels: Int32Array.of(0, 1, 2, 0, 1, 2),
          },
          { count: 4, hardRatio: 0.5, randomRatio: 0.5, margin },
          RandomStream.of(1),
        );
        const forward = lossOfUnit(rows, negatives, { margin, count: 4 });
        close(forward.loss.dataSync()[0]!, loss);
        close(forward.active.dataSync()[0]! * 2 * negatives.flatMap((chosen) => [...chosen]).length, active);
        // The known gradient is that of the loss layer: with respect to the normalised rows.
        const grad = tf
          .grad((x) => lossOfUnit(x as Tensor2D, negatives, { margin, count: 4 }).loss)(rows)
          .arraySync() as number[][];
        for (const [row, expected] of Object.entries(gradient)) {
          expected.forEach((value, i) => close(grad[Number(row)]![i]!, value));
        }
      });
    });
  }

  it('agrees with the formula written out term by term, on random rows and random selections', () => {
    const random = RandomStream.of(1, 'ranking');
    for (let trial = 0; trial < 5; trial++) {
      const raw = Array.from({ length: 10 }, () => Array.from({ length: 6 }, () => random.normal()));
      const negatives = everyOther(5).map((rows) => Int32Array.from(random.sample(8, 3), (k) => rows[k]!).sort());
      const options = { margin: random.uniform(0.1, 1.5), count: 4 };
      tf.tidy(() =>
        close(lossOf(tf.tensor2d(raw), negatives, options).loss.dataSync()[0]!, slowLoss(raw, negatives, options)),
      );
    }
  });

  it('is the margin when all features are equal', () => {
    tf.tidy(() => {
      const raw = tf.tile(tf.tensor2d([[1, 2, 3]]), [8, 1]) as Tensor2D;
      close(lossOf(raw, everyOther(4), { margin: 0.3, count: 6 }).loss.dataSync()[0]!, 0.3);
    });
  });

  it('divides by K even where fewer negatives were selected', () => {
    tf.tidy(() => {
      const raw = tf.ones([4, 3]) as Tensor2D;
      close(lossOf(raw, everyOther(2), { margin: 1, count: 4 }).loss.dataSync()[0]!, 0.5);
      close(lossOf(raw, [new Int32Array(0), new Int32Array(0)], { margin: 1, count: 4 }).loss.dataSync()[0]!, 0);
    });
  });

  it('has the gradient that differences of the slow formula give, for anchors, positives and negatives', () => {
    const grad = tf.tidy(
      () =>
        tf
          .grad((x): Scalar => lossOf(x as Tensor2D, everyOther(3), { margin: 0.7, count: 4 }).loss)(
            tf.tensor2d(golden),
          )
          .arraySync() as number[][],
    );
    const h = 1e-5;
    golden.forEach((row, i) =>
      row.forEach((_, k) => {
        const shifted = (by: number): number =>
          slowLoss(
            golden.map((r, j) => (j === i ? r.map((v, m) => (m === k ? v + by : v)) : r)),
            everyOther(3),
            { margin: 0.7, count: 4 },
          );
        close(grad[i]![k]!, (shifted(h) - shifted(-h)) / (2 * h));
      }),
    );
  });

  it('counts rows of earlier batches as negatives, as if they were a pair of the batch that is no anchor', () => {
    const queued = [
      [0, 1, 0, 1],
      [1, 1, 0, 0],
    ];
    const options = { margin: 1, count: 4 };
    const queue = l2Normalize(tf.tensor2d(queued), 1e-6);
    const loss = (rows: Tensor2D, earlier: Tensor2D): Scalar => {
      const [first, second] = tf.split(l2Normalize(rows, 1e-6), 2, 0) as [Tensor2D, Tensor2D];
      const negatives = [Int32Array.of(4, 5), Int32Array.of(5)];
      return rankingLoss(pairSimilarities(first, second, earlier), selectionMatrix(negatives, 6), options).loss;
    };
    tf.tidy(() => {
      const pairs = [golden[0]!, golden[2]!, golden[1]!, golden[3]!];
      const rows = [golden[0]!, golden[1]!, golden[2]!, golden[3]!, queued[0]!, queued[1]!];
      // In the slow order of 3 pairs rows 2 and 5 are the third pair's two members.
      const expected = slowLoss(rows, [Int32Array.of(2, 5), Int32Array.of(5), new Int32Array(0)], options) * (3 / 2);
      close(loss(tf.tensor2d(pairs), queue).dataSync()[0]!, expected);
    });
    queue.dispose();
  });

  it('does not depend on the order of pairs', () => {
    const order = [2, 0, 1];
    const permuted = order.flatMap((t) => [golden[2 * t]!, golden[2 * t + 1]!]);
    tf.tidy(() => {
      const options = { margin: 0.8, count: 4 };
      const [a, b] = [golden, permuted].map(
        (rows) => lossOf(tf.tensor2d(rows), everyOther(3), options).loss.dataSync()[0]!,
      );
      close(a!, b!, 1e-6);
    });
  });
});
