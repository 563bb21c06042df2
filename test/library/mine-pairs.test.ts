import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  minePairs,
  RunError,
  TooFewPairs,
  UsageError,
  type MinedPair,
  type MiningProgress,
} from '../../src/library/index.js';
import { renderVideos } from '../pipelines/fixtures/moving-videos.js';
import { startProgram } from '../pipelines/fixtures/tiny-run.js';

describe('minePairs', function () {
  this.timeout(300_000);
  let root: string;
  const params = { mine: { trackFrames: 8, stepFrames: 8, patchPx: 32 }, pack: { cachePx: 32, sheetPairs: 2 } };
  const options = () => ({ videos: path.join(root, 'clips'), work: path.join(root, 'work'), params, jobs: 2 });
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'mine é-'));
    mkdirSync(path.join(root, 'clips'));
    await renderVideos(path.join(root, 'clips'), 2);
    for (const name of ['pan-only', 'flicker']) rmSync(path.join(root, 'clips', `${name}.mp4`));
    writeFileSync(path.join(root, 'clips', 'broken.mp4'), 'no video');
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it('stops when it is told to, goes on from there, and gives the pairs with what was refused', async () => {
    const stop = new AbortController();
    const seen: MiningProgress[] = [];
    const reason = new Error('that will do');
    await assert.rejects(
      minePairs({
        ...options(),
        signal: stop.signal,
        onProgress: (progress) => {
          if (progress.stage === 'mine') stop.abort(reason);
        },
      }),
      (error) => error === reason,
    );
    const mined = await minePairs({ ...options(), onProgress: (progress) => seen.push(progress) });
    assert.deepEqual(
      seen.filter(({ stage, status }) => stage === 'index' && status !== undefined),
      [],
      'what was finished is taken as it is',
    );
    assert.deepEqual(seen.at(-1), { ...seen.at(-1), stage: 'mine', done: 3, total: 3, status: 'done' });
    assert.equal(mined.videos, 2);
    assert.deepEqual(
      mined.refused.map(({ video, stage, status }) => [video, stage, status]),
      [['broken.mp4', 'index', 'rejected']],
    );
    assert.match(mined.refused[0]!.reason, /\w/);
    const pairs: MinedPair[] = [];
    for await (const pair of mined.read()) pairs.push(pair);
    assert.equal(pairs.length, mined.pairs);
    assert.ok(pairs.length >= 4);
    for (const { record, a, b } of pairs) {
      assert.match(record.videoLabel, /^moving-0[12]\.mp4$/);
      for (const picture of [a, b]) assert.deepEqual([...picture.subarray(0, 2)], [0xff, 0xd8]);
    }

    const again = await minePairs(options());
    assert.deepEqual([again.digest, again.shards], [mined.digest, mined.shards]);
  });

  it('says so where another call of the process is at work in the folder', async () => {
    const [first, second] = await Promise.allSettled([minePairs(options()), minePairs(options())]);
    const refused = [first, second].filter((end) => end.status === 'rejected');
    assert.equal(refused.length, 1);
    assert.ok(refused[0]!.reason instanceof RunError);
    assert.match(refused[0]!.reason.message, /^Another call of this process is at work in this folder \(.*`work`\.$/);
    assert.doesNotMatch(refused[0]!.reason.message, /kill|--work/);
  });

  it('leaves a run folder in which the command `mine` finds all done', async () => {
    const { videos, work } = options();
    const words = ['mine', '--videos', videos, '--work', work, '--jobs', '2', '--preset', 'small', '--plan'];
    for (const [stage, values] of Object.entries(params)) {
      for (const [key, value] of Object.entries(values)) words.push('--set', `${stage}.${key}=${value}`);
    }
    const end = await startProgram(words).done;
    assert.equal(end.code, 0, end.err);
    for (const stage of ['index', 'mine', 'pack']) assert.match(end.out, new RegExp(`${stage} +reuse`));
  });

  it('tells what was refused where that was all', async () => {
    const folder = path.join(root, 'all broken');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'empty.mp4'), '');
    writeFileSync(path.join(folder, 'text.mp4'), 'no video');
    await assert.rejects(minePairs({ ...options(), videos: folder, work: path.join(root, 'refused') }), (error) => {
      assert.ok(error instanceof TooFewPairs && error instanceof RunError);
      assert.deepEqual(
        error.refused.map(({ video, stage, status }) => [video, stage, status]),
        ['empty.mp4', 'text.mp4'].map((video) => [video, 'index', 'rejected']),
      );
      assert.match(error.message, /^all 2 videos were refused: empty\.mp4 \(.*\w.*\), text\.mp4 \(.*\w.*\)\.\n/);
      return true;
    });
  });

  it('says what it cannot use', async () => {
    const refused = async (changes: object, kind: new (...args: never[]) => Error, message: RegExp): Promise<void> => {
      const mining = minePairs({ ...options(), work: path.join(root, 'other'), ...changes });
      await assert.rejects(mining, (error) => error instanceof kind && message.test(error.message));
    };
    await refused({ videos: path.join(root, 'clip') }, UsageError, /Did you mean `.*clips`/);
    await refused({ params: { mine: { stepFrame: 3 } } }, UsageError, /stepFrames/);
    await refused({ params: { mime: { stepFrames: 3 } } }, UsageError, /mine/);
    await refused({ preset: 'tiny' }, UsageError, /unknown preset `tiny`/);
    await refused({ videos: undefined }, UsageError, /Expected `videos` to be a path, got nothing/);
    await refused({ work: undefined }, UsageError, /Expected `work` to be a path, got nothing/);
    await refused({ retry: 'failed' }, UsageError, /Expected `retry` to be a list, got `failed`/);
    await refused({ retry: ['fail'] }, RangeError, /Expected `retry` to be one of rejected, failed, got `fail`/);
    await refused({ params: { mine: null } }, UsageError, /Expected `params\.mine` to be keys and values, got null/);
    await refused({ params: 'mine' }, UsageError, /Expected `params` to be keys and values, got `mine`/);
    const nothing = undefined as unknown as Parameters<typeof minePairs>[0];
    await assert.rejects(minePairs(nothing), /UsageError: .*\{ videos, work \}, got nothing/);
    await refused({ jobs: 0 }, RangeError, /Expected `jobs` to be an integer from 1, got `0`/);
    await refused({ work: path.join(root, 'clips', 'still.mp4') }, UsageError, /which is a file/);
    writeFileSync(path.join(root, 'one.txt'), path.join(root, 'clips', 'still.mp4'));
    await refused({ videos: path.join(root, 'one.txt') }, RunError, /at least 2|two/);
    await refused({ signal: AbortSignal.abort(new RangeError('no')) }, RangeError, /no/);
  });
});
