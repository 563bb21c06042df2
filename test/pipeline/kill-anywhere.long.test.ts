import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { killAndResume, undisturbed } from './fixtures/killed-runs.js';

describe('A run that is killed, wherever', () => {
  let whole: Awaited<ReturnType<typeof undisturbed>>;
  before(async () => {
    whole = await undisturbed();
  });

  it('goes on to the same digest from every place in the coordinator', async () => {
    for (let at = 1; at <= whole.points; at += 1) {
      const struck = await killAndResume(whole.digest, (toy) => toy.run([], { VIDEO_SSL_KILL_AT: String(at) }));
      assert.ok(struck, `place ${at} was not reached`);
    }
  });

  it('goes on to the same digest from every place in a worker', async () => {
    for (let at = 1; at <= whole.childPoints; at += 1) {
      const struck = await killAndResume(whole.digest, (toy) => toy.run([], { VIDEO_SSL_KILL_AT_CHILD: String(at) }));
      assert.ok(struck, `place ${at} was not reached`);
    }
  });

  it('goes on to the same digest from random moments, whether coordinator or child is hit', async () => {
    const random = RandomStream.of(7, 'kills');
    for (let round = 0; round < 12; round += 1) {
      const delay = random.uniform() * 900;
      const child = round % 3 === 2;
      await killAndResume(whole.digest, async (toy) => {
        const run = toy.start(['--set', 'train.stepMs=0']);
        const pid = child ? Number((await run.printed(/pid (\d+)/))[1]) : run.child.pid!;
        await new Promise((resolve) => setTimeout(resolve, child ? 0 : delay));
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It was quicker than the delay: an undisturbed run must pass the same checks.
        }
        return run.done;
      });
    }
  });
});
