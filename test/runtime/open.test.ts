import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeRuntime, openRuntime } from '../../src/runtime/open.js';

const run = promisify(execFile);
const openFile = fileURLToPath(new URL('../../src/runtime/open.js', import.meta.url));

/** Opens the runtime in a process of its own, on a machine without Python and with an empty cache. */
async function openWithoutPython(options: object, env: NodeJS.ProcessEnv = {}): Promise<{ ok: boolean; text: string }> {
  const cache = await mkdtemp(path.join(tmpdir(), 'video-ssl-open-'));
  const code = `import(${JSON.stringify(openFile)}).then(async ({ openRuntime }) => console.log(JSON.stringify(await openRuntime(${JSON.stringify(options)}))))`;
  try {
    const { stdout } = await run(process.execPath, ['-e', code], {
      env: { ...process.env, PYTHON: '/nowhere/python', VIDEO_SSL_CACHE: cache, VIDEO_SSL_REQUIRE_NATIVE: '', ...env },
    });
    return { ok: true, text: stdout };
  } catch (error) {
    return { ok: false, text: (error as { stderr: string }).stderr };
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

describe('openRuntime', () => {
  it('falls back to wasm with the reason, the remedy and the cost', async () => {
    const { ok, text } = await openWithoutPython({});
    assert.ok(ok, text);
    const info = JSON.parse(text) as Awaited<ReturnType<typeof openRuntime>>;
    assert.equal(info.backend, 'wasm');
    const lines = describeRuntime(info);
    assert.match(lines[0]!, /wasm .* on the CPU, \d+ threads?$/);
    assert.match(lines[1]!, /because: .*(Python|No native TensorFlow).*To mend it:/);
    assert.match(lines[2]!, /cost: training takes some \d+ times/);
  });

  it('refuses to fall back where the device was asked for, or native TensorFlow is required', async () => {
    const asked = await openWithoutPython({ device: 'cpu' });
    assert.ok(!asked.ok);
    assert.match(asked.text, /Expected `device` to be one that this machine has, got `cpu`/);
    const required = await openWithoutPython({}, { VIDEO_SSL_REQUIRE_NATIVE: '1' });
    assert.ok(!required.ok);
    assert.match(required.text, /VIDEO_SSL_REQUIRE_NATIVE=1 forbids the slow fallback/);
  });

  it('refuses a thread count that is none', async () => {
    await assert.rejects(
      openRuntime({ threads: 0 }),
      /Expected `threads` to be a whole number above 0, got `0` \(number\)/,
    );
  });

  it('describes native TensorFlow in one line', () => {
    const lines = describeRuntime({ backend: 'tensorflow', device: 'cpu', version: '2.21.0', threads: 2 });
    assert.deepEqual(lines, ['runtime: TensorFlow 2.21.0 on the CPU, 2 threads']);
  });
});
