import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { writeRaster } from '../../../src/drawing/image-file.js';
import { createRaster } from '../../../src/drawing/primitives.js';
import type { InspectedVideo } from '../../../src/report/inspect/inspected-video.js';
import { InspectionPage, type InspectionHead } from '../../../src/report/inspect/inspection-page.js';
import { NumberTally } from '../../../src/report/inspect/number-tally.js';
import { parseDecisions } from '../../../src/report/inspect/logged-decision.js';
import { findChromium, visit } from '../page/chromium.js';
import { hostile } from '../page/make-page.js';

const params = { stepFrames: 4, minPeak: 0.3, minSidePx: 48, note: hostile };

const picture = { href: 'pictures/a.jpg', width: 40, height: 30 };

const videoOf = (label: string, kept: boolean): InspectedVideo => {
  const decisions = parseDecisions(
    [
      { kind: 'step', frame: 0, shot: 0, outcome: 'tracked', points: 40, windows: [12] },
      { kind: 'track', frame: 0, window: 0, outcome: kept ? 'pair' : 'lost', minPeak: kept ? 0.7 : 0.2, sidePx: 60 },
      { kind: 'track', frame: 0, window: 1, outcome: 'too-small', minPeak: 0.5, sidePx: 20 },
      { kind: 'step', frame: 4, shot: 0, outcome: 'clip-ends' },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
  );
  const track = { strip: picture, frames: [0, 30], a: picture, b: picture, peaks: [0.8, 0.5], accepted: undefined };
  return {
    ...{ label, sha256: 'ab'.repeat(32), facts: [['codec', hostile]], frames: 40, scale: 1, decisions },
    steps: [
      {
        ...{
          decision: decisions[0]!,
          flow: picture,
          residual: picture,
          times: { flow: 3, residual: 1 },
          spanFrames: 1,
        },
        camera: { shiftX: 1.26, shiftY: -0.02, zoom: 1.011, turn: -0.5 },
      },
    ],
    tracks: [decisions[1]!, decisions[2]!].map((decision) => ({ ...track, decision, after: hostile })),
    notes: [hostile],
    log: 'mine/aa/decisions.jsonl',
  };
};

const headOf = (videos: readonly InspectedVideo[]): InspectionHead => {
  const tally = new NumberTally(params);
  for (const { decisions, scale } of videos) for (const decision of decisions) tally.add(decision, scale);
  return {
    ...{ title: hostile, lead: ['A lead.'], command: `npm run ${hostile}`, warnings: [hostile], params },
    ...{ reasons: tally.reasons, numbers: tally.numbers },
    unmined: [{ stage: 'index', status: 'rejected', reason: 'no video stream', count: 3, labels: [hostile] }],
    videos: videos.map(({ label, frames, decisions }) => {
      const own = new NumberTally(params);
      for (const decision of decisions) own.add(decision, 1);
      return { label, frames, reasons: own.reasons };
    }),
  };
};

const writePage = async (dir: string): Promise<string> => {
  await mkdir(path.join(dir, 'pictures'), { recursive: true });
  await writeRaster(path.join(dir, 'pictures/a.jpg'), createRaster(40, 30, [200, 80, 40]));
  const videos = [videoOf('first.mp4', true), videoOf(hostile, false), videoOf('third.mp4', false)];
  const target = path.join(dir, 'index.html');
  const page = await InspectionPage.begin(target, headOf(videos));
  for (const video of videos) await page.add(video);
  await page.close();
  return target;
};

const skipped = (context: Mocha.Context, why: string): never => {
  console.log(`      (skipped: ${why})`);
  return context.skip() as never;
};

describe('the inspection page', function () {
  this.timeout(300_000);
  const chromium = findChromium();
  let dir: string;
  let page: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'inspection-'));
    page = await writePage(dir);
  });
  after(() => rm(dir, { recursive: true }));

  it('shows every number beside what was asked of it, for what was kept and what was not', async () => {
    const text = (await readFile(page, 'utf8')).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
    assert.match(text, /lowest response peak 0\.7 at least 0\.3 held/);
    assert.match(text, /lowest response peak 0\.2 at least 0\.3 below/);
    assert.match(text, /shortest side of the last box, px 20 at least 48 below/);
    assert.match(text, /camera: centre \+1\.3, 0 px, zoom \+1\.1 %, turn −0\.5°/);
    assert.match(text, /Flow over 1 frame, drawn 3 times as long/);
    assert.match(text, /no video stream index rejected 3/);
    assert.ok(!/undefined|NaN|\[object/.test(text));
  });

  it('is the same bytes again, whole or absent', async () => {
    const other = await writePage(path.join(dir, 'again'));
    assert.deepEqual(await readFile(other), await readFile(page));
    const given = path.join(dir, 'given-up.html');
    const begun = await InspectionPage.begin(given, headOf([videoOf('one.mp4', true)]));
    await begun.add(videoOf('one.mp4', true));
    await begun.discard();
    assert.deepEqual((await readdir(dir)).sort(), ['again', 'index.html', 'pictures']);
  });

  it('makes no markup of a name', async () => {
    const text = await readFile(page, 'utf8');
    assert.ok(!text.includes(hostile));
    assert.equal([...text.matchAll(/<script/g)].length, 1);
    assert.equal([...text.matchAll(/<details class="video"|<details\s+class="video"/g)].length, 3);
  });

  /** What a script that was let in finds on the page, after doing something to it. */
  const probe = async (act: string, file = page): Promise<{ shown: string[]; cards: number; text: string }> => {
    const script = `<script>addEventListener('load', () => { ${act};
      const shown = [...document.querySelectorAll('details.video')].filter((video) => !video.hidden).map((video) => video.id);
      const cards = [...document.querySelectorAll('.card')].filter((card) => !card.hidden).length;
      const result = document.createElement('pre');
      result.id = 'found';
      result.textContent = encodeURIComponent(JSON.stringify({ shown, cards, text: document.title + '|' +
        document.querySelector('output').value + '|' + document.querySelector('form').hidden + '|' +
        (document.documentElement.scrollWidth - innerWidth)  }));
      document.body.append(result);
    });</script>`;
    const copy = path.join(path.dirname(file), 'probed.html');
    const text = await readFile(file, 'utf8');
    await writeFile(
      copy,
      text
        .replace(/script-src .*?;(?= base-uri)/, "script-src 'unsafe-inline';")
        .replace('</body>', `${script}</body>`),
    );
    const { stdout, logged } = await visit(chromium!, copy, { width: 1200, args: ['--dump-dom'] });
    await rm(copy);
    assert.deepEqual(logged, []);
    const found = /<pre id="found">([^<]*)<\/pre>/.exec(stdout);
    assert.ok(found, stdout.slice(0, 500));
    return JSON.parse(decodeURIComponent(found[1]!)) as { shown: string[]; cards: number; text: string };
  };

  it('filters by name, outcome and reason', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const set = (name: string, value: string): string =>
      `const field = document.forms[0].elements.${name}; field.value = ${JSON.stringify(value)}; field.dispatchEvent(new Event('input', { bubbles: true }))`;
    const all = await probe('');
    assert.deepEqual([all.shown.length, all.cards], [3, 9]);
    assert.match(all.text, /\|3 of 3 videos\|false\|0$/, 'the form is there, and nothing hangs over the edge');
    assert.deepEqual((await probe(set('name', 'THIRD'))).shown, ['v3']);
    assert.deepEqual((await probe(set('outcome', 'pairs'))).shown, ['v1']);
    const lost = await probe(set('reason', 'track: lost'));
    assert.deepEqual(lost.shown, ['v2', 'v3']);
    // Of each: its time-step, and the one lost track; and the three cards of the video that is not shown.
    assert.equal(lost.cards, 2 + 2 + 3);
  });

  it('opens what an address names', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const opened = await probe(`location.hash = '#v2'; dispatchEvent(new Event('hashchange'));
      document.title = [...document.querySelectorAll('details.video')].map((video) => video.open).join()`);
    assert.match(opened.text, /^false,true,false\|/);
  });

  it('runs its own script under its own policy, and nothing that a name brought along', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const { stdout, logged } = await visit(chromium, page, { width: 1200, args: ['--dump-dom'] });
    assert.deepEqual(logged, []);
    assert.match(stdout, /<output[^>]*>3 of 3 videos<\/output>/);
    assert.ok(!/<title>owned/.test(stdout));
  });

  it('can be used without scripts, and shows its pictures, light and dark', async function () {
    if (!chromium) return skipped(this, 'no Chromium on this machine');
    const opened = path.join(dir, 'opened.html');
    const text = await readFile(page, 'utf8');
    await writeFile(
      opened,
      text
        .replace(/script-src .*?;(?= base-uri)/, '')
        .replaceAll('loading="lazy"', '')
        .replaceAll(/<details(\s)/g, '<details open$1'),
    );
    const means = [];
    for (const scheme of ['light', 'dark'] as const) {
      const file = path.join(dir, `${scheme}.png`);
      await visit(chromium, opened, { width: 1200, height: 4000, scheme, args: [`--screenshot=${file}`] });
      const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      let orange = 0;
      for (let i = 0; i < data.length; i += info.channels) {
        if (data[i]! > 150 && data[i + 1]! < 100 && data[i + 1]! > 55 && data[i + 2]! < 60) orange++;
      }
      assert.ok(orange > 20_000, `${orange} pixels of the pictures in ${scheme}`);
      means.push((await sharp(file).greyscale().stats()).channels[0]!.mean);
    }
    assert.ok(means[0]! > 180 && means[1]! < 90, `light ${means[0]}, dark ${means[1]}`);
    await rm(opened);
  });
});
