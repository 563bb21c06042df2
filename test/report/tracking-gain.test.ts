import assert from 'node:assert/strict';
import type { Result } from '../../src/pipeline/result.js';
import type { Html } from '../../src/report/page/html.js';
import { transferPart } from '../../src/report/page/transfer-part.js';
import { describeGain, gainCells, trackingGains } from '../../src/report/tracking-gain.js';
import { arrangeResults } from '../../src/report/transfer-table.js';
import { transferSection } from '../../src/report/transfer-section.js';
import { makeResult, normalsMean, testOf } from './make-result.js';

/** Tracks help k-NN, nothing is shown for the linear classifier, normals get worse; tested on images in the first two columns only. */
const results = (): Result[] => [
  makeResult('simclr', [30, 31, 32]),
  makeResult('simclr-tracks', [40, 41, 42], { paired: [testOf('random', 21, 0.01), testOf('simclr', 10, 0.02)] }),
  makeResult('simclr-tracks-plain', [20, 21, 22], { paired: [testOf('simclr', -10, 0.02)] }),
  makeResult('random', [19, 20, 21]),
  makeResult('simclr', [30, 31, 32], { protocol: 'linear/conv5' }),
  makeResult('simclr-tracks', [32, 33, 34], { protocol: 'linear/conv5', paired: [testOf('simclr', 2, 0.4)] }),
  makeResult('simclr', [20, 21, 22], normalsMean),
  makeResult('simclr-tracks', [30, 31, 32], normalsMean),
];

const gains = (own = results(), onPatches = ['simclr']) => trackingGains(arrangeResults(own), onPatches);

describe('what tracking adds to augmentation', () => {
  it('is a table a row on tracks, with the paired test against its own row on patches', () => {
    const [both, plain, ...more] = gains();
    assert.equal(more.length, 0);
    assert.deepEqual(
      gainCells(both!).rows.map(([, , ...cells]) => cells),
      [
        ['31.00 ± 1.00', '41.00 ± 1.00', '▲ +10.0 [+5.0, +15.0]', 'better by a difference'],
        ['31.00 ± 1.00', '33.00 ± 1.00', '○ +2.0 [-3.0, +7.0]', 'no difference shown'],
        // By the spread over seeds, in the direction that is better: less is.
        ['21.00 ± 1.00', '31.00 ± 1.00', '▼ -10.00', 'worse by a difference'],
      ],
    );
    assert.deepEqual(gainCells(both!).head.slice(2, 4), ['simclr', 'simclr-tracks']);
    assert.deepEqual(
      gainCells(plain!).rows.map((row) => row.at(-1)),
      ['worse by a difference'],
    );
    assert.match(
      describeGain(both!),
      /better by a difference than `simclr` in 1 of 3 columns, worse by a difference in 1/,
    );
  });

  it('says nothing where there is no row on patches, or it learns from pictures', () => {
    assert.deepEqual(gains(results().filter(({ method }) => method !== 'simclr')), []);
    assert.deepEqual(gains(results(), []), []);
    // Beside pictures the row on patches has a name of its own.
    const beside = [...results(), makeResult('simclr-patches', [39, 40, 41])];
    assert.deepEqual(
      gains(beside, ['simclr-patches']).map(({ patches, columns }) => [patches, columns.length]),
      [
        ['simclr-patches', 1],
        ['simclr-patches', 1],
      ],
    );
  });

  it('cannot be told with one seed', () => {
    const [gain] = gains([makeResult('simclr', [30]), makeResult('simclr-tracks', [60])]);
    assert.deepEqual(gainCells(gain!).rows[0]!.slice(-2), ['? +30.00', 'unknown (one seed)']);
    assert.match(describeGain(gain!), /cannot be told from `simclr` with one seed/);
  });

  it('stands in the report and on the page only where there is something to compare', async () => {
    const markdown = transferSection(results(), [], ['simclr']).join('\n');
    assert.match(markdown, /### What tracking adds to augmentation/);
    assert.match(
      markdown,
      /\| objects \| knn\/conv5 top1 ↑ \| 31\.00 ± 1\.00 \| 41\.00 ± 1\.00 \| ▲ \+10\.0 .* better by a difference \|/,
    );
    assert.doesNotMatch(transferSection(results()).join('\n'), /What tracking adds/);
    const page = await transferPart(results(), [], ['simclr']);
    const part = page.parts!.find(({ title }) => title === 'What tracking adds to augmentation')!;
    assert.match((part.content[1] as Html).text, /simclr-tracks beside simclr/);
    assert.ok(!(await transferPart(results())).parts!.some(({ title }) => title.startsWith('What tracking')));
  });
});
