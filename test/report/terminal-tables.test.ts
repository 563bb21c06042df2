import assert from 'node:assert/strict';
import type { Result } from '../../src/pipeline/result.js';
import { verdictsOf } from '../../src/report/page/verdict.js';
import { formatForTerminal } from '../../src/report/terminal-tables.js';
import { arrangeResults } from '../../src/report/transfer-table.js';
import { knownResults, makeResult, normalsMean, testOf } from './make-result.js';

describe('the results at the terminal', () => {
  it('are a short table a data set, with a line a method', () => {
    assert.deepEqual(formatForTerminal(knownResults()), [
      'objects (classification); in %; 3 seeds',
      '            knn/conv5      linear/conv5',
      '            top1 ↑         top1 ↑',
      'triplet     41.00 ± 1.00   61.00 ± 1.00',
      'controls',
      '  random    21.00 ± 1.00   51.00 ± 1.00',
      '  shuffled  40.00 ± 10.00  71.00 ± 1.00 *',
      'triplet: above random 2/2; not above shuffled 0/2 (worse 1)',
      '',
      'scenes (normals); in degrees; 3 seeds',
      '            ridge/conv5',
      '            mean ↓',
      'triplet     31.00 ± 1.00 *',
      'controls',
      '  random    41.00 ± 1.00',
      '  shuffled  36.00 ± 1.00',
      '  no-image  38.00',
      'triplet: above random 1/1, shuffled 1/1, no-image 1/1',
      '',
      'mean ± sample standard deviation over seeds',
      'difference: beyond the spread over seeds, sqrt(std_a² + std_b²)',
      '* best by a difference; n/m: better by a difference in n of m columns',
      'above: better in at least half of the columns and worse in none; partly: better prevails',
    ]);
  });

  it('say of which differences there was a test, where there was one of some', () => {
    const tested = [makeResult('triplet', [50, 51, 52], { paired: [testOf('random', 20, 0.01)] }), makeResult('random', [30, 31, 32])]; // prettier-ignore
    const bare = ['triplet', 'random'].map((method, k) => makeResult(method, [k, k + 0.1], normalsMean));
    const test = 'difference: paired test on the same images, p < 0.05 after Holm over the column';
    const spread = 'beyond the spread over seeds, sqrt(std_a² + std_b²)';
    assert.deepEqual(formatForTerminal(tested).slice(-3, -2), [test]);
    assert.deepEqual(formatForTerminal([...tested, ...bare]).slice(-4, -2), [test, `where no such test was possible: ${spread}`]); // prettier-ignore
  });

  it('fit the width, however many columns and long names there are', () => {
    const metrics = ['mean', 'median', 'within11', 'within22', 'within30'];
    const many = ['conv1', 'conv2+conv3+conv4', 'x'.repeat(120)].flatMap((layer) =>
      metrics.flatMap((metric) =>
        ['triplet', 'npid', 'random', 'shuffled', 'same-video', 'untracked', 'self', 'no-image'].map((method, k) =>
          makeResult(method, [110 + k, 112, 111], {
            ...normalsMean,
            metric,
            protocol: `ridge/${layer}`,
            dataset: 'a folder '.repeat(20),
          }),
        ),
      ),
    );
    for (const width of [60, 92, 100]) {
      const lines = formatForTerminal(many, width);
      assert.ok(lines.every((line) => line.length <= width));
      assert.equal(lines.filter((line) => /^triplet {2}/.test(line)).length >= 3, true);
      for (const metric of metrics) assert.ok(lines.some((line) => line.includes(metric)));
    }
  });

  it('keep every value when columns are split over tables', () => {
    const results: Result[] = Array.from({ length: 30 }, (_, k) =>
      makeResult('triplet', [100 + k, 100 + k], { protocol: `knn/layer${k}` }),
    );
    const text = formatForTerminal(results, 60).join('\n');
    for (let k = 0; k < 30; k++) assert.ok(text.includes(`${100 + k}.00 ± 0.00`), `value ${k} is missing`);
  });

  it('say with one seed that nothing is known', () => {
    const lines = formatForTerminal([makeResult('triplet', [9]), makeResult('random', [3]), makeResult('self', [10])]);
    assert.equal(lines[0], 'objects (classification); in %; 1 seed');
    assert.ok(lines.includes('triplet: unknown with one seed: random, self'));
    assert.ok(!lines.some((line) => line.includes(': above') || line.endsWith(' *')));
  });

  it('say above, partly above and not above as the page does', () => {
    const lineOf = (...leads: readonly number[]): string | undefined => {
      const results = leads.flatMap((by, k) => [
        makeResult('triplet', [5 + by, 5 + by], { protocol: `knn/${k}` }),
        makeResult('self', [5, 5], { protocol: `knn/${k}` }),
      ]);
      const [verdict] = verdictsOf(arrangeResults(results));
      const page = { above: 'above', partly: 'partly above' } as Readonly<Record<string, string>>;
      const line = formatForTerminal(results).find((text) => text.startsWith('triplet: '))!;
      assert.ok(line.startsWith(`triplet: ${page[verdict!.controls[0]!.answer] ?? 'not above'} self`), line);
      return line;
    };
    assert.equal(lineOf(1, 0), 'triplet: above self 1/2');
    assert.equal(lineOf(1, 0, 0), 'triplet: partly above self 1/3');
    assert.equal(lineOf(1, 1, -1), 'triplet: partly above self 2/3 (worse 1)');
    assert.equal(lineOf(1, -1), 'triplet: not above self 1/2 (worse 1)');
    assert.equal(lineOf(0, 0), 'triplet: not above self 0/2');
    assert.equal(lineOf(-1, 0), 'triplet: not above self 0/2 (worse 1)');
  });

  it('show intervals, and what the paired tests say, within the width', () => {
    const tested = { interval: [38.12, 43.9], images: 50, best: true, paired: [testOf('random', 20, 0.01)] } as const;
    const lines = formatForTerminal([
      makeResult('triplet', [40, 41, 42], tested),
      makeResult('random', [20, 21, 22], { interval: [18, 24.04], images: 50, best: false }),
    ]);
    assert.deepEqual(lines.slice(3, 8), [
      'triplet   41.00 ± 1.00 [38.1, 43.9] *',
      'controls',
      '  random  21.00 ± 1.00 [18.0, 24.0]',
      'triplet: above random 1/1',
      '',
    ]);
    assert.ok(lines.includes('mean ± sample standard deviation over seeds [95 % interval over test images and seeds]'));
    assert.ok(lines.some((line) => line.startsWith('difference: paired test')));
  });

  it('keep the protocols of a family together', () => {
    const lines = formatForTerminal(
      ['knn/conv3', 'svm/conv3', 'knn/conv4', 'knn/conv5', 'svm/conv5', 'low-shot-1/conv5', 'low-shot-2/conv5'].map(
        (protocol) => makeResult('triplet', [1, 2], { protocol }),
      ),
    );
    assert.match(
      lines.find((line) => line.includes('knn/conv3'))!,
      /knn\/conv3 +knn\/conv4 +knn\/conv5/,
    );
  });

  it('show controls alone, and no results', () => {
    const lines = formatForTerminal([makeResult('random', [1, 2]), makeResult('self', [1, 2])]);
    assert.deepEqual(lines.slice(3, 6), ['controls', '  random  1.50 ± 0.71', '  self    1.50 ± 0.71']);
    assert.ok(!lines.some((line) => line.includes('above ')));
    assert.deepEqual(formatForTerminal([]), ['No results.']);
  });

  it('show a hostile name of a data set on one line', () => {
    const [title] = formatForTerminal([makeResult('a', [1], { dataset: 'x\u001b[2J\ny' })]);
    assert.equal(title, 'x [2J y (classification); in %; 1 seed');
  });
});
