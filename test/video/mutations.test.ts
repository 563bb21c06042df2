import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import { useFolder } from './fixtures.js';
import { examineAll, leftBehind, makeSeeds, setTrap, someMutants } from './mutations.js';
import type { Seeds, Trap } from './mutations.js';

describe('files that are out for harm', () => {
  const folder = useFolder();
  let trap: Trap;
  let seeds: Seeds;
  before(async () => {
    trap = await setTrap(folder.path);
    seeds = await makeSeeds(folder.path);
  });
  after(() => trap.close());

  it('would be followed by ffmpeg left to itself: the trap works', async () => {
    const { path: binary } = await findFfmpeg();
    const run = (file: string): Promise<unknown> =>
      promisify(execFile)(binary, ['-loglevel', 'error', '-i', file, '-f', 'null', '-'], { timeout: 20_000 }).catch(
        () => null,
      );
    const at = (name: string): string => path.join(folder.path, name);
    await writeFile(at('follows.ffconcat'), 'ffconcat version 1.0\nfile canary.mp4\n');
    await run(at('follows.ffconcat'));
    assert.notEqual(await trap.wasRead(), false);
    await writeFile(
      at('calls.m3u8'),
      `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nhttp://${trap.bait.host}/a.ts\n#EXT-X-ENDLIST\n`,
    );
    await promisify(execFile)(
      binary,
      ['-loglevel', 'error', '-protocol_whitelist', 'file,http,tcp', '-i', at('calls.m3u8'), '-f', 'null', '-'],
      { timeout: 20_000 },
    ).catch(() => null);
    assert.ok(trap.connections() > 0);
    await trap.wasRead();
  });

  it('are each decoded or rejected with a reason, read no other file, call nobody and leave nobody behind', async function () {
    this.timeout(240_000); // some seconds where nothing else runs
    const mutants = someMutants(seeds, trap.bait);
    const verdicts = await examineAll(mutants, trap.bait, 3);
    assert.equal(verdicts.length, mutants.length);
    assert.notEqual(await trap.wasRead(), true, 'another file was read');
    assert.equal(trap.connections(), 0);
    assert.deepEqual(await leftBehind(), []);
    const of = (name: RegExp): string => verdicts.find((verdict) => name.test(verdict.name))?.reason ?? 'none';
    assert.match(of(/^wide-60000x16/), /60000 x 16 are longer than/);
    assert.match(of(/^wide-60000x60000/), /60000 x 60000 are larger than can/);
    assert.match(of(/^endless-line/), /one line without end/);
    assert.match(of(/^m3u8-relative/), /playlist \(m3u8\)/);
    for (const { name, kind, status } of verdicts)
      if (kind === 'script' && !/^(gab2|alias)/.test(name)) assert.equal(status, 'rejected', name);
  });
});
