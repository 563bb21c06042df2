import assert from 'node:assert/strict';
import { compareWithControls, describeComparisons, formatLead, leadOf, tally } from '../../src/report/comparisons.js';
import { arrangeResults } from '../../src/report/transfer-table.js';
import type { Result } from '../../src/pipeline/result.js';
import { knownResults, makeResult, normalsMean, testOf } from './make-result.js';

const wordsOf = (results: readonly Result[]): string[] => describeComparisons(arrangeResults(results)[0]!);

describe('comparisons with controls', () => {
  it('give the lead in the good direction and its mark', () => {
    const [objects, scenes] = arrangeResults(knownResults());
    const rows = (table: typeof objects): unknown[] =>
      compareWithControls(table!).map(({ method, control, leads }) => [
        `${method} - ${control}`,
        ...leads.map((entry, k) => formatLead(entry, table!.columns[k]!.metric)),
      ]);
    assert.deepEqual(rows(objects), [
      ['triplet - random', '▲ +20.00', '▲ +10.00'],
      ['triplet - shuffled', '○ +1.00', '▼ -10.00'],
    ]);
    assert.deepEqual(rows(scenes), [
      ['triplet - random', '▲ +10.00'],
      ['triplet - shuffled', '▲ +5.00'],
      ['triplet - no-image', '▲ +7.00'],
    ]);
  });

  it('mark a tie, a missing value and one that is not a number', () => {
    assert.equal(formatLead({ by: 0, standing: 'level' }, 'top1'), '○ 0.00');
    assert.equal(formatLead({ by: -9, standing: 'unknown' }, 'top1'), '? -9.00');
    assert.equal(formatLead({ by: NaN, standing: 'level' }, 'top1'), '-');
    assert.equal(formatLead(undefined, 'top1'), '-');
  });

  it('go by the paired test where there is one, whatever the spread over seeds', () => {
    const random = makeResult('random', [10, 10, 10]);
    const standing = (difference: number, adjustedP: number): string =>
      leadOf(makeResult('triplet', [30, 30, 30], { paired: [testOf('random', difference, adjustedP)] }), random)
        .standing;
    assert.equal(standing(20, 0.01), 'better');
    assert.equal(standing(20, 0.2), 'level');
    assert.equal(standing(-20, 0.01), 'worse');
    assert.equal(standing(0, 0.01), 'level');
  });

  it('go by the spread over seeds, either way, where there is no test, and by nothing with one seed', () => {
    const standing = (mine: number[], theirs: number[]): string =>
      leadOf(makeResult('triplet', mine), makeResult('random', theirs)).standing;
    assert.equal(standing([30, 32], [20, 22]), 'better');
    assert.equal(standing([20, 22], [30, 32]), 'worse');
    assert.equal(standing([20, 22], [20, 24]), 'level');
    assert.equal(standing([90], [10, 11]), 'unknown');
  });

  it('show the interval of a tested lead with a digit less', () => {
    const lead = { by: 6.234, standing: 'better', interval: [1.06, 11.3], p: 0.01 } as const;
    assert.equal(formatLead(lead, 'top1'), '▲ +6.2 [+1.1, +11.3]');
    assert.equal(formatLead({ ...lead, interval: [-1, 0] }, 'top1'), '▲ +6.2 [-1.0, 0.0]');
  });

  it('count columns', () => {
    const leads = [
      ...(['better', 'level', 'level', 'worse', 'unknown'] as const).map((standing) => ({ by: 1, standing })),
      { by: NaN, standing: 'better' } as const,
      undefined,
    ];
    assert.deepEqual(tally({ leads }), { columns: 5, better: 1, level: 2, worse: 1, unknown: 1 });
  });

  it('say in words what the run shows', () => {
    assert.deepEqual(wordsOf(knownResults()), [
      'triplet is better by a difference than random in 2 of 2 columns, shuffled in 0 of 2 (worse in 1); it is better than all of these at once in 0 of 2.',
    ]);
    assert.deepEqual(wordsOf(knownResults().filter(({ task }) => task === 'normals')), [
      'triplet is better by a difference than random in 1 of 1 column, shuffled in 1 of 1, no-image in 1 of 1; it is better than all of these at once in 1 of 1.',
    ]);
  });

  it('say with one seed that nobody can tell, and count no lead as won', () => {
    const words = wordsOf([makeResult('triplet', [90]), makeResult('random', [10]), makeResult('self', [95])]);
    assert.equal(words.length, 2);
    assert.match(words[0]!, /^With one seed nobody knows/);
    assert.equal(words[1], 'triplet cannot be told from random, self with one seed.');
  });

  it('tell controls whose spread is known from those whose is not', () => {
    const words = wordsOf([
      makeResult('triplet', [9, 8], normalsMean),
      makeResult('random', [20], normalsMean),
      makeResult('no-image', [10], normalsMean),
    ]);
    assert.equal(
      words[1],
      'triplet is better by a difference than no-image in 1 of 1 column; it cannot be told from random with one seed.',
    );
  });

  it('say where there is nothing to compare', () => {
    assert.match(wordsOf([makeResult('random', [1, 2]), makeResult('self', [1, 2])])[0]!, /^Only controls/);
    assert.match(wordsOf([makeResult('triplet', [1, 2])])[0]!, /^No control/);
  });
});
