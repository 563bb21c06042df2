import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { demoRun, type DemoRun } from './fixtures/demo-run.js';
import { resume } from './fixtures/resume.js';
import { runFacts } from './fixtures/run-facts.js';
import { TinyRun, bareProgram, killPointsIn, sleep } from './fixtures/tiny-run.js';

describe('video-ssl, when it is killed', function () {
  this.timeout(300_000);
  let demo: DemoRun;
  const made: TinyRun[] = [];
  const copyOf = (other: TinyRun): TinyRun => {
    const copy = TinyRun.copyOf(other, bareProgram);
    made.push(copy);
    return copy;
  };
  const digestOf = async (run: TinyRun): Promise<string> => (await runFacts(run.work)).digest!;
  const checkpointsIn = (run: TinyRun): string[] => {
    try {
      return (readdirSync(path.join(run.work, 'pretrain/.scratch'), { recursive: true }) as string[]).filter((name) =>
        name.endsWith('.safetensors'),
      );
    } catch {
      return [];
    }
  };
  before(async () => {
    demo = await demoRun();
  });
  after(() => made.forEach((run) => run.remove()));

  it('goes on to the same digest after a death between files and ledger, one in a worker, and one between checkpoints', async () => {
    const until = ['--until', 'pretrain'];
    const undisturbed = copyOf(demo.whole);
    assert.equal((await undisturbed.run(until)).code, 0);
    const run = copyOf(demo.rendered);
    // The first mined video has its files in place, but no row.
    const place = 'after rename of outputs';
    const count = path.join(run.root, 'count');
    const first = await run.run(until, {
      VIDEO_SSL_KILL_AT: `${place}#1`,
      VIDEO_SSL_COUNT_KILL_POINTS: count,
    });
    assert.equal(first.signal, 'SIGKILL', first.out + first.err);
    assert.equal(killPointsIn(count).at(-1), place);
    assert.equal(run.items().filter(({ stage }) => stage === 'mine').length, 0);
    // A thread that mines, and with it the whole process, its ffmpeg at work.
    const second = await run.run(until, { VIDEO_SSL_KILL_AT_CHILD: 'before flush of outputs#1' });
    assert.equal(second.signal, 'SIGKILL', second.out + second.err);
    assert.ok(!second.out.includes('mine: done'));
    // The child process that trains, when it is about to write its second checkpoint; the coordinator lives, and tells.
    const third = await run.run(until, { VIDEO_SSL_KILL_AT_CHILD: 'checkpoint:begin#2' });
    assert.equal(third.code, 1, third.out + third.err);
    assert.match(third.err, /was ended by SIGKILL[^]*the same command goes on/);
    assert.deepEqual(
      checkpointsIn(run).map((name) => /step-0*(\d+)/.exec(name)?.[1]),
      ['2'],
    );
    const items = await resume(run, until, await digestOf(undisturbed));
    const resumed = items.map(({ notes }) => (JSON.parse(notes) as { resumedFrom?: number } | null)?.resumedFrom ?? 0);
    assert.deepEqual(
      resumed.filter((step) => step > 0),
      [2],
    );
  });

  it('goes on from the step at which Ctrl-C stopped the training, to the same digest', async () => {
    const args = ['--methods', 'triplet', '--set', 'pretrain.steps=16', '--until', 'pretrain'];
    const far = ['--set', 'pretrain.checkpointEvery=1000'];
    const undisturbed = copyOf(demo.whole);
    assert.equal((await undisturbed.run([...args, ...far])).code, 0);
    const run = copyOf(demo.whole);
    // By an early checkpoint one sees from outside that training has begun; the distance is no part of the result.
    const near = [...args, '--set', 'pretrain.checkpointEvery=2'];
    const begun = run.start(near);
    while (checkpointsIn(run).length === 0 && begun.child.exitCode === null) await sleep(5);
    begun.child.kill('SIGINT');
    const end = await begun.done;
    assert.equal(end.code, 130, end.out + end.err);
    assert.ok(end.err.includes('To go on:\n  npm run pipeline video-ssl -- --work '), end.err);
    assert.ok(end.err.includes(`'${run.work}'`) && end.err.includes('pretrain.steps=16'), end.err);
    const items = await resume(run, near, await digestOf(undisturbed));
    const known = new Set(demo.whole.items().map(({ key }) => key));
    const notes = items
      .filter(({ key, stage }) => stage === 'pretrain' && !known.has(key))
      .map((item) => JSON.parse(item.notes) as { resumedFrom: number });
    assert.equal(notes.length, 1);
    assert.ok(notes[0]!.resumedFrom > 0 && notes[0]!.resumedFrom < 16, JSON.stringify(notes));
  });
});
