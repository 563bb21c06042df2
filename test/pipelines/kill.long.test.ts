import assert from 'node:assert/strict';
import path from 'node:path';
import { RandomStream } from '../../src/numeric/random.js';
import { demoRun } from './fixtures/demo-run.js';
import { resume } from './fixtures/resume.js';
import { TinyRun, killPointsIn, sleep, type End } from './fixtures/tiny-run.js';

// Three rows of the table are enough here: an untrained network, a pair method, a method with a memory.
const args = ['--methods', 'random,triplet,npid'];
const tensorChild = /pipeline\/worker\.js/;
const ffmpegAtWork = (file: RegExp): RegExp => new RegExp(`-nostdin.*${file.source}`);

/** A state of the run folder that kills start from, and what comes after it. */
type Stand = {
  readonly name: string;
  readonly from: TinyRun | undefined;
  /** Names of the kill points from there to the end, in coordinator and workers. */
  readonly points: readonly string[];
  readonly childPoints: readonly string[];
};

describe('video-ssl, killed wherever', function () {
  this.timeout(3_600_000);
  const random = RandomStream.of(11, 'real kills');
  const made: TinyRun[] = [];
  const stands: Stand[] = [];
  const tally = { kills: 0 };
  let digest = '';
  let wholeSeconds = 0;

  const begin = (from: TinyRun | undefined): TinyRun => {
    const run = from ? TinyRun.copyOf(from) : new TinyRun();
    made.push(run);
    return run;
  };
  const forget = (run: TinyRun): void => {
    made.splice(made.indexOf(run), 1);
    run.remove();
  };
  /** A copy, a disturbance, and the checks. */
  const disturb = async (from: TinyRun | undefined, strike: (run: TinyRun) => Promise<void>): Promise<void> => {
    const run = begin(from);
    await strike(run);
    tally.kills += 1;
    await resume(run, args, digest);
    forget(run);
  };
  const signal = (pid: number, name: NodeJS.Signals): boolean => {
    try {
      return process.kill(pid, name);
    } catch {
      return false; // it has just ended
    }
  };

  before(async () => {
    const { rendered } = await demoRun();
    const decoded = begin(rendered);
    assert.equal((await decoded.run([...args, '--until', 'targets'])).code, 0);
    for (const [name, from] of [
      ['nothing', undefined],
      ['videos', rendered],
      ['targets', decoded],
    ] as const) {
      const run = begin(from);
      const count = path.join(run.root, 'count');
      const end = await run.run(args, { VIDEO_SSL_COUNT_KILL_POINTS: count });
      assert.equal(end.code, 0, end.out + end.err);
      stands.push({ name, from, points: killPointsIn(count), childPoints: killPointsIn(`${count}.child`) });
      digest ||= await run.digest();
      wholeSeconds ||= end.seconds;
      // A folder that was copied half-way comes to the same end.
      assert.equal(await run.digest(), digest);
      forget(run);
    }
    for (const { name, points, childPoints } of stands) {
      console.log(
        `      from ${name}: ${points.length} kill points in the coordinator, ${childPoints.length} in workers`,
      );
    }
  });
  after(() => {
    made.forEach((run) => run.remove());
    console.log(`      ${tally.kills} kills`);
  });

  it('comes to the same digest when the system ends a running ffmpeg', async () => {
    // While a video is rendered: its item fails, and the run stops; the same command tries it again.
    await disturb(undefined, async (run) => {
      const { done } = run.start(args);
      assert.ok(signal(await run.waitForProcess(ffmpegAtWork(/\.tmp\/.*\.mp4/)), 'SIGKILL'));
      assert.equal((await done).code, 1);
    });
    // While one is looked into or mined: half of it must not pass for the whole. It is read once more in the same run.
    // Before its first frame, this would look like a video that holds none; later, like one that breaks off.
    for (const [stage, delay] of [
      ['index', 0],
      ['mine', 0],
      ['mine', 1500],
    ] as const) {
      await disturb(stands[1]!.from, async (run) => {
        const { done, printed } = run.start(args);
        if (stage === 'mine') await printed(/^index: (done|reused)/m);
        const pid = await run.waitForProcess(ffmpegAtWork(/file:.*moving-01\.mp4/));
        await sleep(delay);
        const hit = signal(pid, 'SIGKILL');
        assert.ok(hit || delay > 0, 'missed');
        const end = await done;
        assert.equal(end.code, 0, end.out + end.err);
        assert.equal(await run.digest(), digest, `an ffmpeg that was ended changed what ${stage} found`);
        if (stage === 'mine' && hit) assert.match(end.out, /once more, since/);
      });
    }
  });

  it('ends with 130 on a Ctrl-C that reaches ffmpeg as well, and goes on to the same digest', async () => {
    for (const [from, file] of [
      [undefined, /\.tmp\/.*\.mp4/],
      [stands[1]!.from, /file:.*moving-02\.mp4/],
    ] as const) {
      await disturb(from, async (run) => {
        const { child, done } = run.start(args);
        await run.waitForProcess(ffmpegAtWork(file));
        assert.ok(signal(-child.pid!, 'SIGINT'));
        const end = await done;
        assert.equal(end.code, 130, end.out + end.err);
        assert.deepEqual(run.rows(`SELECT * FROM items WHERE status = 'failed'`), []);
      });
    }
  });

  it('goes on to the same digest when the coordinator alone, or all processes at once, die at a random moment', async () => {
    for (let round = 0; round < 8; round += 1) {
      const stand = stands[round % stands.length]!;
      await disturb(stand.from, async (run) => {
        const { child, done } = run.start(args);
        await sleep(random.uniform(0, wholeSeconds * 900));
        if (!signal(round % 2 === 0 ? child.pid! : -child.pid!, 'SIGKILL'))
          console.log(`      round ${round}: over before`);
        await done;
      });
    }
  });

  it('goes on to the same digest when the tensor process alone dies at a random moment', async () => {
    for (let round = 0; round < 4; round += 1) {
      await disturb(stands.at(-1)!.from, async (run) => {
        const { done } = run.start(args);
        const pid = await run.waitForProcess(tensorChild);
        await sleep(random.uniform(0, 2500));
        const hit = signal(pid, 'SIGKILL');
        const end = await done;
        if (hit && end.code !== 0) assert.match(end.err, /was ended by SIGKILL/);
      });
    }
  });

  /** One place of every name, drawn by seed among those that bear it. */
  const sampleOf = (points: readonly string[]): string[] => {
    const counts = new Map<string, number>();
    for (const name of points) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].map(([name, count]) => `${name}#${1 + random.integer(count)}`);
  };

  it('goes on to the same digest from a place of every kind in the coordinator', async () => {
    assert.ok(stands.every(({ points }) => points.length > 50));
    for (const { name, from, points } of stands) {
      // From nothing: only what no other stand has, the making of the ledger.
      const places = sampleOf(points).filter((place) => name !== 'nothing' || place.includes('ledger'));
      for (const place of places) {
        await disturb(from, async (run) => {
          const end = await run.run(args, { VIDEO_SSL_KILL_AT: place });
          assert.equal(end.signal, 'SIGKILL', `${place} from ${name} was not reached: ${end.out}${end.err}`);
        });
      }
    }
  });

  it('goes on to the same digest from a place of every kind in threads and in the tensor process', async () => {
    const struck = { thread: 0, process: 0 };
    const killed = (end: End, place: string): void => {
      if (end.signal === 'SIGKILL') struck.thread += 1;
      else {
        assert.match(end.err, /was ended by SIGKILL/, `${place} was not reached: ${end.out}`);
        struck.process += 1;
      }
    };
    for (const { name, from, childPoints } of stands) {
      assert.ok(childPoints.length > 10, name);
      // Every worker counts for itself, so that of a name the first few are reached for certain.
      const places = [...new Set(childPoints)].flatMap((point) =>
        name === 'targets' ? [`${point}#1`, `${point}#3`] : point.startsWith('checkpoint') ? [] : [`${point}#1`],
      );
      for (const place of places) {
        await disturb(from, async (run) => killed(await run.run(args, { VIDEO_SSL_KILL_AT_CHILD: place }), place));
      }
    }
    assert.ok(struck.thread > 0 && struck.process > 0, JSON.stringify(struck));
  });
});
