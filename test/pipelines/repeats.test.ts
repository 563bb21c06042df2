import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { encodeAgain, renderVideos } from './fixtures/moving-videos.js';
import { VideosRun, type VideoItem } from './fixtures/videos-run.js';

describe('video-ssl on a folder that changes', function () {
  this.timeout(120_000);
  const run = new VideosRun();
  const folder = run.at('videos');
  before(async () => {
    mkdirSync(path.join(folder, 'again'), { recursive: true });
    await renderVideos(folder, 3);
  });
  after(() => run.remove());

  const succeed = async (...args: string[]): Promise<string> => {
    const end = await run.run(['--videos', folder, ...args]);
    assert.equal(end.code, 0, end.out + end.err);
    return end.out;
  };
  /** Items that a run worked on. Fails if one that stood was worked on again. */
  const executed = async (...args: string[]): Promise<VideoItem[]> => {
    const before = new Map(run.items().map((item) => [item.key, item]));
    await succeed(...args);
    const after = run.items();
    for (const item of after) {
      const stood = before.get(item.key);
      if (stood) assert.deepEqual(item, stood, `${item.label} ran again`);
    }
    return after.filter(({ key }) => !before.has(key));
  };
  const named = (items: readonly VideoItem[]): string[] =>
    items.map(({ stage, label, status }) => `${stage} ${label} ${status}`).sort();
  /** Videos that the packed pairs are of, and how many pairs there are. */
  const packed = (): { videos: Set<string>; pairs: number } => {
    const tar = readFileSync(run.at(run.work, 'pack', 'pairs-000000.tar'), 'latin1');
    const labels = [...tar.matchAll(/"videoLabel":\s*"([^"]+)"/g)].map(([, label]) => label!);
    return { videos: new Set(labels), pairs: labels.length };
  };

  it('mines only what is added, and packs no pair of what is taken away', async () => {
    const kept = ['moving-01.mp4', 'moving-02.mp4'];
    renameSync(path.join(folder, 'moving-03.mp4'), run.at('moving-03.mp4'));
    const first = await executed();
    assert.equal(first.filter(({ stage }) => stage === 'mine').length, 5);
    const before = packed();
    assert.deepEqual([...before.videos].filter((label) => label.startsWith('moving')).sort(), kept);
    const digest = await run.digest();

    renameSync(run.at('moving-03.mp4'), path.join(folder, 'moving-03.mp4'));
    assert.deepEqual(named(await executed()), ['index moving-03.mp4 done', 'mine moving-03.mp4 done']);
    assert.ok(packed().videos.has('moving-03.mp4') && packed().pairs > before.pairs);
    assert.deepEqual(await executed(), [], 'nothing new, nothing to do');

    renameSync(path.join(folder, 'moving-03.mp4'), run.at('moving-03.mp4'));
    assert.deepEqual(await executed(), []);
    assert.deepEqual(packed(), before);
    assert.equal(await run.digest(), digest);
    renameSync(run.at('moving-03.mp4'), path.join(folder, 'moving-03.mp4'));
  });

  it('mines one of the uploads of a recording, says of the others what they repeat, and takes no two videos for one', async () => {
    const original = path.join(folder, 'moving-01.mp4');
    const again = (name: string): string => path.join(folder, 'again', name);
    await encodeAgain(original, again('small.mp4'), ['-vf', 'scale=96:72', '-crf', '32']);
    await encodeAgain(original, again('flipped.mp4'), ['-vf', 'crop=148:110,hflip', '-crf', '26']);
    await encodeAgain(original, again('part.mp4'), ['-ss', '0.6', '-t', '1.3', '-crf', '26']);
    const until = ['--until', 'mine'];
    const came = await executed(...until);
    assert.deepEqual(named(came), [
      ...['index again/flipped.mp4 done', 'index again/part.mp4 done', 'index again/small.mp4 done'],
      ...['mine again/flipped.mp4 rejected', 'mine again/part.mp4 rejected', 'mine again/small.mp4 rejected'],
      ...['index moving-03.mp4 done', 'mine moving-03.mp4 done'].filter((name) => named(came).includes(name)),
    ]);
    const reasons = Object.fromEntries(
      came.filter(({ stage }) => stage === 'mine').map(({ label, reason }) => [path.basename(label, '.mp4'), reason]),
    );
    assert.match(reasons['small'] ?? '', /^same recording as moving-01\.mp4 \(\d+ % of the shorter one's frames\)$/);
    assert.match(reasons['flipped'] ?? '', /^same recording as moving-01\.mp4 \(.*mirrored\)$/);
    assert.match(reasons['part'] ?? '', /^same recording as moving-01\.mp4 \(.*, 0\.[4-8] s into it\)$/);
    assert.match((await run.run(['status'])).out, /1 rejected: same recording as moving-01\.mp4 \(.*mirrored\)/);

    // Without the original the largest of the copies is the one to learn from.
    rmSync(original);
    const then = await executed(...until);
    assert.ok(named(then).includes('mine again/flipped.mp4 done'), named(then).join());
    const others = then.filter(({ status }) => status === 'rejected');
    assert.ok(others.length > 0 && others.every(({ reason }) => /as again\/flipped\.mp4/.test(reason ?? '')));

    // And whoever wants all of them has them.
    const all = await executed(...until, '--set', 'index.sameVideo=keep');
    assert.deepEqual(named(all), ['mine again/part.mp4 done', 'mine again/small.mp4 done']);
  });
});
