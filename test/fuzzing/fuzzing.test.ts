import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '../../src/numeric/random.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { readers } from './fixtures/bad-readers.js';
import { fuzz } from './fuzz.js';
import { badCases } from './fuzz-tests.js';
import { unclear } from './judge-error.js';
import { changeNames, mutate } from './mutate.js';
import { noteReport } from './note-report.js';

describe('Fuzzing', () => {
  it('finds what trips, hangs, swells, dies or reaches out, and goes on behind it', async function () {
    if (process.platform !== 'linux') this.skip();
    const module = fileURLToPath(new URL('./fixtures/bad-readers.js', import.meta.url));
    const [report] = await fuzz(module, readers, 0);
    assert.deepEqual(
      report!.verdicts.map(({ name, outcome }) => [name, outcome]),
      [
        ['sample fine', 'read'],
        ['trip', 'unclear'],
        ['system', 'unclear'],
        ['spin', 'hung'],
        ['swell', 'grew'],
        ['abort', 'crashed'],
        ['reach', 'reached out'],
        ['refuse', 'refused'],
        ['refuse, though it is fine', 'unexpected'],
        ['fine, though it should be refused', 'unexpected'],
        ['a link out', 'reached out'],
        ['fine at last', 'read'],
      ],
    );
    assert.equal(badCases(report!).length, 9);
    const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-note-'));
    try {
      const file = path.join(folder, 'fuzzing.json');
      for (let times = 0; times < 2; times++) noteReport(report!, file);
      const { readers: rows } = JSON.parse(readFileSync(file, 'utf8')) as { readers: { cases: number }[] };
      assert.deepEqual(rows.map(({ cases }) => cases), [12]); // prettier-ignore
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('changes a sample in the same way for the same seed, and in every way that it knows', () => {
    const bytes = Buffer.from('{"length": 12, "name": "abc", "values": [1, 2, 3]}');
    const once = (change: string, seed: number): Buffer =>
      mutate(bytes, change, RandomStream.of(seed, change), ['word'], Buffer.from('another sample'));
    for (const change of changeNames) {
      assert.deepEqual(once(change, 1), once(change, 1));
      const different = new Set(Array.from({ length: 20 }, (_, seed) => once(change, seed).toString('latin1')));
      assert.ok(different.size > 10, `${change}: ${different.size} different of 20`);
    }
  });

  it('takes a refusal for clear only where it is one', () => {
    assert.equal(unclear(new UsageError('Expected a folder, got a file')), undefined);
    assert.equal(unclear(new Error('x.safetensors is no sound file: it ends early')), undefined);
    for (const error of [
      new TypeError('x is not iterable'),
      new RangeError('Invalid array length'),
      new Error("Cannot read properties of undefined (reading 'x')"),
      Object.assign(new Error('EISDIR: illegal operation on a directory'), { code: 'EISDIR' }),
      new Error(''),
      'a word',
    ])
      assert.notEqual(unclear(error), undefined, String(error));
  });
});
