import assert from 'node:assert/strict';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/network/safetensors.js';

const join = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

const file = (header: unknown, data: Uint8Array): Buffer => {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
};

const entry = (shape: number[], from: number, to: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe('safetensors', () => {
  const tensors = new Map<string, StoredTensor>([
    ['b', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, NaN, Infinity) }],
    ['a', { shape: [], data: Int32Array.of(-7) }],
    ['none', { shape: [0, 4], data: new Float32Array(0) }],
  ]);

  it('gives back what was written, with its strings', () => {
    const read = decodeSafetensors(join(encodeSafetensors(tensors, { format: 'pt', note: 'é' })));
    assert.deepEqual(read.metadata, { format: 'pt', note: 'é' });
    assert.deepEqual(new Map([...read.tensors].sort()), new Map([...tensors].sort()));
  });

  it('lays the file out as the format says: length, padded header, arrays by name', () => {
    const bytes = join(encodeSafetensors(tensors));
    const length = Number(bytes.readBigUInt64LE(0));
    assert.equal(length % 8, 0);
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8')) as Record<string, unknown>;
    assert.deepEqual(header['a'], entry([], 0, 4, 'I32'));
    assert.deepEqual(header['b'], entry([2, 3], 4, 28));
    assert.equal(bytes.length, 8 + length + 28);
  });

  it('gives equal bytes whatever the order in which arrays were named', () => {
    const reversed = new Map([...tensors].reverse());
    assert.deepEqual(join(encodeSafetensors(tensors)), join(encodeSafetensors(reversed)));
  });

  it('reads from a slice that is not aligned', () => {
    const bytes = join(encodeSafetensors(tensors));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    assert.equal(decodeSafetensors(shifted.subarray(1)).tensors.get('b')!.data[2], 3.5);
  });

  it('reads PyTorch counters of 64 bits where they fit 32', () => {
    const data = Buffer.alloc(8);
    data.writeBigInt64LE(-5n);
    const read = decodeSafetensors(file({ n: entry([], 0, 8, 'I64') }, data));
    assert.deepEqual(read.tensors.get('n'), { shape: [], data: Int32Array.of(-5) });
    data.writeBigInt64LE(2n ** 40n);
    assert.throws(() => decodeSafetensors(file({ n: entry([], 0, 8, 'I64') }, data)), /no 32-bit integer/);
  });

  it('refuses to write an array whose values do not fill its shape', () => {
    assert.throws(
      () => encodeSafetensors(new Map([['x', { shape: [2], data: Float32Array.of(1) }]])),
      /Expected 2 values for `x`/,
    );
  });

  const lies: [what: string, bytes: Buffer, message: RegExp][] = [
    ['a file of a few bytes', Buffer.from('abc'), /too few/],
    [
      'a header longer than the file',
      Buffer.concat([Buffer.from([255, 255, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]),
      /claims 65535 bytes/,
    ],
    ['a header of absurd length', Buffer.alloc(16, 255), /claims 18446744073709551615/],
    ['a header that is no JSON', file('{"a":', Buffer.alloc(0)), /not JSON/],
    ['a header that is no object', file('[1]', Buffer.alloc(0)), /not an object/],
    ['an unknown type', file({ x: entry([1], 0, 4, 'F99') }, Buffer.alloc(4)), /has type "F99"/],
    ['a type named like a method', file({ x: entry([1], 0, 4, 'toString') }, Buffer.alloc(4)), /has type "toString"/],
    ['a negative side', file({ x: entry([-1], 0, 4) }, Buffer.alloc(4)), /no proper shape/],
    [
      'offsets that are no pair',
      file({ x: { dtype: 'F32', shape: [1], data_offsets: [0] } }, Buffer.alloc(4)),
      /no proper data_offsets/,
    ],
    [
      'a shape larger than its bytes',
      file({ x: entry([2], 0, 4) }, Buffer.alloc(4)),
      /needs 8 bytes, its offsets give 4/,
    ],
    [
      'a shape whose size overflows',
      file({ x: entry([2 ** 40, 2 ** 40], 0, 4) }, Buffer.alloc(4)),
      /its offsets give 4/,
    ],
    ['an array behind the end', file({ x: entry([2], 0, 8) }, Buffer.alloc(4)), /ends 4 bytes behind/],
    [
      'arrays that overlap',
      file({ x: entry([2], 0, 8), y: entry([1], 4, 8) }, Buffer.alloc(8)),
      /begins at byte 4 of the data, expected 8/,
    ],
    [
      'a gap between arrays',
      file({ x: entry([1], 4, 8) }, Buffer.alloc(8)),
      /begins at byte 4 of the data, expected 0/,
    ],
    ['bytes that belong to no array', file({ x: entry([1], 0, 4) }, Buffer.alloc(5)), /1 bytes belong to no array/],
    ['metadata that is no object of strings', file({ __metadata__: { a: 1 } }, Buffer.alloc(0)), /__metadata__/],
    ['an entry that is null', file({ x: null }, Buffer.alloc(0)), /has type undefined/],
  ];
  for (const [what, bytes, message] of lies) {
    it(`refuses ${what}`, () => assert.throws(() => decodeSafetensors(bytes, 'weights.safetensors'), message));
  }
});
