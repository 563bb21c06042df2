import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { determinismCases } from '../../bench/determinism-cases.js';
import type { SideAnswer, SideTask } from '../../bench/determinism-side.js';
import { RandomStream } from '../../src/numeric/random.js';
import { bestFile } from '../../src/training/best-weights.js';

const script = path.join(import.meta.dirname, '../../bench/determinism-side.js');

/** Trains in a fresh process; undefined if it was killed. */
const inProcess = async (task: SideTask, environment: NodeJS.ProcessEnv = {}): Promise<SideAnswer | undefined> => {
  const env = { ...process.env, ...environment };
  try {
    const options = { env, maxBuffer: 1 << 28 };
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(task)], options);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as SideAnswer;
  } catch (error) {
    assert.equal((error as { signal?: string }).signal, 'SIGKILL', String(error));
    return undefined;
  }
};

describe('every method, killed at steps by chance, with two threads', function () {
  this.timeout(1_800_000);
  let root: string;
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'kills-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  const asked = determinismCases.filter(
    ({ architecture, name }) => architecture === 'small-half' || name === 'triplet, small',
  );
  for (const { name, share } of asked) {
    it(`${name}: weights, state, curve and best weights are those of a run in one go, to the byte`, async () => {
      const steps = Math.round(100 * share);
      const task = { name, steps: 100, threads: 2, printEvery: steps, checkpointEvery: 3, best: true };
      const [whole, killed] = [path.join(root, name, 'whole'), path.join(root, name, 'killed')];
      const one = (await inProcess({ ...task, dir: whole }))!;
      const random = RandomStream.of(5, 'kills', name);
      const kills = [0, 1, 2].map((third) => Math.floor(((third + random.uniform(0, 1)) * (steps - 2)) / 3) + 1);
      for (const killAt of kills) {
        assert.equal(await inProcess({ ...task, dir: killed, killAt }), undefined, `not killed at step ${killAt}`);
        // Once more, with half of the next checkpoint written.
        await inProcess({ ...task, dir: killed, killAt: steps }, { VIDEO_SSL_KILL_AT: 'checkpoint:half-written#1' });
      }
      const many = (await inProcess({ ...task, dir: killed }))!;
      assert.ok(many.resumedFrom > 0, `killed at ${kills.join(', ')}, and begun anew`);
      assert.deepEqual(many.states.at(-1), one.states.at(-1), `killed at ${kills.join(', ')}`);
      assert.deepEqual(many.losses, one.losses);
      assert.deepEqual(await readFile(path.join(killed, bestFile)), await readFile(path.join(whole, bestFile)));
    });
  }
});
