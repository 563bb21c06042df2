import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { ReportInput } from '../../../src/report/write-report.js';
import { writePage } from '../../../src/report/page/write-page.js';
import { makeResult } from '../make-result.js';
import { findChromium, visit } from './chromium.js';
import { hostile, makePageInput, pictureKinds } from './make-page.js';

/** What the page's inside says about itself, once it stands in a browser. */
type Inspection = {
  readonly title: string;
  readonly images: readonly { readonly alt: string; readonly width: number }[];
  readonly charts: readonly string[];
  readonly tables: readonly { readonly caption: string; readonly heads: number; readonly unscoped: number }[];
  readonly links: readonly { readonly text: string; readonly lands: boolean }[];
  readonly headings: readonly string[];
  readonly scripts: number;
  readonly handlers: number;
  readonly requests: readonly string[];
  readonly overflow: number;
  readonly text: string;
};

const inspect = `<script>addEventListener('load', () => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const found = {
    title: document.title,
    images: all('img').map((image) => ({ alt: image.alt, width: image.naturalWidth })),
    charts: all('[role=img]').map((chart) => chart.querySelector('svg path, svg rect, svg line') ? chart.getAttribute('aria-label') : ''),
    tables: all('table').map((table) => ({
      caption: table.caption?.textContent.trim() ?? '',
      heads: table.querySelectorAll('th').length,
      unscoped: table.querySelectorAll('th:not([scope])').length,
    })),
    links: all('a').map((link) => ({ text: link.textContent.trim(), lands: document.querySelector(link.getAttribute('href')) !== null })),
    headings: all('main h1, main h2, main h3').map((heading) => heading.textContent.trim()),
    scripts: all('script').length,
    handlers: all('*').filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
    requests: performance.getEntriesByType('resource').map(({ name }) => name.slice(0, 100)),
    overflow: document.documentElement.scrollWidth - innerWidth,
    text: document.querySelector('main').innerText,
  };
  const result = document.createElement('pre');
  result.id = 'inspection';
  result.textContent = encodeURIComponent(JSON.stringify(found));
  document.body.append(result);
});</script>`;

const skipped = (context: Mocha.Context, why: string): never => {
  console.log(`      (skipped: ${why})`);
  return context.skip() as never;
};

describe('the report page in a browser', function () {
  this.timeout(300_000);
  const chromium = findChromium();
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'page-'))));
  after(() => rm(dir, { recursive: true }));

  /** The page as it is, once more with a script that looks at it (which the page's own policy would not let run). */
  const look = async (page: string, width: number): Promise<Inspection> => {
    const text = await readFile(page, 'utf8');
    const copy = `${page.slice(0, -5)}-${width}.html`;
    await writeFile(
      copy,
      text
        .replace('default-src &#39;none&#39;;', '$& script-src &#39;unsafe-inline&#39;;')
        .replace('</body>', `${inspect}</body>`),
    );
    const { stdout } = await visit(chromium!, copy, { width, args: ['--dump-dom'] });
    const found = /<pre id="inspection">([^<]*)<\/pre>/.exec(stdout);
    assert.ok(found, `the page did not come up: ${stdout.slice(0, 500)}`);
    return JSON.parse(decodeURIComponent(found[1]!)) as Inspection;
  };

  const screenshot = async (page: string, scheme: 'light' | 'dark', width = 1366) => {
    const file = path.join(dir, `${scheme}-${width}.png`);
    const { logged } = await visit(chromium!, page, { width, height: 1600, scheme, args: [`--screenshot=${file}`] });
    assert.deepEqual(logged, [], 'something was logged');
    const { channels, entropy } = await sharp(file).greyscale().stats();
    return { mean: channels[0]!.mean, spread: channels[0]!.stdev, entropy };
  };

  it('shows every table and figure, names each, and runs nothing that a name brought along', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const page = await writePage(await makePageInput(path.join(dir, 'figures'), path.join(dir, 'whole')));
    const found = await look(page, 1366);
    assert.deepEqual(found.headings, [
      'video-ssl 0.1.0',
      'What the features are worth',
      'Classification: objects',
      `Classification: ${hostile}`,
      'Surface normals: scenes',
      'What was mined',
      'What mining kept and refused',
      'Pairs and tracks',
      'Training',
      'Losses and health',
      'First-layer filters',
      'What the features see',
      'Nearest neighbours',
      'Maps of the features',
      'Detections',
      'Surface normals',
      'Rejected and failed items',
      'Stages and times',
      'The command behind every number',
      'Provenance',
      'Configuration',
    ]);
    // Pictures: all there, decoded, described.
    assert.equal(found.images.length, pictureKinds.length);
    for (const kind of pictureKinds) {
      const image = found.images.find(({ alt }) => alt === `A picture of ${kind}. What ${kind} shows.`);
      assert.ok(image, `no picture of ${kind}`);
      assert.ok(image.width > 0, `${kind} did not decode`);
    }
    // Two classification columns, one each of the others, and the loss.
    assert.equal(found.charts.length, 5);
    assert.ok(found.charts.every((label) => label.length > 10));
    for (const { caption, heads, unscoped } of found.tables) {
      assert.ok(caption !== '', 'a table without a caption');
      assert.ok(heads > 0 && unscoped === 0, `${caption}: ${unscoped} of ${heads} heads without a scope`);
    }
    assert.ok(found.links.length >= 19);
    assert.deepEqual(
      found.links.filter(({ lands }) => !lands),
      [],
    );
    assert.equal(found.title, 'video-ssl 0.1.0: report');
    assert.equal(found.scripts, 1, 'only the script of this test');
    assert.equal(found.handlers, 0);
    assert.deepEqual(
      found.requests.filter((name) => !name.startsWith('data:')),
      [],
    );
    assert.ok(found.text.includes(hostile), 'the name is not shown literally');
  });

  it('fits a phone: only tables and wide pictures scroll, each in a box of its own', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const page = await writePage(await makePageInput(path.join(dir, 'figures'), path.join(dir, 'phone')));
    const { overflow } = await look(page, 390);
    assert.ok(overflow <= 0, `${overflow} px beyond the screen`);
  });

  it('is not blank in light or dark, and logs no error', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const page = await writePage(await makePageInput(path.join(dir, 'figures'), path.join(dir, 'shot')));
    const light = await screenshot(page, 'light');
    const dark = await screenshot(page, 'dark');
    for (const { spread, entropy } of [light, dark]) assert.ok(spread > 10 && entropy > 0.3, `${spread}, ${entropy}`);
    assert.ok(light.mean > 200, `light: ${light.mean}`);
    assert.ok(dark.mean < 80, `dark: ${dark.mean}`);
  });

  it('comes up for a real run', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const file = path.resolve('results/small-clips.json');
    if (!existsSync(file)) return skipped(this, 'no results of a real run');
    const report = JSON.parse(await readFile(file, 'utf8')) as ReportInput;
    // Its pictures are not kept: numbers, counts and provenance are.
    const page = await writePage({ ...report, dir: path.join(dir, 'real'), figures: [] });
    const found = await look(page, 1366);
    for (const { dataset, method } of report.results) {
      assert.ok(found.text.includes(dataset) && found.text.includes(method));
    }
    for (const reason of Object.keys(report.mining ?? {}))
      assert.ok(found.text.includes(reason.replace(/^\w+: /, '')), reason);
    assert.ok(found.overflow <= 0);
  });
});

describe('the report page', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'page-'))));
  after(() => rm(dir, { recursive: true }));

  const write = async (to: string, change: Partial<Parameters<typeof writePage>[0]> = {}): Promise<string> =>
    readFile(
      await writePage({ ...(await makePageInput(path.join(dir, 'figures'), path.join(dir, to))), ...change }),
      'utf8',
    );

  it('is one file with everything inside, and the same for the same input', async () => {
    const page = await write('one');
    assert.ok(page === (await write('two')), 'the pages differ');
    // Addresses of namespaces are names; nothing else points outside.
    const outside = page
      .replace(/xmlns(:\w+)?="[^"]*"/g, '')
      .match(/(src|href|srcset|data|url\()\s*=?\s*["'(]?(https?:|\/\/|file:)[^"')]*/g);
    assert.equal(outside, null);
    assert.ok(!/@import|<link|<script|<iframe/i.test(page.replace(/&lt;/g, '')), 'something could be fetched or run');
  });

  it('keeps pictures within a budget, and says so where that cannot be', async () => {
    const small = await write('small', { pictureBudget: 20_000 });
    const bytes = [...small.matchAll(/src="(data:image[^"]*)"/g)].reduce((sum, [, src]) => sum + src!.length, 0);
    assert.ok(bytes > 0 && bytes <= 20_000, `${bytes}`);
    await assert.rejects(
      write('none', { pictureBudget: 100 }),
      /Expected the 7 pictures of the page to take at most 100 bytes/,
    );
  });

  it('shows every reason of mining once, also those that never occurred, though a stage drew the same counts', async () => {
    const page = await write('mining');
    const rows = [
      ...page.matchAll(
        /<th scope="row">\s*(tracked|too-little-motion|no-camera|pair|lost)\s*<\/th>\s*<td class="number">\s*(\d+)/g,
      ),
    ];
    assert.deepEqual(
      rows.map(([, name, count]) => [name, Number(count)]),
      [
        ['too-little-motion', 90],
        ['tracked', 30],
        ['no-camera', 0],
        ['lost', 7],
        ['pair', 4],
      ],
    );
  });

  it('has warnings in a box above the verdict, as literal text, and no box where there are none', async () => {
    const page = await write('warned', { warnings: ['3 pictures of `objects` are frames.', hostile] });
    const from = page.indexOf('<div class="warnings" role="note"');
    assert.ok(from > 0 && from < page.indexOf('<div class="verdict'), 'no box above the verdict');
    const box = page.slice(from, page.indexOf('</div>', from));
    assert.match(box, /3 pictures of <code>objects<\/code> are frames\./);
    assert.ok(box.includes('&lt;script&gt;') && !box.includes('<script'));
    assert.ok(!(await write('unwarned')).includes('role="note"'));
  });

  it('names rejected runs at the transfer tables and below the training table, as literal text', async () => {
    const page = await write('rejected', { rejected: [{ method: 'rotnet', seed: 1, reason: hostile }] });
    const at = (text: string): number => page.indexOf(text);
    const warned = page.search(/<code>rotnet<\/code> has no row: its training was rejected \(seed 1\)/);
    assert.ok(at('What the features are worth</h2>') < warned && warned < at('Classification: objects</h3>'));
    assert.match(page, /<th scope="row"[^>]*>\s*rotnet\s*<\/th>\s*<td class="number">\s*-/);
    assert.match(page, /<li><code>rotnet<\/code>, seed 1: &lt;script&gt;/);
  });

  it('has charts of scale in a section of their own before training', async () => {
    const folder = path.join(dir, 'scale-figures');
    await mkdir(folder, { recursive: true });
    const data = { x: 'pictures', y: 'top1', series: [{ name: 'small', points: [[1000, 20]] }] };
    await writeFigure(folder, 'scale', { kind: 'scaling', title: 'Some scale', caption: 'c', data });
    const page = await write('scale', { figures: [path.join(folder, 'scale.figure.json')] });
    assert.match(page, /<h2[^>]*>Scale<\/h2>\s*<div class="charts">/);
    assert.doesNotMatch(page, /Losses and health/);
  });

  it('says in the caption of how many test images, in what groups, and where they are too few', async () => {
    const few = makeResult('triplet', [1, 2], { images: 80, groups: 4 });
    const page = await write('caption', { results: [few, makeResult('random', [1], { images: 80, groups: 4 })], figures: [] }); // prettier-ignore
    assert.match(
      page,
      /<caption>\s*objects; values in %; numbers of seeds in brackets; 80 test images in 4 groups, too few for an interval\s*<\/caption>/,
    );
  });

  it("shows the papers' own numbers only beside results of their tasks", async () => {
    const heading = /<h2[^>]*>The papers’ own numbers/;
    const classes = { results: [makeResult('triplet', [5, 6, 7])], figures: [] };
    assert.doesNotMatch(await write('classes', classes), heading);
    const detection = makeResult('triplet', [5, 6, 7], { task: 'detection', metric: 'AP50' });
    const page = await write('boxes', { results: [detection], figures: [] });
    assert.match(page, heading);
    assert.match(page, /Not comparable in scale/);
  });

  it('is written for a run without results, figures or mining', async () => {
    const page = await write('empty', {
      results: [],
      figures: [],
      mining: {},
      sources: [],
      provenance: {},
      config: {},
    });
    assert.match(page, /No evaluation has finished/);
    assert.match(page, /Not to be told: no method was evaluated beside a control/);
    assert.ok(!/<h2[^>]*>Training/.test(page));
    assert.ok((await stat(path.join(dir, 'empty', 'index.html'))).size < 60_000);
  });
});
