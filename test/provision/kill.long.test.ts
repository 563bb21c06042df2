import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findPython } from '../../src/provision/python.js';
import { hashFile } from '../../src/provision/ready-folder.js';
import { isLibtensorflowFetched } from '../../src/runtime/fetch-libtensorflow.js';
import { libtensorflowFor } from '../../src/runtime/libtensorflow.js';
import { killEverywhere, setUpProgram } from './killed-set-ups.js';

const NAME = 'video_ssl_sample-1.0-py3-none-manylinux_2_28_x86_64.whl';

/** A wheel of 4 MB that cannot be packed smaller, of many files. */
const MAKE = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for n in range(400):
        wheel.writestr('sample/include/%d.h' % n, os.urandom(10000))
    for name, text in [('METADATA', 'Metadata-Version: 2.1\\nName: video-ssl-sample\\nVersion: 1.0\\n'),
        ('WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: py3-none-manylinux_2_28_x86_64\\n'), ('RECORD', '')]:
        wheel.writestr('video_ssl_sample-1.0.dist-info/' + name, text)
`;

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').split('\0');
  } catch {
    return []; // gone meanwhile, or another user's
  }
};
/** Numbers of the processes that have a line in their environment (Linux). */
const processesWith = (line: string): string[] =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && linesOf(`/proc/${pid}/environ`).includes(line));
const commandOf = (pid: string): string => linesOf(`/proc/${pid}/cmdline`).join(' ');

describe('a set-up that is killed, wherever', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip(); // what is left is looked for in /proc
  });
  this.timeout(1_800_000);

  for (const beginning of ['empty', 'damaged'] as const) {
    it(`leaves nothing but whole folders to the next one (${beginning})`, async () => {
      console.log(`      ${await killEverywhere(beginning, 1)} moments`);
    });
  }

  it('takes no half of an addon for the whole one', async function () {
    const library = libtensorflowFor(process.platform, process.arch);
    if (!library || !(await isLibtensorflowFetched(library))) return this.skip();
    const cache = mkdtempSync(path.join(tmpdir(), 'video-ssl-addon-'));
    const marker = `VIDEO_SSL_TEST_ADDON=${cache}`;
    const start = (): Promise<number | null> & { readonly pid: number } => {
      const child = spawn(process.execPath, [setUpProgram, 'addon', cache], {
        env: { ...process.env, VIDEO_SSL_TEST_ADDON: cache },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
      return Object.assign(ended, { pid: child.pid! });
    };
    const addons = (): string[] =>
      existsSync(path.join(cache, 'addons')) ? readdirSync(path.join(cache, 'addons')) : [];
    try {
      const first = start();
      const isCompiling = (): boolean => processesWith(marker).some((pid) => /cc1plus/.test(commandOf(pid)));
      for (let waited = 0; !isCompiling() && waited < 60_000; waited += 10) await sleep(10);
      assert.ok(isCompiling(), 'no compiler at work');
      process.kill(first.pid, 'SIGKILL');
      await first;
      assert.ok(
        addons().some((name) => name.includes('.part-')),
        addons().join(),
      );
      // Beside a compiler that the dead one left: it writes into a folder that goes, and ends.
      assert.equal(await start(), 0);
      assert.equal(addons().length, 1, addons().join());
      for (let waited = 0; processesWith(marker).length > 0 && waited < 120_000; waited += 50) await sleep(50);
      assert.deepEqual(processesWith(marker), []);
      assert.equal(addons().length, 1, addons().join());
      assert.equal(await start(), 0);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });

  it('leaves no pip behind that downloads on, and no half of a wheel to the next one', async function () {
    const python = await findPython().catch(() => undefined);
    if (python === undefined) return this.skip();
    const root = mkdtempSync(path.join(tmpdir(), 'video-ssl-pip-'));
    const wheel = path.join(root, NAME);
    await promisify(execFile)(python.command, ['-c', MAKE, wheel]);
    const bytes = readFileSync(wheel);
    // An index on this machine that hands the wheel out slowly, so that kills find it half-way.
    let slow = true;
    const server: Server = createServer((request, response) => {
      if (!request.url!.endsWith('.whl')) {
        response.setHeader('content-type', 'text/html');
        return void response.end(`<a href="/${NAME}">${NAME}</a>`);
      }
      response.setHeader('content-length', bytes.length);
      if (!slow) return void response.end(bytes);
      response.write(bytes.subarray(0, bytes.length >> 1));
      return undefined; // the other half never comes
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cache = path.join(root, 'cache');
    const request = {
      ...{ package: 'video-ssl-sample', version: '1.0', sha256: await hashFile(wheel) },
      ...{ platform: 'manylinux_2_28_x86_64', bytes: statSync(wheel).size, unpackedBytes: 4_000_000 },
      ...{ members: ['sample/include/'], cache },
    };
    const marker = `VIDEO_SSL_TEST_PIP=${root}`;
    const left = (): string[] => processesWith(marker);
    const start = () =>
      spawn(process.execPath, [setUpProgram, 'wheel', JSON.stringify(request)], {
        env: { ...process.env, PIP_INDEX_URL: address, PIP_CONFIG_FILE: '/dev/null', VIDEO_SSL_TEST_PIP: root },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const folders = (): string[] => readdirSync(path.join(cache, 'wheels'));
    const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
      new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    const gone = async (): Promise<void> => {
      for (let waited = 0; left().length > 0 && waited < 5000; waited += 50) await sleep(50);
      assert.deepEqual(left(), [], 'processes were left');
    };
    try {
      mkdirSync(cache);
      // Half of the wheel is there.
      const first = start();
      const over = ended(first);
      const hasBegun = (): boolean =>
        (readdirSync(cache, { recursive: true }) as string[]).some((name) => /pip-unpack/.test(name));
      for (let waited = 0; !hasBegun() && waited < 60_000; waited += 20) await sleep(20);
      first.kill('SIGKILL');
      await over;
      assert.ok(
        folders().some((name) => /-download-/.test(name)),
        folders().join(),
      );
      await gone();
      slow = false;
      // Half of its files are unpacked.
      const second = start();
      const unpacked = ended(second);
      const files = (): number =>
        (readdirSync(cache, { recursive: true }) as string[]).filter((name) => name.endsWith('.h')).length;
      for (let waited = 0; files() < 10 && waited < 60_000; waited += 2) await sleep(2);
      second.kill('SIGKILL');
      await unpacked;
      await gone();
      assert.equal(await ended(start()), 0);
      assert.equal(folders().length, 1, folders().join());
      assert.equal(files(), 400);
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(root, { recursive: true, force: true });
    }
  });
});
