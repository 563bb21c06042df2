import assert from 'node:assert/strict';
import { averagePrecision } from '../../../../src/numeric/average-precision.js';
import { iou } from '../../../../src/numeric/box.js';
import type { Detection, ImageTruth } from '../../../../src/transfer/detection/metrics/detections.js';
import { evaluateVoc, vocImageScores } from '../../../../src/transfer/detection/metrics/voc-ap.js';
import { measure } from '../../../../src/transfer/statistics/image-scores.js';
import { edges, object, randomPictures, withoutTies } from './random-pictures.js';
import {
  hundredOfVoc,
  readReference,
  sevenPictures,
  skipWithoutReferences,
  withLastPixels,
} from './reference-files.js';

const close = (value: number, expected: number, within = 1e-9): void =>
  assert.ok(Math.abs(value - expected) < within, `${value} for ${expected}`);

const interpolations = [
  ['11-point', '11pt'],
  ['all-points', 'every'],
] as const;

describe("VOC's average precision", () => {
  it('equals the published values on seven pictures: 26.84 and 24.57 % at an overlap of 0.3', function () {
    skipWithoutReferences(this);
    const { truth, detections } = sevenPictures();
    const expected = readReference('expected_review_odm.json').test_case_1;
    for (const overlap of [0.1, 0.3, 0.5, 0.75]) {
      for (const [interpolation, short] of interpolations) {
        const { map } = evaluateVoc(truth, detections, 1, { iou: overlap, interpolation, convention: 'pixels' });
        close(map, 100 * expected[`${overlap}_${short}`].object);
      }
    }
    const at = (interpolation: '11-point' | 'all-points', convention: 'pixels' | 'edges'): string =>
      evaluateVoc(truth, detections, 1, { iou: 0.3, interpolation, convention }).map.toFixed(2);
    assert.equal(at('11-point', 'pixels'), '26.84');
    assert.equal(at('all-points', 'pixels'), '24.57');
    // Their boxes are x, y, width and height: without the pixel that they add, one detection falls below 0.3.
    assert.equal(at('all-points', 'edges'), '22.54');
  });

  it('equals the published evaluator on hundred pictures of VOC2012, class by class, with difficult objects counted', function () {
    skipWithoutReferences(this);
    const { truth, detections, classes } = hundredOfVoc();
    const expected = readReference('expected_review_odm.json').voc2012_100;
    for (const overlap of [0.5, 0.75]) {
      for (const [interpolation, short] of interpolations) {
        const options = { iou: overlap, interpolation, difficult: 'count' } as const;
        const result = evaluateVoc(truth, detections, 20, { ...options, convention: 'pixels' });
        const { mAP, per_class: perClass } = expected[`iou${overlap}_${short}`];
        close(result.map, 100 * mAP);
        for (const { label, ap, positives, tp } of result.perClass) {
          const { AP, npos, TP, FP } = perClass[classes[label]!];
          close(ap, 100 * AP);
          const right = tp.filter((hit) => hit === 1).length;
          assert.deepEqual([positives.reduce((a, b) => a + b, 0), right, tp.length - right], [npos, TP, FP]);
        }
        // Boxes as the readers give them hold the last pixel already.
        const read = withLastPixels({ truth, detections, classes });
        assert.equal(evaluateVoc(read.truth, read.detections, 20, options).map, result.map);
      }
    }
  });

  it('is higher on them where difficult objects are ignored, as VOC does', function () {
    skipWithoutReferences(this);
    const { truth, detections } = hundredOfVoc();
    const at = (difficult: 'ignore' | 'count', interpolation: '11-point' | 'all-points'): string =>
      evaluateVoc(truth, detections, 20, { difficult, interpolation, convention: 'pixels' }).map.toFixed(2);
    assert.deepEqual([at('count', '11-point'), at('ignore', '11-point')], ['59.90', '60.75']);
    assert.deepEqual([at('count', 'all-points'), at('ignore', 'all-points')], ['61.09', '61.39']);
  });

  const box = edges(0, 0, 10, 10);
  const found = (score: number, where = box, image = 0): Detection => ({ image, label: 0, score, box: where });
  const marks = (truth: ImageTruth[], detections: Detection[], options = {}): readonly number[] =>
    evaluateVoc(truth, detections, 1, options).perClass[0]!.tp;

  it('counts a second detection of an object as wrong, whatever its overlap', () => {
    const better = edges(0, 0, 10, 9);
    assert.deepEqual(marks([{ objects: [object(0, box)] }], [found(0.8), found(0.9, better)]), [1, 0]);
  });

  it('holds a detection against the object that it overlaps most, even where that is taken', () => {
    const beside = object(0, edges(4, 0, 14, 10));
    // Both overlap the first most; the second of them would reach 0.3 with the other, but does not fall back to it.
    const detections = [found(0.9), found(0.8, edges(1, 0, 11, 10))];
    assert.deepEqual(marks([{ objects: [object(0, box), beside] }], detections, { iou: 0.3 }), [1, 0]);
  });

  it('accepts an overlap of exactly the threshold', () => {
    const half = edges(0, 0, 10, 5);
    assert.deepEqual(marks([{ objects: [object(0, box)] }], [found(1, half)]), [1]);
    assert.deepEqual(marks([{ objects: [object(0, box)] }], [found(1, half)], { iou: 0.501 }), [0]);
  });

  it('neither counts nor punishes what finds a difficult object, once or twice', () => {
    const far = edges(50, 50, 60, 60);
    const truth = [{ objects: [object(0, box, { difficult: true }), object(0, far)] }];
    const detections = [found(0.9), found(0.8), found(0.7, far)];
    const { perClass, map } = evaluateVoc(truth, detections, 1);
    assert.deepEqual([perClass[0]!.tp, perClass[0]!.positives, map], [[1], [1], 100]);
    assert.deepEqual(marks(truth, detections, { difficult: 'count' }), [1, 0, 1]);
  });

  it('holds a detection against the first of objects that it overlaps alike', () => {
    const [plain, difficult] = [object(0, box), object(0, box, { difficult: true })];
    assert.deepEqual(marks([{ objects: [plain, difficult] }], [found(1)]), [1]);
    assert.deepEqual(marks([{ objects: [difficult, plain] }], [found(1)]), []);
  });

  it('does not punish what lies inside a crowd, and does not ask for it', () => {
    const crowd = object(0, edges(0, 0, 100, 100), { crowd: true });
    const one = object(0, edges(10, 10, 20, 20));
    const detections = [
      found(0.9, edges(10, 10, 20, 20)),
      found(0.8, edges(30, 30, 40, 40)),
      found(0.7, edges(96, 0, 106, 10)),
    ];
    const { perClass } = evaluateVoc([{ objects: [crowd, one] }], detections, 1);
    // The third lies in the crowd by less than half.
    assert.deepEqual([perClass[0]!.tp, perClass[0]!.positives], [[1, 0], [1]]);
  });

  it('leaves a class without objects out of the mean, and refuses a truth without any', () => {
    const { map, perClass } = evaluateVoc([{ objects: [object(0, box)] }], [found(1)], 3);
    assert.equal(map, 100);
    assert.ok(Number.isNaN(perClass[2]!.ap));
    assert.throws(() => evaluateVoc([{ objects: [] }], [], 2), /Expected objects to find in 1 picture\(s\), got none/);
    assert.throws(() => evaluateVoc([{ objects: [] }], [found(1, box, 1)], 1), /class `0` in picture `1`/);
    assert.throws(() => evaluateVoc([{ objects: [] }], [{ ...found(1), label: 4 }], 1), /class `4` in picture `0`/);
  });

  it('takes equal scores in the order given', () => {
    const truth = [{ objects: [object(0, box)] }, { objects: [] }];
    assert.deepEqual(marks(truth, [found(1), found(1, box, 1)]), [1, 0]);
    assert.deepEqual(marks(truth, [found(1, box, 1), found(1)]), [0, 1]);
  });

  it('equals a slow reference on random pictures', () => {
    const { truth, detections } = randomPictures(5, { images: 20, crowds: 0, difficult: 0.3 });
    const { perClass } = evaluateVoc(truth, detections, 3, { iou: 0.4 });
    for (const { label, ap } of perClass) {
      const ranked = detections.filter((one) => one.label === label).sort((a, b) => b.score - a.score);
      const taken = new Set<string>();
      const verdicts = ranked.map(({ image, box: where }) => {
        const objects = truth[image]!.objects.map((one, i) => ({
          ...one,
          key: `${image}/${i}`,
          overlap: iou(one.box, where),
        }));
        const [best] = objects.filter((one) => one.label === label).sort((a, b) => b.overlap - a.overlap);
        if (!best || best.overlap < 0.4) return 0;
        if (best.difficult) return -1;
        const first = !taken.has(best.key);
        taken.add(best.key);
        return Number(first);
      });
      const hits = verdicts.filter((verdict) => verdict >= 0);
      const total = truth
        .flatMap(({ objects }) => objects)
        .filter((one) => one.label === label && !one.difficult).length;
      close(
        ap,
        100 *
          averagePrecision(
            hits.map((_, i) => -i),
            hits,
            total,
            'all-points',
          ),
      );
    }
  });

  it('gives the statistics what the mean is made of', () => {
    for (const interpolation of ['11-point', 'all-points'] as const) {
      const { truth, detections: tied } = randomPictures(6, { difficult: 0.2 });
      const detections = withoutTies(tied);
      const result = evaluateVoc(truth, detections, 3, { interpolation });
      const scores = vocImageScores(result);
      close(measure(scores), result.map);
      // A picture that counts twice is a picture that is there twice.
      const again = detections.filter(({ image }) => image === 0).map((one) => ({ ...one, image: truth.length }));
      const twice = evaluateVoc([...truth, truth[0]!], [...detections, ...again], 3, { interpolation });
      close(
        measure(
          scores,
          truth.map((_, i) => (i === 0 ? 2 : 1)),
        ),
        twice.map,
      );
    }
  });
});
