import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRaster } from '../../src/drawing/primitives.js';
import { writeFigure } from '../../src/drawing/write-figure.js';
import { mean, std } from '../../src/numeric/statistics.js';
import type { Result } from '../../src/pipeline/result.js';
import { codeSpan, escapeMarkdown } from '../../src/report/markdown.js';
import {
  arrangeResults,
  beats,
  compareWithControls,
  formatTable,
  formatValue,
} from '../../src/report/transfer-table.js';
import { writeReport } from '../../src/report/write-report.js';

const result = (method: string, values: number[], change: Partial<Result> = {}): Result => ({
  task: 'classification',
  dataset: 'objects',
  protocol: 'knn/conv5',
  metric: 'accuracy',
  higherIsBetter: true,
  method,
  seeds: values.map((_, k) => k + 1),
  values,
  mean: mean(values),
  std: std(values),
  weights: values.map((_, k) => `${k}`.repeat(64)),
  data: 'd'.repeat(64),
  params: {},
  command: 'npm run pipeline video-ssl',
  seconds: 1.5,
  ...change,
});

describe('the transfer table', () => {
  it('gives mean, sample standard deviation and number of seeds', () => {
    assert.equal(formatValue(result('triplet', [0.4, 0.5, 0.6])), '0.500 ± 0.100 (3)');
    assert.equal(formatValue(result('triplet', [41.25])), '41.25 (1)');
    assert.equal(formatValue(undefined), '-');
  });

  it('marks a best value only where its lead exceeds the spread', () => {
    const clear = arrangeResults([result('random', [0.2, 0.21]), result('triplet', [0.5, 0.52])]);
    assert.deepEqual(clear.methods, ['triplet', 'random']);
    assert.deepEqual(clear.best, [0]);
    assert.deepEqual(arrangeResults([result('random', [0.4, 0.5]), result('triplet', [0.45, 0.53])]).best, [undefined]);
    assert.deepEqual(arrangeResults([result('random', [0.2]), result('triplet', [0.9])]).best, [undefined]);
  });

  it('knows where less is better', () => {
    const low = { higherIsBetter: false, metric: 'mean angle' };
    assert.ok(beats(result('triplet', [20, 21], low), result('random', [30, 31], low)));
    assert.ok(!beats(result('triplet', [30, 31], low), result('random', [20, 21], low)));
    assert.deepEqual(arrangeResults([result('a', [20, 21], low), result('b', [30, 31], low)]).best, [0]);
  });

  it('says in words where a method does not beat its control, and why', () => {
    const table = arrangeResults([
      result('triplet', [0.5, 0.52]),
      result('shuffled', [0.6, 0.62]),
      result('self', [0.49, 0.52]),
      result('same-video', [0.51, 0.51]),
      result('random', [0.1, 0.12]),
    ]);
    const { notBeaten, beaten } = compareWithControls(table);
    assert.equal(notBeaten.length, 3);
    assert.match(notBeaten[0]!, /triplet does NOT beat its control shuffled: .* \(it is behind\)/);
    assert.match(notBeaten[1]!, /control self: .* \(it is ahead by no more than the spread\)/);
    assert.match(notBeaten[2]!, /control same-video: .* \(they are level\)/);
    assert.equal(beaten.length, 1);
    assert.match(beaten[0]!, /triplet beats its control random/);
  });

  it('refuses two results for one cell', () => {
    assert.throws(() => arrangeResults([result('a', [1]), result('a', [2])]), /Expected one result for `a`.*got 2/);
  });

  it('fits a terminal in aligned columns', () => {
    const lines = formatTable([result('triplet', [0.5, 0.52]), result('random', [0.1, 0.12])]).split('\n');
    assert.equal(lines[0], 'method            objects, knn/conv5, accuracy ↑');
    assert.equal(lines[2], 'triplet           0.510 ± 0.014 (2) *');
    assert.equal(lines[3], 'random (control)  0.110 ± 0.014 (2)');
  });
});

describe('Markdown', () => {
  it('shows hostile names literally and on one line', () => {
    assert.equal(escapeMarkdown('a|b\n# c'), 'a\\|b # c');
    assert.equal(escapeMarkdown('<img src=x onerror=alert(1)>.mp4'), '&lt;img src=x onerror=alert(1)&gt;.mp4');
    assert.equal(escapeMarkdown('![x](javascript:1)'), '!\\[x\\](javascript:1)');
    assert.equal(escapeMarkdown('__init__ *a* `b`'), '\\_\\_init\\_\\_ \\*a\\* \\`b\\`');
    assert.equal(escapeMarkdown('# title'), '\\# title');
    assert.equal(escapeMarkdown('1. one'), '1\\. one');
    assert.equal(escapeMarkdown('moving-01.mp4'), 'moving-01.mp4');
    assert.equal(escapeMarkdown('0.5'), '0.5');
    assert.ok(!/[\u202e\u0007]/.test(escapeMarkdown('gpj.\u202eexe\u0007')));
    assert.ok(!escapeMarkdown('see http://x.example').includes('http://'));
  });

  it('fences code that holds backticks', () => {
    assert.equal(codeSpan('ls'), '`ls`');
    assert.equal(codeSpan('a ``b`` c'), '```a ``b`` c```');
    assert.equal(codeSpan('`x'), '`` `x ``');
    assert.equal(codeSpan('a|b'), '`a\\|b`');
  });
});

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
      { kind: 'contact-sheet', title: 'Pairs', caption: 'Both ends.' },
      createRaster(8, 8),
    );
    const target = path.join(dir, to);
    await writeReport({
      dir: target,
      pipeline: 'video-ssl',
      version: '0.1.0',
      config: { mine: { minMotionPx: 0.5 } },
      stages: [
        {
          name: 'mine',
          key: 'a'.repeat(64),
          seconds: 12.34,
          items: { done: 3, rejected: 1, failed: 0 },
          problems: [{ label: '<b>|evil`.mp4', status: 'rejected', reason: 'no\nvideo stream' }],
        },
      ],
      results: [result('triplet', [0.5, 0.52]), result('shuffled', [0.5, 0.53])],
      figures: [path.join(source, 'loss.figure.json'), path.join(source, 'pairs.figure.json')],
      provenance: { ffmpeg: '9.0.2', runtime: { threads: 2 }, seeds: [1, 2] },
      mining: { accepted: 4, 'too few moving points': 90 },
    });
    const read = (name: string): Promise<string> => readFile(path.join(target, name), 'utf8');
    return { md: await read('report.md'), json: await read('report.json') };
  };

  it('is the same for the same input', async () => {
    assert.deepEqual(await make('one'), await make('two'));
    const svg = (run: string): Promise<string> => readFile(path.join(dir, run, 'figures', '01-loss.svg'), 'utf8');
    assert.ok((await svg('one')) === (await svg('two')), 'the charts differ');
  });

  it('holds results, reasons, totals, provenance, commands and figures', async () => {
    const { md, json } = await make('three');
    assert.match(md, /\| triplet \| 0\.510 ± 0\.014 \(2\) \|/);
    assert.match(md, /\| shuffled \(control\) \| 0\.515 ± 0\.021 \(2\) \|/);
    assert.match(md, /triplet does NOT beat its control shuffled/);
    assert.match(md, /\| mine \| &lt;b&gt;\\\|evil\\`\.mp4 \| rejected \| no video stream \|/);
    assert.match(md, /\| too few moving points \| 90 \|\n\| accepted \| 4 \|/);
    assert.match(md, /\| runtime\.threads \| 2 \|/);
    assert.match(md, /\| mine\.minMotionPx \| 0\.5 \|/);
    assert.match(md, /1: 0\.5<br>2: 0\.52 .*`npm run pipeline video-ssl`/);
    assert.match(md, /!\[Pairs\]\(figures\/02-pairs\.png\)/);
    const parsed = JSON.parse(json) as { stages: { items: unknown }[]; results: Result[] };
    assert.deepEqual(parsed.stages[0]!.items, { done: 3, rejected: 1, failed: 0 });
    assert.equal(parsed.results.length, 2);
  });

  it('draws the uniform value beside the loss', async () => {
    await make('four');
    const svg = await readFile(path.join(dir, 'four', 'figures', '01-loss.svg'), 'utf8');
    assert.match(svg, /^<svg/);
    assert.match(svg, />uniform</);
    assert.match(svg, />triplet</);
    assert.match(svg, /stroke-dasharray="5,4"/);
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
      stages: [],
      results: [],
      provenance: {},
    };
    await assert.rejects(writeReport({ ...input, figures }), /pairs\.figure\.json: expected sha256/);
  });
});
