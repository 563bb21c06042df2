import assert from 'node:assert/strict';
import { trainingCells, trainingSection, type TrainingRow } from '../../src/report/training-table.js';

const row = (method: string, change: Partial<TrainingRow> = {}): TrainingRow => ({
  ...{ method, runs: 3, steps: 100, seconds: 12.4, imagesPerSecond: 500, memoryMb: 900 },
  ...{ loss: 1.5, uniform: 2, effectiveRank: 9.04 },
  ...change,
});

describe('the table of training', () => {
  it('has no minus before zero, and keeps it before what is below', () => {
    const shown = trainingCells([row('a', { loss: -0.0001, uniform: -0.001, effectiveRank: -0 })]).rows[0]!;
    assert.deepEqual(shown.slice(-3), ['0.000', '-0.001', '0.0']);
  });

  it('has a row without numbers for a method of which every run was rejected, before the controls', () => {
    const rejected = [1, 2].map((seed) => ({ method: 'rotnet', seed, reason: 'The loss is NaN at step 4' }));
    const { head, rows } = trainingCells([row('npid'), row('shuffled')], rejected);
    assert.deepEqual(
      rows.map(([name]) => name),
      ['npid', 'rotnet', 'shuffled'],
    );
    assert.deepEqual(rows[1], ['rotnet', ...Array.from({ length: head.length - 1 }, () => '-')]);
  });

  it('names each rejected run below, as literal text, also beside runs of its method that ended', () => {
    const parts = trainingSection([row('npid')], [{ method: 'npid', seed: 2, reason: 'The loss is <NaN>\n# x' }]);
    assert.match(parts[1]!, /^\| `npid` \| 3 \|/m);
    assert.equal(parts.at(-1), '- `npid`, seed 2: The loss is &lt;NaN&gt; # x');
    assert.deepEqual(trainingSection([row('npid')]).length, 2);
  });

  it('stands there for rejected runs alone, and not at all without any', () => {
    assert.ok(trainingSection([], [{ method: 'rotnet', seed: 1, reason: 'NaN' }]).join('\n').includes('`rotnet`, seed 1: NaN')); // prettier-ignore
    assert.deepEqual(trainingSection([]), []);
  });
});
