import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { cameraNumbers } from '../../../pipelines/inspect/draw-video.js';
import { fileFinder, wordsOf } from '../../../pipelines/inspect/find-files.js';
import { sha256 } from '../../../src/pipeline/canonical-json.js';
import { demoRun, type DemoRun } from '../fixtures/demo-run.js';
import { startProgram, TinyRun } from '../fixtures/tiny-run.js';

describe('the camera in numbers', () => {
  const of = (h: readonly number[]) => cameraNumbers(h, 320, 240);
  const near = (a: number, b: number, within = 1e-3): void => assert.ok(Math.abs(a - b) < within, `${a}, not ${b}`);

  it('tells a pan, a zoom about the centre and a turn apart', () => {
    const pan = of([1, 0, 3, 0, 1, -2, 0, 0, 1]);
    near(pan.shiftX, 3);
    near(pan.shiftY, -2);
    near(pan.zoom, 1);
    near(pan.turn, 0);
    const zoom = of([1.05, 0, -0.05 * 160, 0, 1.05, -0.05 * 120, 0, 0, 1]);
    near(zoom.shiftX, 0);
    near(zoom.zoom, 1.05);
    const [c, s] = [Math.cos(0.02), Math.sin(0.02)];
    const turn = of([c, -s, 160 - c * 160 + s * 120, s, c, 120 - s * 160 - c * 120, 0, 0, 1]);
    near(turn.shiftX, 0);
    near(turn.shiftY, 0);
    near(turn.turn, (0.02 * 180) / Math.PI);
  });
});

describe('the files of a run', () => {
  it('are named in its command, however that is quoted', () => {
    assert.deepEqual(wordsOf(`npm run pipeline video-ssl -- --videos 'my clips' --seeds 3`), [
      ...['npm', 'run', 'pipeline', 'video-ssl', '--', '--videos', 'my clips', '--seeds', '3'],
    ]);
    assert.deepEqual(wordsOf(`--videos 'it'\\''s' x`), ['--videos', `it's`, 'x']);
    assert.deepEqual(wordsOf(''), []);
  });

  it('count only with the content that was mined', async () => {
    const run = new TinyRun();
    try {
      const clip = path.join(run.root, 'a b.mp4');
      writeFileSync(clip, 'one');
      const item = { label: 'a b.mp4', sha256: sha256('one') };
      const command = `npm run pipeline video-ssl -- --videos '${run.root}'`;
      const found = await (await fileFinder({ command, rendered: new Map() }, undefined))(item);
      assert.deepEqual(found, { file: clip });
      writeFileSync(clip, 'two');
      const changed = await (await fileFinder({ command, rendered: new Map() }, undefined))(item);
      assert.match((changed as { missing: string }).missing, /holds something else/);
      const elsewhere = await fileFinder({ command: '--videos /nowhere', rendered: new Map() }, undefined);
      assert.match(((await elsewhere(item)) as { missing: string }).missing, /nowhere.*--videos/);
      await assert.rejects(fileFinder({ command, rendered: new Map() }, '/nowhere'), /nowhere/);
      const rendered = new Map([[item.sha256, '/rendered.mp4']]);
      assert.deepEqual(await (await fileFinder({ command: '', rendered }, undefined))(item), { file: '/rendered.mp4' });
    } finally {
      run.remove();
    }
  });
});

describe('inspect from the command line', function () {
  this.timeout(300_000);
  let demo: DemoRun;
  before(async () => {
    demo = await demoRun();
  });

  const inspect = (work: string, ...args: string[]) => startProgram(['inspect', '--work', work, ...args]).done;

  it('makes a page of the demo: every video, the miner as it was, and the pictures', async () => {
    const out = path.join(demo.whole.root, 'inspection');
    const before = demo.whole.items();
    const end = await inspect(demo.whole.work, '--out', out, '--steps', '2', '--tracks', '2');
    assert.equal(end.code, 0, end.out + end.err);
    assert.match(end.out, /inspection\/index\.html/);
    assert.deepEqual(demo.whole.items(), before, 'the run was changed');
    const page = readFileSync(path.join(out, 'index.html'), 'utf8');
    const mined = demo.whole.rows<{ label: string; data: string }>(
      `SELECT label, data FROM items WHERE stage = 'mine'`,
    );
    assert.equal([...page.matchAll(/<details\s+class="video"/g)].length, mined.length);
    const pairs = mined.reduce((sum, { data }) => sum + (JSON.parse(data) as { pairs: number }).pairs, 0);
    assert.ok(page.includes(`${pairs} pairs from`), 'the number of pairs');
    assert.ok(!page.includes('otherwise than the log'), 'mining again decided otherwise');
    assert.ok(!page.includes('not drawn'), 'a video was not drawn');
    assert.ok(page.includes('In the shards that are trained on.'));
    assert.ok(!/NaN|undefined|\[object/.test(page));
    const hrefs = new Set(
      [...page.matchAll(/<img[^>]*\ssrc="([^"]*)"\s+width="(\d+)"\s+height="(\d+)"/gs)].map(([, ...one]) =>
        one.join(' '),
      ),
    );
    assert.ok(hrefs.size >= mined.length * 2, `${hrefs.size} pictures`);
    for (const entry of hrefs) {
      const [href, width, height] = entry.split(' ');
      const { width: wide, height: high } = await sharp(path.join(out, href!)).metadata();
      assert.deepEqual([wide, high], [Number(width), Number(height)], href);
    }
    assert.ok(
      [...hrefs].some((href) => href.includes('residual')) && [...hrefs].some((href) => /pair-\d+-\d+-a/.test(href)),
      'flow and patches',
    );
  });

  it('gives the same page again, shows fewer videos where asked, and says what it does not find', async () => {
    const out = path.join(demo.whole.root, 'small');
    const args = ['--out', out, '--only', 'moving', '--limit', '1', '--steps', '1', '--tracks', '1'];
    assert.equal((await inspect(demo.whole.work, ...args)).code, 0);
    const page = readFileSync(path.join(out, 'index.html'));
    assert.equal([...page.toString().matchAll(/<details\s+class="video"/g)].length, 1);
    assert.equal((await inspect(demo.whole.work, ...args)).code, 0);
    assert.deepEqual(readFileSync(path.join(out, 'index.html')), page);
    assert.deepEqual(readdirSync(out).sort(), ['index.html', 'pictures']);
    const none = await inspect(demo.whole.work, '--out', out, '--only', 'no such name');
    assert.equal(none.code, 2);
    assert.match(none.err, /--only .* got `no such name`/);
    for (const wrong of [path.join(out, 'index.html'), path.join(out, 'index.html', 'deeper')]) {
      const file = await inspect(demo.whole.work, '--out', wrong);
      assert.equal(file.code, 2);
      assert.match(file.err, /Expected --out to be a folder that can be made, got `.*index\.html/);
    }
  });

  it('works without the videos: numbers and stored patches stay, and the page says why there are no frames', async () => {
    const run = TinyRun.copyOf(demo.whole);
    try {
      for (const { path: file } of run.rows<{ path: string }>(
        `SELECT artefacts.path FROM artefacts JOIN items ON items.key = item WHERE stage = 'synthesize' AND name LIKE '%.mp4'`,
      )) {
        renameSync(path.join(run.work, file), `${path.join(run.work, file)}.away`);
      }
      const end = await inspect(run.work, '--steps', '1', '--tracks', '1');
      assert.equal(end.code, 0, end.out + end.err);
      const page = readFileSync(path.join(run.work, 'inspect/index.html'), 'utf8');
      assert.match(page, /Frames are not drawn: /);
      assert.match(page, /pair-\d+-\d+-a\.jpg/);
      assert.ok(!page.includes('residual.jpg'));
    } finally {
      run.remove();
    }
  });

  it('says what is missing where nothing was mined, and refuses options it does not know', async () => {
    const nothing = await inspect(demo.rendered.work);
    assert.equal(nothing.code, 1);
    assert.match(nothing.err, /Nothing was mined/);
    const nowhere = await inspect(path.join(demo.whole.root, 'nowhere'));
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.err, /Expected a run in .*nowhere/);
    assert.equal((await inspect(demo.whole.work, '--limit', 'many')).code, 2);
    assert.equal((await inspect(demo.whole.work, '--limit', '0')).code, 2);
    const owned = await inspect(demo.whole.work, '--out', path.join(demo.whole.work, 'mine'));
    assert.match(owned.err, /Expected --out to be a folder of its own, .*belongs to the run/);
    const other = await inspect(demo.whole.work, '--out', path.join(demo.whole.work, 'report'));
    assert.match(other.err, /Expected --out to hold no other page, .*not one of inspect's/);
    assert.ok(!existsSync(path.join(demo.whole.work, 'inspect')));
  });
});
