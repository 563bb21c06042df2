import assert from 'node:assert/strict';
import { atPictureSize } from '../../../../src/transfer/detection/metrics/detections.js';
import { cocoImageScores, evaluateCoco, type CocoResult } from '../../../../src/transfer/detection/metrics/coco-ap.js';
import { evaluateVoc } from '../../../../src/transfer/detection/metrics/voc-ap.js';
import { measure } from '../../../../src/transfer/statistics/image-scores.js';
import { edges, object, randomPictures, withoutTies } from './random-pictures.js';
import { hundredOfCoco, hundredOfVoc, readReference, skipWithoutReferences } from './reference-files.js';

const close = (value: number, expected: number, name = ''): void =>
  assert.ok(Math.abs(value - expected) < 1e-7, `${name}: ${value} for ${expected}`);

const names = 'ap ap50 ap75 apSmall apMedium apLarge ar1 ar10 ar100 arSmall arMedium arLarge'.split(' ') as Exclude<
  keyof CocoResult,
  'perClass'
>[];

const equalsReference = (result: CocoResult, expected: Record<string, number>): void => {
  for (const name of names) {
    const theirs = name.replace(/^a([pr])/, (_, letter: string) => `A${letter.toUpperCase()}`);
    close(result[name], 100 * expected[theirs.replace(/(Small|Medium|Large)/, (size) => size.toLowerCase())]!, name);
  }
};

describe("COCO's average precision", () => {
  it('equals the official evaluator on 830 boxes and 734 detections, all twelve numbers', function () {
    skipWithoutReferences(this);
    const { truth, detections, classes } = hundredOfCoco();
    equalsReference(
      evaluateCoco(truth, detections, classes.length),
      readReference('expected_review_odm.json').test_coco_eval,
    );
  });

  it('equals the published evaluator on hundred pictures of VOC2012, which counts difficult objects', function () {
    skipWithoutReferences(this);
    const { truth, detections } = hundredOfVoc();
    const counted = evaluateCoco(truth, detections, 20, { difficult: 'count' });
    equalsReference(counted, readReference('expected_review_odm.json').voc2012_100.coco_summary);
    assert.deepEqual([counted.ap.toFixed(3), evaluateCoco(truth, detections, 20).ap.toFixed(3)], ['34.696', '35.449']);
  });

  it('equals pycocotools 2.0.11 on pictures with crowds, areas other than the boxes, and equal scores', () => {
    const expected = [
      [24.40641207, 56.144900204, 11.17397454, 32.054455446, 22.590759076, 28.95489549],
      [23.962962963, 39.037037037, 39.037037037, 40.0, 36.666666667, 37.5],
      [17.155307344, 45.211190581, 10.446763975, 29.437568757, 14.818820344, 30.630363036],
      [15.60745614, 31.403508772, 31.403508772, 33.888888889, 31.333333333, 38.166666667],
      [12.722726533, 37.896280856, 1.195619562, 19.405940594, 7.619361936, 18.226936979],
      [8.333333333, 25.116161616, 25.116161616, 22.904761905, 23.333333333, 27.301587302],
    ].flat();
    for (const seed of [1, 2, 3]) {
      const { truth, detections } = randomPictures(seed);
      const result = evaluateCoco(truth, detections, 3);
      for (const [i, name] of names.entries()) close(result[name], expected[12 * (seed - 1) + i]!, `${seed} ${name}`);
    }
  });

  const box = edges(0, 0, 40, 40);

  it('lets a detection take the next free object, which VOC does not', () => {
    const truth = [{ objects: [object(0, box), object(0, edges(8, 0, 48, 40))] }];
    const detections = [0.9, 0.8].map((score) => ({ image: 0, label: 0, score, box }));
    assert.equal(evaluateCoco(truth, detections, 1).ap50, 100);
    assert.deepEqual(evaluateVoc(truth, detections, 1).perClass[0]!.tp, [1, 0]);
  });

  it('takes an object before the crowd around it, in whatever order they stand', () => {
    const around = object(0, edges(0, 0, 90, 90), { crowd: true });
    const detections = [{ image: 0, label: 0, score: 1, box: edges(0, 0, 40, 38) }];
    for (const objects of [
      [around, object(0, box)],
      [object(0, box), around],
    ]) {
      assert.equal(evaluateCoco([{ objects }], detections, 1).ap50, 100);
    }
  });

  it('looks at no more than hundred detections a picture and class', () => {
    const wrong = Array.from({ length: 100 }, (_, i) => ({
      image: 0,
      label: 0,
      score: 1 + i,
      box: edges(90, 90, 99, 99),
    }));
    const right = { image: 0, label: 0, score: 0, box };
    const truth = [{ objects: [object(0, box)] }];
    assert.equal(evaluateCoco(truth, [...wrong, right], 1).ar100, 0);
    assert.equal(evaluateCoco(truth, [...wrong.slice(1), right], 1).ar100, 100);
    assert.equal(evaluateCoco(truth, [...wrong.slice(1), right], 1).ar10, 0);
  });

  it('sorts objects by their own area, and by the box where none is given', () => {
    const detections = [{ image: 0, label: 0, score: 1, box }];
    const without = evaluateCoco([{ objects: [object(0, box)] }], detections, 1);
    assert.deepEqual([without.apMedium, without.apSmall], [100, NaN]);
    const withArea = evaluateCoco([{ objects: [object(0, box, { area: 900 })] }], detections, 1);
    assert.deepEqual([withArea.apMedium, withArea.apSmall], [NaN, 100]);
  });

  it('measures areas in pixels of the picture once brought back to them', () => {
    const small = { scale: 0.5, objects: [object(0, edges(0, 0, 20, 20), { area: 300 })] };
    const { truth, detections } = atPictureSize([small], [{ image: 0, label: 0, score: 1, box: edges(2, 0, 20, 20) }]);
    assert.deepEqual(truth[0]!.objects[0], object(0, box, { area: 1200 }));
    assert.deepEqual(detections[0]!.box, edges(4, 0, 40, 40));
  });

  it('treats difficult objects as such of another size, and a truth of them alone as none', () => {
    const truth = [{ objects: [object(0, box, { difficult: true }), object(0, edges(100, 100, 150, 150))] }];
    const detections = [box, edges(100, 100, 150, 150)].map((where, i) => ({
      image: 0,
      label: 0,
      score: -i,
      box: where,
    }));
    assert.equal(evaluateCoco(truth, detections, 1).ap, 100);
    assert.equal(evaluateCoco(truth, detections.slice(1), 1).ap, 100);
    assert.ok(evaluateCoco(truth, detections.slice(1), 1, { difficult: 'count' }).ap < 60);
    const alone = [{ objects: [object(0, box, { difficult: true })] }];
    assert.throws(() => evaluateCoco(alone, [], 1), /Expected objects to find in 1 picture\(s\), got none/);
  });

  it('gives the statistics what the mean is made of', () => {
    const { truth, detections: tied } = randomPictures(2);
    const detections = withoutTies(tied);
    const scores = cocoImageScores(truth, detections, 3);
    close(measure(scores), evaluateCoco(truth, detections, 3).ap);
    const weights = truth.map((_, i) => (i === 1 ? 2 : 1));
    const again = detections.filter(({ image }) => image === 1).map((one) => ({ ...one, image: truth.length }));
    close(measure(scores, weights), evaluateCoco([...truth, truth[1]!], [...detections, ...again], 3).ap);
  });
});
