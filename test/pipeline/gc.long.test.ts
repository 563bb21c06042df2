import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dirtyFolder, isClean } from './fixtures/dirty-folder.js';
import { keepToys } from './fixtures/keep-toys.js';
import { ToyRun } from './fixtures/toy-run.js';

describe('gc', () => {
  let dirty: ToyRun;
  const keep = keepToys();
  const copy = (): ToyRun => keep(ToyRun.copyOf(dirty));
  before(async () => (dirty = keep(await dirtyFolder())));

  it('keeps as many runs as it is told to, those that came to the same counting as one', async () => {
    const toy = copy();
    assert.equal((await toy.run(['--set', 'train.steps=5'])).code, 0);
    const end = await toy.folder('gc', '--keep', '2');
    assert.equal(end.code, 0, end.err);
    for (const args of [
      ['--set', 'train.steps=5'],
      ['--set', 'measure.scale=2'],
    ])
      assert.match((await toy.run([...args, '--plan'])).out, /measure +reuse .*\ntrain +reuse .*\nreport +reuse/);
    assert.match((await toy.run(['--plan'])).out, /measure +reuse .*\ntrain +run/);
    assert.equal((await toy.folder('gc', '--keep', '0')).code, 2);
  });

  it('leaves a folder in which everything claimed is there, wherever it is killed', async () => {
    const counted = copy();
    const count = path.join(counted.root, 'count');
    assert.equal((await counted.startFolder('gc', [], { VIDEO_SSL_COUNT_KILL_POINTS: count }).done).code, 0);
    const points = Number(readFileSync(count, 'utf8'));
    assert.ok(points > 20, String(points));
    for (let at = 1; at <= points; at += 1) {
      const toy = copy();
      const end = await toy.startFolder('gc', [], { VIDEO_SSL_KILL_AT: String(at) }).done;
      assert.equal(end.signal, 'SIGKILL', `${at}: ${end.out}${end.err}`);
      await isClean(toy);
      // What it left the next one finds.
      assert.equal((await toy.folder('gc')).code, 0);
      assert.match((await toy.folder('gc', '--plan')).out, /nothing that no run needs\n$/);
      assert.doesNotMatch((await toy.folder('verify', '--check')).out, /belongs to no run/);
    }
  });
});
