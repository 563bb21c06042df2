import assert from 'node:assert/strict';
import { diagnose, formatDiagnosis } from '../../src/runtime/doctor.js';

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
});
