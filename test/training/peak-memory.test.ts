import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const module = new URL('../../src/training/peak-memory.js', import.meta.url).href;

/** A process that holds 300 MB for a while, gives them back, and then watches itself holding 60 MB. */
const script = `
  const { watchPeakMemory } = await import(${JSON.stringify(module)});
  const hold = (bytes) => { const block = Buffer.alloc(bytes, 1); return block[bytes - 1]; };
  const before = watchPeakMemory();
  hold(300e6);
  before.look();
  const first = before.most();
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const after = watchPeakMemory();
  hold(60e6);
  globalThis.gc();
  console.log(JSON.stringify([first, after.most()]));
`;

describe('peak memory', () => {
  it('holds what was given back between two looks, and not what was given back before', async function () {
    if (process.platform !== 'linux') this.skip();
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...['--expose-gc', '--input-type=module', '--eval', script],
    ]);
    const [first, second] = JSON.parse(stdout) as [number, number];
    assert.ok(first > 300e6, `${first} bytes`);
    assert.ok(second > 90e6 && second < 300e6, `${second} bytes`);
  });
});
