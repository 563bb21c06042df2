import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import { quantile } from '../../../src/numeric/statistics.js';
import { measure, type ImageScores } from '../../../src/transfer/statistics/image-scores.js';
import type { EnvelopeInterpolation } from '../../../src/transfer/statistics/weighted-precision.js';

type Precision = Extract<ImageScores, { kind: 'average-precision' }>;
const interpolations: readonly EnvelopeInterpolation[] = ['11-point', '101-point', 'all-points'];

/** Scores of `classes` classes on `images` images, at random; all scores are different. */
const randomPrecision = (
  random: RandomStream,
  images: number,
  classes: number,
  interpolation: EnvelopeInterpolation,
): Precision => ({
  kind: 'average-precision',
  images,
  interpolation,
  classes: Array.from({ length: classes }, () => {
    const positives = Array.from({ length: images }, () => random.integer(3));
    const left = [...positives];
    const entries = Array.from({ length: 4 * images }, () => {
      const image = random.integer(images);
      const tp = left[image]! > 0 && random.chance(0.5) ? 1 : 0;
      if (tp) left[image]!--;
      return { image, tp, score: random.uniform() + 0.3 * tp };
    });
    return {
      score: entries.map(({ score }) => score),
      image: entries.map(({ image }) => image),
      tp: entries.map(({ tp }) => tp),
      positives,
    };
  }),
});

/** The data with image `i` there `weights[i]` times, each copy an image of its own. */
const repeated = (scores: Precision, weights: readonly number[]): Precision => {
  const first = weights.map((_, i) => weights.slice(0, i).reduce((sum, weight) => sum + weight, 0));
  return {
    ...scores,
    images: weights.reduce((sum, weight) => sum + weight, 0),
    classes: scores.classes.map(({ score, image, tp, positives }) => {
      const copies = score.flatMap((_, k) => Array.from({ length: weights[image[k]!]! }, (__, copy) => ({ k, copy })));
      return {
        score: copies.map(({ k }) => score[k]!),
        image: copies.map(({ k, copy }) => first[image[k]!]! + copy),
        tp: copies.map(({ k }) => tp[k]!),
        positives: weights.flatMap((weight, i) => Array<number>(weight).fill(positives[i]!)),
      };
    }),
  };
};

/** Average precision straight from its definition: every recall step looks through all later precisions. */
const slowPrecision = ({ classes, interpolation }: Precision): number => {
  const values = classes.flatMap(({ score, tp, positives }) => {
    const total = positives.reduce((sum, count) => sum + count, 0);
    if (total === 0) return [];
    const order = score.map((_, k) => k).sort((a, b) => score[b]! - score[a]!);
    const curve = order.map((_, j) => {
      const hits = order.slice(0, j + 1).filter((k) => tp[k] === 1).length;
      return { recall: hits / total, precision: hits / (j + 1) };
    });
    const bestFrom = (least: number): number =>
      Math.max(0, ...curve.filter(({ recall }) => recall >= least).map(({ precision }) => precision));
    if (interpolation === 'all-points') {
      return [curve.reduce((sum, { recall }, j) => sum + (recall - (curve[j - 1]?.recall ?? 0)) * bestFrom(recall), 0)];
    }
    const points = interpolation === '11-point' ? 11 : 101;
    return [
      Array.from({ length: points }, (_, k) => bestFrom(k * (1 / (points - 1)))).reduce((a, b) => a + b) / points,
    ];
  });
  return (100 * values.reduce((a, b) => a + b, 0)) / values.length;
};

describe('image scores', () => {
  for (const interpolation of interpolations) {
    it(`give average precision (${interpolation}) as its definition does`, () => {
      const random = RandomStream.of(1, interpolation);
      for (let round = 0; round < 20; round++) {
        const scores = randomPrecision(random, 8, 3, interpolation);
        assert.ok(Math.abs(measure(scores) - slowPrecision(scores)) < 1e-9);
      }
    });

    it(`give average precision (${interpolation}) of repeated images for whole weights, exactly`, () => {
      const random = RandomStream.of(2, interpolation);
      for (let round = 0; round < 20; round++) {
        const scores = randomPrecision(random, 7, 3, interpolation);
        const weights = Array.from({ length: 7 }, () => random.integer(4));
        weights[0]!++;
        assert.equal(measure(scores, Int32Array.from(weights)), measure(repeated(scores, weights)));
        assert.ok(
          Math.abs(measure(scores, Int32Array.from(weights)) - slowPrecision(repeated(scores, weights))) < 1e-9,
        );
      }
    });
  }

  it('know the average precision of a worked example', () => {
    // Ranked right, wrong, right; three positives: (1 + 2/3) / 3 under the envelope, 4 and 3 of 11 recalls.
    const one = { score: [0.9, 0.8, 0.7], image: [0, 1, 1], tp: [1, 0, 1], positives: [1, 2] };
    const scores = { kind: 'average-precision', images: 2, classes: [one], scale: 1 } as const;
    assert.ok(Math.abs(measure({ ...scores, interpolation: 'all-points' }) - 5 / 9) < 1e-12);
    assert.ok(Math.abs(measure({ ...scores, interpolation: '11-point' }) - (4 + 3 * (2 / 3)) / 11) < 1e-12);
  });

  it('leave out classes without positives, and are undefined without any', () => {
    const found = { score: [1], image: [0], tp: [1], positives: [1, 0] };
    const absent = { score: [1], image: [1], tp: [0], positives: [0, 0] };
    const scores: ImageScores = {
      kind: 'average-precision',
      images: 2,
      classes: [found, absent],
      interpolation: 'all-points',
    };
    assert.equal(measure(scores), 100);
    assert.ok(Number.isNaN(measure(scores, [0, 1])));
  });

  it('give weighted means and ratios', () => {
    assert.equal(measure({ kind: 'mean', values: [100, 0, 0, 100] }), 50);
    assert.equal(measure({ kind: 'mean', values: [100, 0, 0, 100] }, [3, 1, 0, 0]), 75);
    const ratio = { kind: 'ratio', hits: [1, 9], totals: [10, 10] } as const;
    assert.equal(measure(ratio), 50);
    assert.equal(measure(ratio, [1, 0]), 10);
    assert.equal(measure({ ...ratio, scale: 1 }, [1, 3]), 0.7);
    assert.ok(Number.isNaN(measure({ ...ratio, totals: [0, 10] }, [1, 0])));
  });

  it('give the quantile of pooled pixels to within a bin, for weights as for repeated images', () => {
    const random = RandomStream.of(5);
    const pixels = Array.from({ length: 9 }, (_, i) =>
      Array.from({ length: 200 }, () => random.uniform(0, 60 + 10 * i)),
    );
    const edges = Array.from({ length: 361 }, (_, k) => k / 2);
    const counts = pixels.map((own) =>
      edges.slice(1).map((edge) => own.filter((x) => x >= edge - 0.5 && x < edge).length),
    );
    const weights = [0, 3, 1, 1, 2, 0, 0, 1, 4];
    for (const q of [0.1, 0.5, 0.9]) {
      const scores: ImageScores = { kind: 'quantile', q, edges, counts };
      assert.ok(Math.abs(measure(scores) - quantile(pixels.flat(), q)) < 0.5);
      const copies = weights.flatMap((weight, i) => Array<number>(weight).fill(i));
      assert.ok(
        Math.abs(
          measure(scores, weights) -
            quantile(
              copies.flatMap((i) => pixels[i]!),
              q,
            ),
        ) < 0.5,
      );
      assert.equal(measure(scores, weights), measure({ ...scores, counts: copies.map((i) => counts[i]!) }));
    }
  });

  it('interpolate a quantile within its bin', () => {
    const scores: ImageScores = { kind: 'quantile', q: 0.5, edges: [0, 10, 20], counts: [[1, 3]] };
    assert.ok(Math.abs(measure(scores) - (10 + (10 * 1) / 3)) < 1e-12);
    assert.equal(measure({ ...scores, counts: [[2, 2]] }), 10);
  });

  it('refuse what does not fit together', () => {
    const refuse = (scores: ImageScores, message: RegExp): void => assert.throws(() => measure(scores), message);
    refuse({ kind: 'mean', values: [] }, /at least one test image, got none/);
    refuse({ kind: 'mean', values: [1, 2], groups: [0] }, /Expected 2 groups, got 1/);
    refuse({ kind: 'ratio', hits: [1], totals: [1, 2] }, /Expected 2 hits, got 1/);
    refuse({ kind: 'quantile', q: 0.5, edges: [0, 1, 2], counts: [[1]] }, /Expected 2 counts of an image, got 1/);
    const one = { score: [1], image: [2], tp: [1], positives: [1, 0] };
    refuse(
      { kind: 'average-precision', images: 2, classes: [one], interpolation: 'all-points' },
      /Expected images below 2, got `2`/,
    );
    assert.throws(() => measure({ kind: 'mean', values: [1, 2] }, [1]), /Expected 2 weights, got 1/);
  });
});
