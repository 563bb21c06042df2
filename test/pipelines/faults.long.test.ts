import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import path from 'node:path';
import { tinyDisk } from '../training/tiny-disk.js';
import { demoRun, type DemoRun } from './fixtures/demo-run.js';
import { renderVideos } from './fixtures/moving-videos.js';
import { resume } from './fixtures/resume.js';
import { TinyRun, startProgram, type End } from './fixtures/tiny-run.js';
import { VideosRun } from './fixtures/videos-run.js';

/** Turns one bit of a file around, in its middle; the time of its last change stays out of it. */
const flipBit = (file: string): void => {
  const bytes = readFileSync(file);
  const at = bytes.length >> 1;
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.of(bytes[at]! ^ 1), 0, 1, at);
  closeSync(handle);
};

describe('video-ssl, whatever happens around it', function () {
  this.timeout(3_600_000);
  let demo: DemoRun;
  const made: TinyRun[] = [];
  const copyOf = (other: TinyRun): TinyRun => {
    const copy = TinyRun.copyOf(other);
    made.push(copy);
    return copy;
  };
  const folder = (run: TinyRun, ...words: string[]): Promise<End> =>
    startProgram([words[0]!, '--work', run.work, ...words.slice(1)]).done;
  before(async () => {
    demo = await demoRun();
  });
  after(() => made.forEach((run) => run.remove()));

  it('finds one flipped bit in a file of every stage, and makes just these again, to the same digest', async () => {
    const run = copyOf(demo.whole);
    const files = run.rows<{ stage: string; path: string }>(
      `SELECT stage, min(path) AS path FROM items JOIN artefacts ON item = key WHERE volatile = 0 AND bytes > 0 GROUP BY stage`,
    );
    assert.ok(files.length >= 4, JSON.stringify(files));
    for (const file of files) flipBit(path.join(run.work, file.path));
    flipBit(path.join(run.work, 'report', 'report.md'));
    const looked = await folder(run, 'verify', '--check');
    assert.equal(looked.code, 1, looked.err);
    for (const { path: file } of files) assert.ok(looked.out.includes(`${file} holds other bytes`), looked.out);
    assert.match(looked.out, new RegExp(`: ${files.length + 1} not as they were$`, 'm'));
    const before = new Map(run.items().map((item) => [item.key, item.finished]));
    const repaired = await folder(run, 'verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.ok(repaired.out.includes(`repaired: digest ${demo.digest}, as before`), repaired.out);
    const again = run.items().filter(({ key, finished }) => before.get(key) !== finished);
    assert.deepEqual(again.map(({ stage }) => stage).sort(), files.map(({ stage }) => stage).sort());
    assert.equal((await folder(run, 'verify', '--check')).code, 0);
  });

  it('is cleared of what no run needs, and then has nothing to do', async () => {
    const run = copyOf(demo.whole);
    const other = ['--set', 'transfer.knnK=2'];
    assert.equal((await run.run(other)).code, 0);
    const digest = await run.digest();
    const end = await folder(run, 'gc');
    assert.equal(end.code, 0, end.err);
    assert.match(end.out, /^transfer: items \d+/m);
    assert.equal((await folder(run, 'verify', '--check')).code, 0);
    assert.doesNotMatch((await run.run([...other, '--plan'])).out, / (run|resume) /);
    assert.equal(await run.digest(), digest);
    assert.match((await run.run(['--plan'])).out, /transfer +resume \d+\/\d+ +transfer\.knnK 2 -> 3/);
    await resume(run, other, digest);
  });

  it('says that the disk is full wherever in its stages, and goes on to the same digest once there is room', async function () {
    const disk = tinyDisk(400_000);
    if (!disk) return this.skip();
    const codes: number[] = [];
    try {
      for (const free of [0.3e6, 1.5e6, 4e6, 12e6]) {
        const run: TinyRun = Object.assign(copyOf(demo.rendered), { work: path.join(disk.root, 'run é') });
        cpSync(demo.rendered.work, run.work, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        disk.fill(free);
        const end = await run.run();
        if (end.code !== 0) assert.match(end.err, /disk .* is full|disk is full|could not be written into/, end.err);
        codes.push(end.code ?? -1);
        disk.clear();
        await resume(run, [], demo.digest);
        rmSync(run.work, { recursive: true, force: true });
      }
    } finally {
      disk.remove();
    }
    console.log(`      exit codes ${codes.join(', ')}`);
    assert.ok(codes.includes(1));
  });

  it('takes no verdict from a video that vanished or changed while it was mined, and mines it once it is back', async () => {
    const videos = new VideosRun();
    try {
      const clips = videos.at('clips');
      mkdirSync(clips);
      await renderVideos(clips, 2);
      const undisturbed = await videos.run(['--videos', clips, '--until', 'mine'], 'undisturbed');
      assert.equal(undisturbed.code, 0, undisturbed.out + undisturbed.err);
      const run = videos.start(['--videos', clips, '--until', 'mine']);
      await videos.until('the first video to be mined', () => videos.files('mine').length > 0, 120_000);
      const [gone, changed] = ['moving-01.mp4', 'moving-02.mp4'].map((name) => path.join(clips, name)) as [
        string,
        string,
      ];
      const bytes = readFileSync(changed);
      renameSync(gone, `${gone}.away`);
      writeFileSync(changed, bytes.subarray(0, bytes.length >> 1));
      const end = await run.done;
      assert.equal(end.code, 0, end.err);
      const failed = videos.items().filter(({ status }) => status === 'failed');
      assert.ok(failed.length > 0, end.out);
      for (const { reason } of failed)
        assert.match(reason!, /it (changed|vanished, or could no longer be read,) while the run was at work/);
      renameSync(`${gone}.away`, gone);
      writeFileSync(changed, bytes);
      const again = await videos.run(['--videos', clips, '--until', 'mine']);
      assert.equal(again.code, 0, again.err);
      assert.equal(await videos.digest(), await videos.digest('undisturbed'));
    } finally {
      videos.remove();
    }
  });
});
