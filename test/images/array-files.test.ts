import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadArrays, saveArrays } from '../../src/images/array-files.js';
import { loadClasses, loadSavedNormals, saveClasses, saveNormals } from '../../src/images/target-file.js';
import { RandomStream } from '../../src/numeric/random.js';

const bytes = (count: number, seed: number): Uint8Array => {
  const random = RandomStream.of(seed);
  return Uint8Array.from({ length: count }, () => random.integer(256));
};

describe('Decoded pixels on disk', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'array-files-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('come back as they were, a view into a larger buffer and an empty array included', async () => {
    const whole = Float32Array.from({ length: 9 }, (_, i) => i / 3);
    const arrays = { part: whole.subarray(2, 5), none: new Int32Array(0), raw: Buffer.from([1, 2, 255]) };
    await saveArrays(dir, 'x', { note: 'ü' }, arrays);
    const { about, array } = await loadArrays(dir, 'x');
    assert.deepEqual(about, { note: 'ü' });
    assert.deepEqual([...array('part', 'Float32Array')], [...whole.subarray(2, 5)]);
    assert.equal(array('none', 'Int32Array').length, 0);
    assert.deepEqual([...array('raw', 'Uint8Array')], [1, 2, 255]);
  });

  it('are refused where a file is too short, or an array is of another kind', async () => {
    await saveArrays(dir, 'x', null, { values: new Int32Array(10) });
    const { array } = await loadArrays(dir, 'x');
    assert.throws(() => array('values', 'Float32Array'), /Expected x to hold Float32Array `values`, got Int32Array/);
    assert.throws(() => array('other', 'Int32Array'), /got nothing/);
    await truncate(path.join(dir, 'x.values.bin'), 39);
    await assert.rejects(loadArrays(dir, 'x'), /Expected x\.values\.bin to hold 40 bytes, got 39/);
  });

  it('hold decoded targets of both kinds', async () => {
    const part = (count: number, seed: number) => ({
      count,
      size: 2,
      pixels: bytes(count * 12, seed),
      digest: `d${seed}`,
    });
    const classes = {
      classes: ['cat', 'dog'],
      train: part(3, 1),
      trainLabels: Int32Array.of(0, 1, 1),
      test: part(2, 2),
      testLabels: Int32Array.of(1, 0),
      digest: 'classes',
    };
    await saveClasses(dir, classes);
    const loaded = await loadClasses(dir);
    assert.deepEqual([...loaded.train.pixels], [...classes.train.pixels]);
    assert.deepEqual([...loaded.testLabels], [1, 0]);
    assert.deepEqual(loaded.classes, classes.classes);
    assert.equal(loaded.test.digest, 'd2');
    assert.equal(loaded.digest, 'classes');

    const normals = {
      frames: ['0', '1'],
      colour: part(2, 3),
      width: 2,
      height: 1,
      normals: Float32Array.from({ length: 12 }, (_, i) => i / 12),
      valid: Uint8Array.of(1, 0, 1, 1),
      digest: 'normals',
    };
    await saveNormals(dir, normals);
    const again = await loadSavedNormals(dir);
    assert.deepEqual([...again.normals], [...normals.normals]);
    assert.deepEqual([...again.valid], [...normals.valid]);
    assert.deepEqual([again.width, again.height, again.frames, again.digest], [2, 1, ['0', '1'], 'normals']);
  });
});
