import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const at = (name: string): string => JSON.stringify(new URL(`../../src/runtime/${name}.js`, import.meta.url).href);

/** Opens wasm in a process of its own, which must end by itself; prints the runtime's threads, those of the process's backend, and a hash. */
const program = `
import { createHash } from 'node:crypto';
import os from 'node:os';
import threads from 'node:worker_threads';
import { openRuntime } from ${at('open')};
import { tf } from ${at('tensors')};
const before = [os.cpus, threads.Worker];
const info = await openRuntime({ device: 'wasm', threads: Number(process.argv[1]) });
const values = (shape, seed) => tf.randomNormal(shape, 0, 1, 'float32', seed);
const maps = values([2, 33, 31, 16], 1);
const results = [
  tf.conv2d(maps, values([3, 3, 16, 24], 2), 1, 'same'),
  tf.conv2d(maps, values([5, 5, 16, 8], 3), 2, 'valid'),
  tf.matMul(values([301, 203], 4), values([203, 151], 5)),
  tf.maxPool(maps, 3, 2, 'same'),
  tf.exp(maps),
];
const hash = createHash('sha256');
for (const one of results) hash.update(new Uint8Array((await one.data()).slice().buffer));
const restored = os.cpus === before[0] && threads.Worker === before[1];
console.log(JSON.stringify({ threads: info.threads, restored, hash: hash.digest('hex') }));
`;

const open = async (threads: number): Promise<{ threads: number; restored: boolean; hash: string }> => {
  const args = ['--input-type=module', '-e', program, String(threads)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Awaited<ReturnType<typeof open>>;
};

describe('wasm with threads', () => {
  it('computes the same bytes with any number of them, says how many, and lets the process end', async () => {
    const one = await open(1);
    assert.deepEqual([one.threads, one.restored], [1, true]);
    for (const threads of [2, 3]) assert.deepEqual(await open(threads), { threads, restored: true, hash: one.hash });
  });

  it('takes no more than its pool has', async () => {
    assert.equal((await open(64)).threads, 8);
  });
});
