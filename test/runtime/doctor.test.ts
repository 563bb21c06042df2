import assert from 'node:assert/strict';
import { diagnose, formatDiagnosis, lookAtGpu } from '../../src/runtime/doctor.js';

describe('doctor', () => {
  it('names node, processor, tools and library, and says whether all is well', async () => {
    const diagnosis = await diagnose();
    const names = diagnosis.sections.flatMap(({ findings }) => findings.map(({ name }) => name));
    for (const name of ['node', 'processor', 'memory', 'cache', 'python', 'compiler', 'library'])
      assert.ok(names.includes(name), name);
    assert.equal(
      diagnosis.healthy,
      diagnosis.sections.every(({ findings }) => findings.every(({ state }) => state !== 'missing')),
    );
  });

  it('is not well when a section of another room misses something, and shows the remedy below it', async () => {
    const diagnosis = await diagnose([
      { title: 'Video', findings: [{ name: 'ffmpeg', value: 'none', state: 'missing', remedy: 'npm run setup' }] },
    ]);
    assert.equal(diagnosis.healthy, false);
    const lines = formatDiagnosis(diagnosis);
    const at = lines.findIndex((line) => line.startsWith('✗ ffmpeg'));
    assert.match(lines[at + 1]!, /to mend it: npm run setup/);
    assert.match(lines.at(-1)!, /missing/);
  });

  it('gives a remedy with whatever is missing', async () => {
    const before = process.env['PYTHON'];
    process.env['PYTHON'] = '/nowhere/python';
    try {
      const { sections } = await diagnose();
      const python = sections.flatMap(({ findings }) => findings).find(({ name }) => name === 'python')!;
      assert.notEqual(python.state, 'fine');
      assert.match(python.remedy!, /python3/);
    } finally {
      if (before === undefined) delete process.env['PYTHON'];
      else process.env['PYTHON'] = before;
    }
  });

  it('names the GPU, its driver and the build for it, with the command that brings it', async () => {
    const before = process.env['VIDEO_SSL_CACHE'];
    process.env['VIDEO_SSL_CACHE'] = '/nowhere/cache';
    try {
      const { findings } = await lookAtGpu({ state: 'ready', driver: '550.54.15', gpus: ['NVIDIA H100', 'NVIDIA L4'] });
      const told = Object.fromEntries(findings.map(({ name, value }) => [name, value]));
      assert.equal(told['gpu'], 'NVIDIA H100, NVIDIA L4');
      assert.match(told['driver']!, /550\.54\.15/);
      assert.match(told['cuda build']!, /tensorflow 2\.\d+\.\d+ is not in the cache yet; it needs [\d.]+ GB/);
      const build = findings.find(({ name }) => name === 'cuda build')!;
      assert.equal(build.state, 'note');
      assert.match(build.remedy!, /npm run setup -- --device gpu|free some space/);
    } finally {
      if (before === undefined) delete process.env['VIDEO_SSL_CACHE'];
      else process.env['VIDEO_SSL_CACHE'] = before;
    }
  });

  it('asks for nothing where there is no GPU, and names what stands in the way of one', async () => {
    const without = await lookAtGpu({ state: 'absent', reason: 'no NVIDIA driver was found' });
    for (const { state, remedy } of without.findings) assert.deepEqual([state, remedy], ['fine', undefined]);
    const old = await lookAtGpu({ state: 'unusable', reason: 'the driver is too old', remedy: 'a newer one' });
    assert.deepEqual(old.findings[0], {
      name: 'driver',
      value: 'the driver is too old',
      state: 'note',
      remedy: 'a newer one',
    });
  });
});
