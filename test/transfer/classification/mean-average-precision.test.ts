import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  classificationImageScores,
  meanAveragePrecision,
} from '../../../src/transfer/classification/mean-average-precision.js';
import { measure } from '../../../src/transfer/statistics/image-scores.js';

const close = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) < 1e-9, `${value} for ${expected}`);

describe("VOC's mean average precision of classification", () => {
  it('equals the reference on 4952 pictures of VOC07 (8.4545 %), and is another under each other definition (trap 6)', function () {
    const dir = path.resolve('..', 'shared/data/images/evalrefs/fair-voc07-cls');
    if (!existsSync(dir)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const read = (name: string): Record<string, Record<string, number>> =>
      JSON.parse(String(gunzipSync(readFileSync(path.join(dir, name)))));
    const [truth, predicted] = [read('test_targets.json.gz'), read('example_preds.json.gz')];
    const expected = JSON.parse(readFileSync(path.join(dir, 'expected_map.json'), 'utf8'));
    const classes = Object.keys(expected.per_class);
    const ids = Object.keys(truth).sort();
    const targets = ids.flatMap((id) => classes.map((name) => truth[id]![name]!));
    const scores = ids.flatMap((id) => classes.map((name) => predicted[id]![name]!));
    const { map, perClass } = meanAveragePrecision(scores, targets, 20);
    assert.equal(map.toFixed(4), '8.4545');
    close(map, 100 * expected.mAP);
    for (const [i, name] of classes.entries()) {
      const { AP, n_pos: positives, n_ignored: ignored } = expected.per_class[name];
      close(perClass[i]!.ap, 100 * AP);
      assert.deepEqual([perClass[i]!.positives, perClass[i]!.ignored], [positives, ignored]);
    }
    close(meanAveragePrecision(scores, targets, 20, 'none').map, 8.112836115636572);
    assert.equal(meanAveragePrecision(scores, targets, 20, '11-point').map.toFixed(3), '9.632');
    close(measure(classificationImageScores(scores, targets, 20)), map);
  });

  it('leaves ignored pictures out of the ranking, and classes without positives out of the mean', () => {
    const scores = [0.9, 1, 0.8, 1, 0.7, 1];
    const targets = [-1, 0, 1, 0, 0, -1];
    const { map, perClass } = meanAveragePrecision(scores, targets, 2);
    assert.equal(map, 100);
    assert.deepEqual(perClass[0], { ap: 100, positives: 1, negatives: 1, ignored: 1 });
    assert.deepEqual(perClass[1], { ap: NaN, positives: 0, negatives: 2, ignored: 1 });
    // Counted as negative, the ignored picture would have come first.
    assert.equal(meanAveragePrecision(scores, [0, 0, 1, 0, 0, 0], 2).map, 50);
  });

  it('refuses other targets, sizes that do not fit, and a truth without positives', () => {
    assert.throws(() => meanAveragePrecision([1, 2], [1, 2], 1), /Expected targets to be 1, 0 or -1, got `2`/);
    assert.throws(() => meanAveragePrecision([1], [1, 0], 1), /a score and a target/);
    assert.throws(() => meanAveragePrecision([1, 2, 3], [1, 0, 1], 2), /a score and a target/);
    assert.throws(() => meanAveragePrecision([1], [0], 1), /Expected a class with positives among 1, got none/);
  });
});
