import assert from 'node:assert/strict';
import { killAndResume, undisturbed } from './fixtures/killed-runs.js';

describe('A run that is killed', () => {
  let whole: Awaited<ReturnType<typeof undisturbed>>;
  before(async () => {
    whole = await undisturbed();
  });

  it('has places to be killed at in the coordinator and in its workers', () => {
    assert.ok(whole.points > 60, `only ${whole.points}`);
    assert.ok(whole.childPoints > 20, `only ${whole.childPoints}`);
  });

  it('goes on to the same digest from a sample of the places in the coordinator', async () => {
    // Prime to the period of the places, so that all kinds are met. Every place is tried in the long test.
    for (let at = 1; at <= whole.points; at += 41) {
      const struck = await killAndResume(whole.digest, (toy) => toy.run([], { VIDEO_SSL_KILL_AT: String(at) }));
      assert.ok(struck, `place ${at} was not reached`);
    }
  });

  it('goes on to the same digest from a sample of the places in a worker', async () => {
    for (const at of [2, 7, 14]) {
      const struck = await killAndResume(whole.digest, (toy) => toy.run([], { VIDEO_SSL_KILL_AT_CHILD: String(at) }));
      assert.ok(struck, `place ${at} was not reached`);
    }
  });
});
