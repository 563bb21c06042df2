import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectReadyFolder } from '../../src/provision/ready-folder.js';

/** The program of {@link startSetUp}. */
export const setUpProgram = fileURLToPath(new URL('./set-up-process.js', import.meta.url));
const preload = new URL('./kill-at-call.js', import.meta.url).href;

/** Runs a set-up to its end, or to where it is killed: the signal that ended it. */
export const setUp = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<NodeJS.Signals | null> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', preload, setUpProgram, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('close', (code, signal) => (code === 0 || signal !== null ? resolve(signal) : reject(new Error(said))));
  });

/** States of a cache that a set-up may begin with. */
export const beginnings = {
  empty: () => undefined,
  damaged: (cache: string) => {
    mkdirSync(path.join(cache, 'ready', 'sub'), { recursive: true });
    writeFileSync(path.join(cache, 'ready', 'manifest.json'), '{"files":{"sub/library":{"bytes":7,"sha256":"0"}}}');
  },
} as const;

/**
 * Kills a set-up at every so many-th moment: the next one makes both folders, and nothing lies beside them. Returns how many moments were
 * tried.
 */
export const killEverywhere = async (beginning: keyof typeof beginnings, every: number): Promise<number> => {
  const root = mkdtempSync(path.join(tmpdir(), 'video-ssl-killed-'));
  const begin = (name: string): string => {
    const cache = path.join(root, name);
    mkdirSync(cache);
    beginnings[beginning](cache);
    return cache;
  };
  try {
    const count = path.join(root, 'count');
    assert.equal(await setUp(['folder', begin('whole')], { COUNT_CALLS: count }), null);
    const moments = readFileSync(count, 'utf8').trimEnd().split('\n');
    for (const call of ['mkdir', 'writeFile', 'sync', 'rename', 'link', 'symlink'])
      assert.ok(moments.includes(`before ${call}`), call);
    const queue = Array.from({ length: Math.ceil(moments.length / every) }, (_, k) => 1 + k * every);
    const tried = queue.length;
    const kill = async (at: number): Promise<void> => {
      const where = `${moments[at - 1]} (${at})`;
      const cache = begin(`cache-${at}`);
      assert.equal(await setUp(['folder', cache], { KILL_CALL: String(at) }), 'SIGKILL', `${where} was not reached`);
      assert.equal(await setUp(['folder', cache]), null);
      assert.deepEqual(readdirSync(cache).sort(), ['linked', 'ready'], where);
      for (const name of ['linked', 'ready'])
        assert.equal((await inspectReadyFolder(path.join(cache, name), 'hashes')).state, 'whole', where);
      assert.equal(readFileSync(path.join(cache, 'linked', 'library'), 'utf8'), 'content', where);
    };
    const worker = async (): Promise<void> => {
      for (let at = queue.shift(); at !== undefined; at = queue.shift()) await kill(at);
    };
    await Promise.all([worker(), worker()]);
    return tried;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};
