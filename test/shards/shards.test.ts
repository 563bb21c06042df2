import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tar from 'tar-stream';
import type { Raster } from '../../src/numeric/raster.js';
import { decodeJpeg, encodeJpeg } from '../../src/shards/jpeg.js';
import type { PairRecord } from '../../src/shards/pair-record.js';
import { decodePair, encodePair, PairWriter, readPairs, writePairs } from '../../src/shards/pairs.js';
import { readShards, ShardError } from '../../src/shards/read-shards.js';
import type { ReadShardsOptions } from '../../src/shards/read-shards.js';
import { writeShards } from '../../src/shards/write-shards.js';
import type { ShardRecord } from '../../src/shards/write-shards.js';

const record = (key: string, files: Record<string, string>): ShardRecord => ({
  key,
  files: new Map(Object.entries(files).map(([extension, text]) => [extension, Buffer.from(text)])),
});

const picture = (shift: number): Raster => ({
  ...{ width: 64, height: 48, channels: 3 },
  data: Uint8Array.from(
    { length: 64 * 48 * 3 },
    (_, i) => 128 + 90 * Math.sin(Math.floor((i % 192) / 3) / 12 + Math.floor(i / 192) / 20 + (i % 3) + shift),
  ),
});

const box = { x: 1.5, y: 2, width: 50, height: 50 };
const pairRecord = (key: string): PairRecord => ({
  ...{
    key,
    video: 'ab'.repeat(32),
    videoLabel: 'a/b.mp4',
    workingSize: [448, 600],
    shot: 2,
    startFrame: 10,
    endFrame: 40,
  },
  ...{
    startTime: 0.4,
    endTime: 1.6,
    boxes: [box, box],
    peaks: [0.5],
    minPeak: 0.5,
    forwardBackwardIou: 0.9,
    movingShare: 0.4,
  },
  ...{ movingPointsInside: 12, points: 400, meanMotionPx: 2.5, accepted: 'it moves', untrackedBox: box },
});

describe('shards', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'shards-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string): string => path.join(folder, name);

  const readAll = async (
    shards: string[],
    options?: ReadShardsOptions,
  ): Promise<[string, Record<string, string>][]> => {
    const found: [string, Record<string, string>][] = [];
    for await (const { key, files } of readShards(shards, options)) {
      found.push([key, Object.fromEntries([...files].map(([extension, bytes]) => [extension, bytes.toString()]))]);
    }
    return found;
  };

  const handmade = async (name: string, entries: [Partial<tar.Header>, string?][]): Promise<string> => {
    const pack = tar.pack();
    for (const [header, text = ''] of entries) pack.entry(header as tar.Header, text);
    pack.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of pack) chunks.push(chunk as Buffer);
    await writeFile(at(name), Buffer.concat(chunks));
    return at(name);
  };

  it('give back what was put in, split and named for WebDataset', async () => {
    const records = Array.from({ length: 5 }, (_, i) =>
      record(`k${i}`, { json: `{"i":${i}}`, 'a.jpg': 'x'.repeat(i * 700) }),
    );
    const written = await writeShards(records, at('five'), { perShard: 2, name: 'demo' });
    assert.deepEqual(
      written.map(({ path: file, records: count }) => [path.basename(file), count]),
      [
        ['demo-000000.tar', 2],
        ['demo-000001.tar', 2],
        ['demo-000002.tar', 1],
      ],
    );
    assert.deepEqual(await readdir(at('five')), ['demo-000000.tar', 'demo-000001.tar', 'demo-000002.tar']);
    const found = await readAll(written.map(({ path: file }) => file));
    assert.deepEqual(
      found,
      records.map(({ key }, i) => [key, { 'a.jpg': 'x'.repeat(i * 700), json: `{"i":${i}}` }]),
    );
  });

  it('are the same bytes whenever and in whatever order of files they were written', async () => {
    const [one] = await writeShards([record('k', { a: '1', b: '2' })], at('one'));
    const [two] = await writeShards([record('k', { b: '2', a: '1' })], at('two'));
    assert.equal(one!.sha256, two!.sha256);
    assert.ok((await readFile(one!.path)).equals(await readFile(two!.path)));
    assert.equal(one!.bytes, (await readFile(one!.path)).length);
  });

  it('leave nothing half-written when the source fails, and refuse keys that cannot be read back', async () => {
    const failing = (async function* () {
      yield record('k', { a: '1' });
      throw new Error('the source failed');
    })();
    await assert.rejects(writeShards(failing, at('failed')), /the source failed/);
    assert.deepEqual(await readdir(at('failed')), []);
    await assert.rejects(writeShards([record('a.b', { x: '' })], at('bad')), /Expected `key`/);
    await assert.rejects(writeShards([record('../a', { x: '' })], at('bad')), /Expected `key`/);
    await assert.rejects(writeShards([record('k', { '../x': '' })], at('bad')), /Expected an extension/);
    await assert.rejects(writeShards([record('k', {})], at('bad')), /to have files/);
    await assert.rejects(writeShards([record('k', { x: '' }), record('k', { x: '' })], at('bad')), /every key once/);
    assert.deepEqual(await readdir(at('bad')), []);
  });

  it('made by others are grouped up to the first dot, folders and ./ included', async () => {
    const file = await handmade('other.tar', [
      [{ name: 'd', type: 'directory' }],
      [{ name: './d/k.1.a.jpg' }, 'A'],
      [{ name: './d/k.json' }, 'J'],
      [{ name: 'd/l.json' }, 'L'],
    ]);
    assert.deepEqual(await readAll([file]), [
      ['d/k', { '1.a.jpg': 'A', json: 'J' }],
      ['d/l', { json: 'L' }],
    ]);
  });

  const hostile: [string, [Partial<tar.Header>, string?][], RegExp][] = [
    ['a way out', [[{ name: 'a/../../k.json' }, 'x']], /leads out/],
    ['an absolute name', [[{ name: '/etc/k.json' }, 'x']], /leads out/],
    ['a symbolic link', [[{ name: 'k.json', type: 'symlink', linkname: '/etc/passwd' }]], /is a symlink/],
    ['a hard link', [[{ name: 'k.json', type: 'link', linkname: 'l.json' }]], /is a link/],
    ['a device', [[{ name: 'k.json', type: 'character-device' }]], /character-device/],
    ['an oversized entry', [[{ name: 'k.json' }, 'x'.repeat(2000)]], /2000 bytes are more than the 1000/],
    ['a name without a key', [[{ name: '.json' }, 'x']], /no key/],
    [
      'the same file twice',
      [
        [{ name: 'k.json' }, 'x'],
        [{ name: 'k.json' }, 'y'],
      ],
      /comes twice/,
    ],
    [
      'a scattered key',
      [
        [{ name: 'k.a' }, 'x'],
        [{ name: 'l.a' }, 'x'],
        [{ name: 'k.b' }, 'x'],
      ],
      /came before/,
    ],
  ];
  for (const [what, entries, message] of hostile) {
    it(`with ${what} are refused`, async () => {
      const file = await handmade('hostile.tar', entries);
      await assert.rejects(
        readAll([file], { maxEntryBytes: 1000 }),
        (error) =>
          error instanceof ShardError && message.test(error.message) && error.shard === file && error.entry !== null,
      );
    });
  }

  it('that are torn say where', async () => {
    const [shard] = await writeShards(
      Array.from({ length: 4 }, (_, i) => record(`k${i}`, { a: 'x'.repeat(3000) })),
      at('torn'),
    );
    const bytes = await readFile(shard!.path);
    // Anywhere: within an entry, within a header, between two entries, in the end mark, nothing at all.
    for (const length of [5000, 3900, 3584, bytes.length - 512, bytes.length - 100, 0]) {
      await writeFile(at('torn.tar'), bytes.subarray(0, length));
      await assert.rejects(
        readAll([at('torn.tar')]),
        (error) => error instanceof ShardError && /torn\.tar.*torn/.test(error.message),
        `${length} bytes`,
      );
    }
    const broken = Buffer.from(bytes);
    broken[3584 + 2] ^= 0xff; // in the header of the second entry
    await writeFile(at('torn.tar'), broken);
    await assert.rejects(
      readAll([at('torn.tar')]),
      (error) => error instanceof ShardError && error.entry === 'k0.a' && /right after it/.test(error.message),
    );
    // The end mark is there, the middle is not.
    await writeFile(at('torn.tar'), Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(1024)]));
    await assert.rejects(readAll([at('torn.tar')]), ShardError);
  });

  it('of pairs give back records and pictures', async () => {
    const pairs = await Promise.all(
      ['0123456789ab-10-0', '0123456789ab-10-1'].map((key, i) =>
        encodePair({ record: pairRecord(key), a: picture(i), b: picture(i + 1), u: picture(i + 2) }),
      ),
    );
    const [shard] = await writePairs(pairs, at('pairs'));
    assert.equal(path.basename(shard!.path), 'pairs-000000.tar');
    const back = [];
    for await (const pair of readPairs([shard!.path])) back.push(pair);
    assert.deepEqual(
      back.map((pair) => pair.record),
      pairs.map((pair) => pair.record),
    );
    const decoded = await decodePair(back[1]!);
    const expected = picture(2).data;
    const off =
      decoded.b.data.reduce((sum, value, i) => sum + Math.abs(value - expected[i]!), 0) / decoded.b.data.length;
    assert.ok(off < 2, `${off}`);
    assert.notDeepEqual(decoded.a.data, decoded.u.data);
  });

  it('of pairs are the same bytes when they are written as they come, and are taken back whole', async () => {
    const pairs = await Promise.all(
      ['p-1', 'p-2', 'p-3'].map((key, i) =>
        encodePair({ record: pairRecord(key), a: picture(i), b: picture(i + 0.1), u: picture(i + 1) }),
      ),
    );
    const [together] = await writePairs(pairs, at('together'), { perShard: 9 });
    const writer = new PairWriter(at('one-by-one'), { perShard: 9 });
    for (const pair of pairs) await writer.add(pair);
    assert.deepEqual(
      (await writer.close()).map(({ sha256, records }) => [sha256, records]),
      [[together.sha256, 3]],
    );
    await writer.abandon();
    assert.deepEqual(await readdir(at('one-by-one')), ['pairs-000000.tar']);
    const second = new PairWriter(at('given-up'), { perShard: 2 });
    for (const pair of pairs) await second.add(pair);
    await assert.rejects(second.add(pairs[0]), /Expected every key once, got `p-1` again/);
    await second.abandon();
    assert.deepEqual(await readdir(at('given-up')), ['pairs-000000.tar']);
    assert.deepEqual(await new PairWriter(at('none')).close(), []);
  });

  it('of pairs refuse records that do not fit', async () => {
    const pair = await encodePair({ record: pairRecord('k'), a: picture(0), b: picture(0), u: picture(0) });
    await assert.rejects(
      writePairs([{ ...pair, record: { ...pair.record, forwardBackwardIou: 2 } }], at('misfit')),
      /forwardBackwardIou/,
    );
    const wrong: [Record<string, string>, RegExp][] = [
      [{ 'a.jpg': 'x', 'b.jpg': 'x', json: JSON.stringify(pair.record) }, /k\.u\.jpg: is missing/],
      [{ 'a.jpg': 'x', 'b.jpg': 'x', 'u.jpg': 'x', json: '{"key":' }, /k\.json: is not JSON/],
      [{ 'a.jpg': 'x', 'b.jpg': 'x', 'u.jpg': 'x', json: JSON.stringify({ ...pair.record, extra: 1 }) }, /extra/],
      [
        { 'a.jpg': 'x', 'b.jpg': 'x', 'u.jpg': 'x', json: JSON.stringify({ ...pair.record, key: 'l' }) },
        /names another key, `l`/,
      ],
    ];
    for (const [files, message] of wrong) {
      const [shard] = await writeShards([record('k', files)], at('wrong'));
      await assert.rejects(
        async () => {
          for await (const _ of readPairs([shard!.path]));
        },
        (error) => error instanceof ShardError && message.test(error.message),
      );
    }
  });
});

describe('JPEG', () => {
  it('keeps pictures closely, the closer the higher the quality, and repeats its bytes', async () => {
    const expected = picture(1).data;
    const off = async (quality: number): Promise<number> => {
      const { data } = await decodeJpeg(await encodeJpeg(picture(1), quality));
      return data.reduce((sum, value, i) => sum + Math.abs(value - expected[i]!), 0) / data.length;
    };
    const [low, high] = [await off(30), await off(95)];
    assert.ok(high < 1.5 && high < low, `${low} ${high}`);
    assert.ok((await encodeJpeg(picture(3))).equals(await encodeJpeg(picture(3))));
  });

  it('decodes grey as three equal channels', async () => {
    const grey = await encodeJpeg({ width: 16, height: 8, channels: 1, data: new Uint8Array(128).fill(77) });
    const { width, height, channels, data } = await decodeJpeg(grey);
    assert.deepEqual([width, height, channels], [16, 8, 3]);
    assert.ok(data.every((value) => Math.abs(value - 77) <= 1));
  });

  it('refuses what is damaged, too large, or does not fit its size', async () => {
    const bytes = await encodeJpeg(picture(0));
    await assert.rejects(decodeJpeg(bytes.subarray(0, bytes.length / 2)));
    await assert.rejects(decodeJpeg(Buffer.from('GIF89a')), /Expected a JPEG/);
    await assert.rejects(decodeJpeg(bytes, 100), /pixel limit/);
    await assert.rejects(encodeJpeg({ ...picture(0), width: 63 }), /Expected 63 x 48 x 3 bytes/);
    await assert.rejects(encodeJpeg(picture(0), 0), /Expected `quality`/);
  });
});
