import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { RandomStream } from '../../src/numeric/random.js';

const script = path.join(import.meta.dirname, 'toy-run-process.js');
const steps = 11;

type End = { readonly hash: string; readonly history: object[]; readonly resumedFrom: number };

/** Trains the toy in a process of its own, which ends itself by SIGKILL after step `killAt`; undefined if it did. */
const inProcess = async (dir: string, killAt = -1): Promise<End | undefined> => {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, dir, '-1', String(killAt)]);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as End;
  } catch (error) {
    assert.equal((error as { signal?: string }).signal, 'SIGKILL', String(error));
    return undefined;
  }
};

describe('a training that is killed', function () {
  this.timeout(300_000);
  let root: string;
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'kill-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('again and again, at steps by chance, ends at the bytes and the curve of one that was not', async () => {
    const whole = await inProcess(path.join(root, 'whole'));
    const random = RandomStream.of(3, 'kills');
    const dir = path.join(root, 'killed');
    // A checkpoint every 4 steps: the first kill comes before any.
    const kills = [random.integer(3) + 1, 4 + random.integer(4), 8 + random.integer(3)];
    for (const step of kills) assert.equal(await inProcess(dir, step), undefined, `not killed at step ${step}`);
    const last = await inProcess(dir);
    assert.equal(last!.resumedFrom, 8, `killed at ${kills.join(', ')} of ${steps}`);
    assert.equal(last!.hash, whole!.hash);
    assert.deepEqual(last!.history, whole!.history);
  });
});
