import assert from 'node:assert/strict';
import { imageMethods } from '../../pipelines/methods/index.js';
import { TinyRun } from './fixtures/tiny-run.js';

type Weights = ReadonlyMap<string, string>;

/** sha256 of the weights of every finished training, by label. */
const weightsIn = (run: TinyRun): Weights =>
  new Map(
    run
      .rows<{ label: string; data: string }>(`SELECT label, data FROM items WHERE stage = 'pretrain' ORDER BY label`)
      .map(({ label, data }) => [label, (JSON.parse(data) as { weights: string }).weights]),
  );

describe('every image-based method, killed again and again', function () {
  this.timeout(3_600_000);
  const whole = new TinyRun('image-ssl');
  const killed = new TinyRun('image-ssl');
  after(() => {
    whole.remove();
    killed.remove();
  });

  it('ends at the weights of a run in one go, to the byte', async () => {
    const args = [
      ...['--method', imageMethods.map(({ name }) => name).join(','), '--until', 'pretrain'],
      ...[
        'synthesize.trainPerClass=8',
        'pretrain.steps=6',
        'pretrain.batchPairs=8',
        'pretrain.deepcluster.clusters=8',
      ].flatMap((assignment) => ['--set', assignment]),
    ];
    const undisturbed = await whole.run(args);
    assert.equal(undisturbed.code, 0, undisturbed.out + undisturbed.err);
    let kills = 0;
    for (;;) {
      // The child process that trains dies whenever it is about to write its second checkpoint: in most methods more than once.
      const end = await killed.run(args, { VIDEO_SSL_KILL_AT_CHILD: 'checkpoint:begin#2' });
      if (end.code === 0) break;
      assert.match(end.err, /was ended by SIGKILL/, end.out + end.err);
      kills++;
      assert.ok(kills < 10 * imageMethods.length, 'it never comes to an end');
    }
    const [one, many] = [weightsIn(whole), weightsIn(killed)];
    assert.equal(one.size, imageMethods.length + 1);
    assert.ok(kills >= imageMethods.length, `killed ${kills} times`);
    assert.deepEqual(many, one);
    console.log(`      killed ${kills} times`);
    for (const [label, sha256] of many) console.log(`      ${label}: ${sha256}`);
  });
});
