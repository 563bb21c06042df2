import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRaster } from '../../src/drawing/primitives.js';
import { writeFigure } from '../../src/drawing/write-figure.js';
import type { Result } from '../../src/pipeline/result.js';
import type { RunSummary } from '../../src/report/run-summary.js';
import { writeReport } from '../../src/report/write-report.js';
import { knownResults, makeResult, normalsMean } from './make-result.js';

const run: RunSummary = {
  videos: 6,
  pairs: 38,
  videosWithPairs: 4,
  methods: ['random', 'shuffled', 'triplet'],
  seeds: [1, 2, 3],
  runtimes: ['tensorflow 2, 2 threads'],
};

describe('the report', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'report-'))));
  after(() => rm(dir, { recursive: true }));

  const make = async (to: string): Promise<{ md: string; json: string }> => {
    const source = path.join(dir, 'source');
    await mkdir(source, { recursive: true });
    await writeFigure(source, 'loss', {
      kind: 'curves',
      title: 'Loss',
      caption: 'The ranking loss beside the margin.',
      data: {
        x: 'step',
        y: 'loss',
        series: [{ name: 'triplet', points: [[0, 0.5], [100, 0.2]] }],
        lines: [{ name: 'uniform', y: 0.5 }],
      },
    }); // prettier-ignore
    await writeFigure(
      source,
      'pairs',
      { kind: 'contact-sheet', title: 'Pairs', caption: 'Both ends by `conv5`.' },
      createRaster(8, 8),
    );
    const target = path.join(dir, to);
    await writeReport({
      dir: target,
      pipeline: 'video-ssl',
      version: '0.1.0',
      config: { mine: { minMotionPx: 0.5 } },
      run,
      stages: [
        {
          name: 'mine',
          key: 'a'.repeat(64),
          seconds: 12.34,
          items: { done: 3, rejected: 1, failed: 0 },
          problems: [{ label: '<b>|evil`.mp4', status: 'rejected', reason: 'no\nvideo stream' }],
        },
      ],
      results: [...knownResults(), makeResult('self', [1 / 3], { ...normalsMean, command: 'npm run `other`' })],
      figures: [path.join(source, 'loss.figure.json'), path.join(source, 'pairs.figure.json')],
      provenance: { ffmpeg: '9.0.2', runtime: { threads: 2 }, seeds: [1, 2] },
      mining: { accepted: 4, 'too few moving points': 90, blank: 0, lost: 0 },
    });
    const read = (name: string): Promise<string> => readFile(path.join(target, name), 'utf8');
    return { md: await read('report.md'), json: await read('report.json') };
  };

  it('is the same for the same input', async () => {
    assert.deepEqual(await make('one'), await make('two'));
    const svg = (run: string): Promise<string> => readFile(path.join(dir, run, 'figures', '02-loss.svg'), 'utf8');
    assert.ok((await svg('one')) === (await svg('two')), 'the charts differ');
  });

  it('begins with what was run, and holds its parts in their order', async () => {
    const { md } = await make('three');
    assert.deepEqual(md.match(/^#{1,3} .*$/gm), [
      '# video-ssl 0.1.0',
      '## Transfer',
      '### objects (classification)',
      '### scenes (normals)',
      '## Figures',
      '### Mining',
      '### Training',
      '## What mining kept and refused',
      '## Rejected and failed items',
      '## Stages',
      '## Where every number comes from',
      '## Provenance',
      '## Configuration',
    ]);
    assert.equal(
      md.split('\n')[2],
      '6 videos gave 38 pairs of patches (from 4 of them). Methods: triplet; controls: random, shuffled, self, no-image; ' +
        '3 seeds each (1, 2, 3). The features were tried on: objects (classification), scenes (normals). ' +
        'Runtime: tensorflow 2, 2 threads; the stages took 12 s in all.',
    );
  });

  it('has warnings above everything else, as literal text, and none where there are none', async () => {
    const target = path.join(dir, 'warned');
    const input = { dir: target, pipeline: 'p', version: '0', config: {}, run, stages: [], results: [], figures: [], provenance: {} }; // prettier-ignore
    const warnings = ['3 pictures of `objects` are frames of a video.', '<b>**x**</b>\n# y'];
    const read = (name: string): Promise<string> => readFile(path.join(target, name), 'utf8');
    await writeReport({ ...input, warnings });
    assert.deepEqual((await read('report.md')).split('\n').slice(0, 6), [
      '# p 0',
      '',
      '> **Warning:** 3 pictures of `objects` are frames of a video.',
      '>',
      '> **Warning:** &lt;b&gt;\\*\\*x\\*\\*&lt;/b&gt; # y',
      '',
    ]);
    assert.deepEqual((JSON.parse(await read('report.json')) as { warnings?: unknown }).warnings, warnings);
    await writeReport(input);
    assert.doesNotMatch(await read('report.md'), /Warning/);
    assert.doesNotMatch(await read('report.json'), /warnings/);
  });

  it('has charts of scale under a heading of their own before those of training', async () => {
    const source = path.join(dir, 'scale');
    await mkdir(source, { recursive: true });
    const data = { x: 'pictures', y: 'top1', series: [{ name: 'small', points: [[1000, 20]] }] };
    for (const kind of ['curves', 'scaling'] as const) await writeFigure(source, kind, { kind, title: `Some ${kind}`, caption: 'c', data }); // prettier-ignore
    const target = path.join(dir, 'scaled');
    const figures = ['curves', 'scaling'].map((name) => path.join(source, `${name}.figure.json`));
    await writeReport({ dir: target, pipeline: 'scaling', version: '0', config: {}, run, stages: [], results: [], figures, provenance: {} }); // prettier-ignore
    const md = await readFile(path.join(target, 'report.md'), 'utf8');
    assert.deepEqual(md.match(/^#{3,4} .*$/gm), ['### Scale', '#### Some scaling', '### Training', '#### Some curves']);
    assert.match(await readFile(path.join(target, 'figures', '01-scaling.svg'), 'utf8'), /^<svg/);
  });

  it('names rejected runs at the transfer tables, below the training table and in the JSON file', async () => {
    const target = path.join(dir, 'rejected');
    const rejected = [
      { method: 'rotnet', seed: 1, reason: 'The loss is NaN at step 4' },
      { method: 'triplet', seed: 4, reason: 'The embeddings collapsed' },
    ];
    const input = { dir: target, pipeline: 'p', version: '0', config: {}, run, stages: [], results: knownResults(), figures: [], provenance: {} }; // prettier-ignore
    const read = (name: string): Promise<string> => readFile(path.join(target, name), 'utf8');
    await writeReport({ ...input, rejected });
    const md = await read('report.md');
    const transfer = md.slice(md.indexOf('## Transfer'), md.indexOf('### objects'));
    assert.match(transfer, /^> \*\*Warning:\*\* `rotnet` has no row: its training was rejected \(seed 1\)/m);
    assert.match(transfer, /^> \*\*Warning:\*\* `triplet` stands here without seed 4/m);
    assert.match(md.slice(md.indexOf('## Training')), /^- `rotnet`, seed 1: The loss is NaN at step 4$/m);
    assert.deepEqual((JSON.parse(await read('report.json')) as { rejected?: unknown }).rejected, rejected);
    await writeReport(input);
    assert.doesNotMatch(await read('report.md'), /[Rr]ejected:|rotnet/);
    assert.doesNotMatch(await read('report.json'), /"rejected": \[/);
  });

  it('has a table of values and one of leads for each data set', async () => {
    const { md } = await make('tables');
    const objects = md.slice(md.indexOf('### objects'), md.indexOf('### scenes'));
    assert.equal(
      objects,
      `### objects (classification)

Values in %; 3 seeds a row.

| row | knn/conv5 top1 ↑ | linear/conv5 top1 ↑ |
| --- | ---: | ---: |
| triplet | 41.00 ± 1.00 | 61.00 ± 1.00 |
| random (control) | 21.00 ± 1.00 | 51.00 ± 1.00 |
| shuffled (control) | 40.00 ± 10.00 | **71.00 ± 1.00** |

- triplet is better by a difference than random in 2 of 2 columns, shuffled in 0 of 2 (worse in 1); it is better than all of these at once in 0 of 2.

| lead | knn/conv5 top1 ↑ | linear/conv5 top1 ↑ |
| --- | ---: | ---: |
| triplet - random | ▲ +20.00 | ▲ +10.00 |
| triplet - shuffled | ○ +1.00 | ▼ -10.00 |

Lead in the direction that is better: ▲ better by a difference, ▼ worse by a difference, ○ no difference shown, ? unknown (one seed).

`,
    );
    // Rows with different numbers of seeds say theirs.
    assert.match(md, /Values in degrees; numbers of seeds in brackets\./);
    assert.match(md, /\| triplet \| 31\.00 ± 1\.00 \(3\) \|/);
    assert.match(md, /\| no-image \(control\) \| 38\.00 \|/);
    assert.match(md, /no-image \(the mean of the training part, [^)]*no network\)/);
  });

  it('says how little a lead beyond the spread at three seeds shows', async () => {
    const { md } = await make('evidence');
    assert.match(md, /weak evidence\. With three seeds .*one-sided p of about 0\.08/);
    assert.match(md, /does not hold the sampling error of the test set/);
  });

  it('holds reasons, totals, provenance and figures', async () => {
    const { md } = await make('parts');
    assert.match(md, /\| mine \| &lt;b&gt;\\\|evil\\`\.mp4 \| rejected \| no video stream \|/);
    assert.match(md, /\| too few moving points \| 90 \|\n\| accepted \| 4 \|\n\nNever: blank, lost\./);
    assert.match(md, /\| mine \| `a{12}` \| 12\.3 \| 3 \| 1 \| 0 \|/);
    assert.match(md, /\| runtime\.threads \| 2 \|/);
    assert.match(md, /\| mine\.minMotionPx \| 0\.5 \|/);
    assert.match(md, /!\[Pairs\]\(figures\/01-pairs\.png\)\n\nBoth ends by `conv5`\./);
  });

  it('tells once by which command numbers came about, and each number in full', async () => {
    const { md, json } = await make('sources');
    assert.equal(md.match(/^npm run pipeline video-ssl$/gm)?.length, 1);
    assert.match(
      md,
      /```bash\nnpm run `other`\n```\n\n\| data set .*\n.*\n\| scenes \| ridge\/conv5 mean \| self \| 1: 0\.3333333333333333 \|/,
    );
    assert.match(md, /\| random \| 1: 20<br>2: 21<br>3: 22 \| `0{12}`<br>`1{12}`<br>`2{12}` \| `d{12}` \| 1\.5 \|/);
    assert.match(md, /\| no-image \| 38 \| - \| `d{12}` \| 1\.5 \|/);
    const parsed = JSON.parse(json) as { stages: { items: unknown }[]; results: Result[]; run: unknown };
    assert.deepEqual(parsed.stages[0]!.items, { done: 3, rejected: 1, failed: 0 });
    assert.deepEqual(parsed.results.at(-1)!.values, [1 / 3]);
    assert.equal(parsed.results.length, 11);
    assert.deepEqual(parsed.run, run);
  });

  it('refuses a picture that is not the one its figure names', async () => {
    await make('five');
    await writeFile(path.join(dir, 'source', 'pairs.png'), 'another');
    const figures = [path.join(dir, 'source', 'pairs.figure.json')];
    const input = {
      dir: path.join(dir, 'six'),
      pipeline: 'p',
      version: '0',
      config: {},
      run,
      stages: [],
      results: [],
      provenance: {},
    };
    await assert.rejects(writeReport({ ...input, figures }), /pairs\.figure\.json: expected sha256/);
  });
});
