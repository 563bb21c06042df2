import assert from 'node:assert/strict';
import { compareWithControls, describeComparisons, formatLead, tally } from '../../src/report/comparisons.js';
import { arrangeResults } from '../../src/report/transfer-table.js';
import type { Result } from '../../src/pipeline/result.js';
import { knownResults, makeResult, normalsMean } from './make-result.js';

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
      ['triplet - random', '+20.00 ●', '+10.00 ●'],
      ['triplet - shuffled', '+1.00 ○', '-10.00 ▼'],
    ]);
    assert.deepEqual(rows(scenes), [
      ['triplet - random', '+10.00 ●'],
      ['triplet - shuffled', '+5.00 ●'],
      ['triplet - no-image', '+7.00 ●'],
    ]);
  });

  it('mark a tie, a missing value and one that is not a number', () => {
    assert.equal(formatLead({ by: 0, spread: 0 }, 'top1'), '0.00 ○');
    assert.equal(formatLead({ by: 1, spread: 1 }, 'top1'), '+1.00 ○');
    assert.equal(formatLead({ by: 9, spread: Infinity }, 'top1'), '+9.00 ○');
    assert.equal(formatLead({ by: -9, spread: Infinity }, 'top1'), '-9.00 ▼');
    assert.equal(formatLead({ by: NaN, spread: 1 }, 'top1'), '-');
    assert.equal(formatLead(undefined, 'top1'), '-');
  });

  it('count columns', () => {
    const leads = [
      { by: 2, spread: 1 },
      { by: 1, spread: 1 },
      { by: 0, spread: 0 },
      { by: -1, spread: 2 },
      { by: -3, spread: 2 },
      { by: NaN, spread: 1 },
      undefined,
    ];
    const expected = { columns: 5, beyond: 1, ahead: 2, behind: 2, spreadKnown: true };
    assert.deepEqual(tally({ leads }), expected);
    assert.equal(tally({ leads: [{ by: 1, spread: Infinity }] }).spreadKnown, false);
  });

  it('say in words what the run shows', () => {
    assert.deepEqual(wordsOf(knownResults()), [
      'triplet beats random beyond the spread in 2 of 2 columns, shuffled in 0 of 2 (behind in 1); it beats all of them at once in 0 of 2.',
    ]);
    assert.deepEqual(wordsOf(knownResults().filter(({ task }) => task === 'normals')), [
      'triplet beats random beyond the spread in 1 of 1 column, shuffled in 1 of 1, no-image in 1 of 1; it beats all of them at once in 1 of 1.',
    ]);
  });

  it('say with one seed that the spread is unknown, and count no lead as won', () => {
    const words = wordsOf([makeResult('triplet', [90]), makeResult('random', [10]), makeResult('self', [95])]);
    assert.equal(words.length, 2);
    assert.match(words[0]!, /fewer than two seeds the spread over seeds is unknown/);
    assert.equal(words[1], 'triplet is ahead of random in 1 of 1 column, self in 0 of 1 (behind in 1).');
  });

  it('tell controls with a known spread from those without', () => {
    const words = wordsOf([
      makeResult('triplet', [9, 8], normalsMean),
      makeResult('random', [20], normalsMean),
      makeResult('no-image', [10], normalsMean),
    ]);
    assert.equal(
      words[1],
      'triplet beats no-image beyond the spread in 1 of 1 column; it is ahead of random in 1 of 1 column.',
    );
  });

  it('say where there is nothing to compare', () => {
    assert.match(wordsOf([makeResult('random', [1, 2]), makeResult('self', [1, 2])])[0]!, /^Only controls/);
    assert.match(wordsOf([makeResult('triplet', [1, 2])])[0]!, /^No control/);
  });
});
