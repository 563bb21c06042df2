import assert from 'node:assert/strict';
import { demoRun } from './fixtures/demo-run.js';
import { resume } from './fixtures/resume.js';
import { runFacts } from './fixtures/run-facts.js';
import { TinyRun, bareProgram, sleep } from './fixtures/tiny-run.js';

// What the kill matrix does not ask: what a run makes of the end of its ffmpeg, and of a Ctrl-C that reaches all its processes.
const args = ['--methods', 'random,triplet,npid'];
const ffmpegAtWork = (file: RegExp): RegExp => new RegExp(`-nostdin.*${file.source}`);

describe('video-ssl, when its ffmpeg ends', function () {
  this.timeout(3_600_000);
  const made: TinyRun[] = [];
  let rendered: TinyRun;
  let digest = '';

  const begin = (from: TinyRun | undefined): TinyRun => {
    const run = from ? TinyRun.copyOf(from, bareProgram) : new TinyRun('video-ssl', bareProgram);
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
  const digestOf = async (run: TinyRun): Promise<string> => (await runFacts(run.work)).digest!;

  before(async () => {
    ({ rendered } = await demoRun());
    const whole = begin(rendered);
    const end = await whole.run(args);
    assert.equal(end.code, 0, end.out + end.err);
    digest = await digestOf(whole);
    forget(whole);
  });
  after(() => made.forEach((run) => run.remove()));

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
      await disturb(rendered, async (run) => {
        const { done, printed } = run.start(args);
        if (stage === 'mine') await printed(/^index: (done|reused)/m);
        const pid = await run.waitForProcess(ffmpegAtWork(/file:.*moving-01\.mp4/));
        await sleep(delay);
        const hit = signal(pid, 'SIGKILL');
        assert.ok(hit || delay > 0, 'missed');
        const end = await done;
        assert.equal(end.code, 0, end.out + end.err);
        assert.equal(await digestOf(run), digest, `an ffmpeg that was ended changed what ${stage} found`);
        if (stage === 'mine' && hit) assert.match(end.out, /once more, since/);
      });
    }
  });

  it('ends with 130 on a Ctrl-C that reaches ffmpeg as well, and goes on to the same digest', async () => {
    for (const [from, file] of [
      [undefined, /\.tmp\/.*\.mp4/],
      [rendered, /file:.*moving-02\.mp4/],
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
});
