import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { makeVideo, quadrantFrames, x264 } from '../video/fixtures.js';
import { runFacts } from './fixtures/run-facts.js';
import { killPointsIn } from './fixtures/tiny-run.js';
import { serve, VideoServer } from './fixtures/video-server.js';
import { VideosRun } from './fixtures/videos-run.js';

describe('a download that is killed, wherever', function () {
  this.timeout(1_800_000);
  const run = new VideosRun();
  const server = new VideoServer();
  before(() => server.open());
  after(() => {
    server.close();
    run.remove();
  });

  it('goes on to the same digest, asks for no byte twice, and leaves no half of a file', async () => {
    const bodies: Buffer[] = [];
    for (const frames of [40, 60]) {
      const file = await makeVideo(run.at(`${frames}.mp4`), quadrantFrames(frames), x264);
      // Long enough to come in many pieces: what stands behind the video's end is not looked at.
      bodies.push(Buffer.concat([readFileSync(file), Buffer.alloc(400_000)]));
    }
    const list = run.at('list.txt');
    const paths = bodies.map((_, k) => `/${k}.mp4`);
    const serveAll = (): string[] => bodies.map((body, k) => server.on(paths[k]!, serve(body)));
    writeFileSync(list, serveAll().join('\n'));
    const args = ['--videos', list, '--fetch', '--until', 'fetch', '--set', 'fetch.allowPrivate=true'];
    const count = run.at('count');
    const whole = await run.run(args, 'whole', { VIDEO_SSL_COUNT_KILL_POINTS: count });
    assert.equal(whole.code, 0, whole.out + whole.err);
    const { digest } = await runFacts(run.at('whole'));
    const passed = killPointsIn(`${count}.child`);
    for (const name of ['before the note', 'piece written', 'before flush', 'before rename', 'after rename'])
      assert.ok(passed.includes(`download: ${name}`), name);
    let kills = 0;
    for (const name of new Set(passed)) {
      // Both threads count for themselves: half of the times is reached by one of them for certain.
      const most = Math.ceil(passed.filter((one) => one === name).length / 2);
      for (const nth of new Set([1, Math.ceil(most / 2), most])) {
        const place = `${name}#${nth}`;
        const before = server.requests.length;
        const end = await run.run(args, 'killed', { VIDEO_SSL_KILL_AT_CHILD: place });
        assert.equal(end.signal, 'SIGKILL', `${place} was not reached: ${end.out}${end.err}`);
        const again = await run.run(args, 'killed');
        assert.equal(again.code, 0, again.out + again.err);
        const found = await runFacts(run.at('killed'));
        assert.equal(found.digest, digest, place);
        assert.ok(
          found.items.every(({ executions }) => executions === 1),
          place,
        );
        assert.equal(found.locks, 0, place);
        assert.ok(!run.files('', 'killed').some((file) => /\.(tmp|scratch|part)/.test(file)), place);
        // Whoever asks again for what has begun to come asks from there on.
        const asked = server.requests.slice(before);
        const resumed = asked.filter(({ range }) => range !== undefined).length;
        const anew = asked.length - resumed;
        assert.ok(asked.length <= 4 && anew <= 4, `${place}: ${asked.length} requests`);
        if (name === 'download: piece written' && nth === most) assert.ok(resumed > 0, `${place} began anew`);
        rmSync(run.at('killed'), { recursive: true });
        kills += 1;
      }
    }
    console.log(`      ${kills} kills at ${new Set(passed).size} kinds of place`);
  });
});
