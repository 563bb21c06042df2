import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { importWeights } from '../../src/network/import/import-weights.js';
import { readTorchFile } from '../../src/network/import/torch-file.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/network/safetensors.js';
import { readModel } from '../../src/network/weights.js';
import { checkWeights } from '../../pipelines/benchmark/target-folders.js';
import { startWeights } from '../../pipelines/benchmark/start-weights.js';
import { OUTSIDE, type CaseFiles, type FuzzedReader, type HandMade } from '../fuzzing/fuzzed-reader.js';
import { parametersOf } from '../../src/network/build-trunk.js';
import { torchShape } from '../../src/network/parameters.js';
import { pickleWords as w, statePickle, storedZip, torchParts, torchSave } from './fixtures/torch-save.js';

const tensors = new Map<string, StoredTensor>([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 4, 5, 6) }],
  ['a.num_batches_tracked', { shape: [], data: Int32Array.of(7) }],
  ['none', { shape: [0, 2], data: new Float32Array(0) }],
]);

/** A safetensors file of a header as written, and data. */
const file = (header: string, data = Buffer.alloc(24), claimed = BigInt(Buffer.byteLength(header))): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed);
  return Buffer.concat([length, Buffer.from(header), data]);
};
const array = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ dtype: 'F32', shape: [2, 3], data_offsets: [0, 24], ...fields });
const deep = (open: string, close: string, levels = 1_000_000): string =>
  `${open.repeat(levels)}${close.repeat(levels)}`;

const jsonWords = ['"__proto__":', '1e999', '-1', 'null', '[[[[', '"F32"', '"I64"', '"BF16"', '"data_offsets":[0,24]', '"shape":[]', '__metadata__', '9007199254740993']; // prettier-ignore

const safetensors: FuzzedReader = {
  name: 'safetensors',
  samples: async () => [
    { name: 'three arrays', files: { 'w.safetensors': Buffer.concat(encodeSafetensors(tensors, { format: 'pt' })) } },
  ],
  dictionary: jsonWords,
  handMade: async () => {
    const cases: [string, Buffer, HandMade['expected']?][] = [
      ['a header longer than the file', file('{}', Buffer.alloc(0), 1000n)],
      ['a header of 2^64 bytes', file('{}', Buffer.alloc(0), 0xffff_ffff_ffff_ffffn)],
      ['arrays that overlap', file(`{"a":${array({})},"b":${array({})}}`)],
      ['offsets below nothing', file(`{"a":${array({ data_offsets: [-24, 0] })}}`)],
      ['offsets that turn round', file(`{"a":${array({ data_offsets: [24, 0] })}}`)],
      ['offsets beyond whole numbers', file(`{"a":${array({ data_offsets: [0, 2 ** 60] })}}`)],
      ['a shape without bounds', file(`{"a":${array({ shape: [2 ** 40, 2 ** 40] })}}`)],
      [
        'a shape of nothing by everything',
        file(`{"a":${array({ shape: [0, 2 ** 52], data_offsets: [0, 0] })}}`, Buffer.alloc(0)),
        'either',
      ],
      ['a shape of a million axes', file(`{"a":${array({ shape: Array(1_000_000).fill(2) })}}`)],
      [
        'a type a million deep',
        file(`{"a":{"dtype":${deep('[', ']')},"shape":[],"data_offsets":[0,4]}}`, Buffer.alloc(4)),
      ],
      ['a header a million deep', file(deep('[', ']'))],
      ['metadata a million deep', file(`{"__metadata__":{"x":${deep('[', ']')}}}`, Buffer.alloc(0))],
      ['a name twice', file(`{"a":${array({})},"a":${array({})}}`)],
      ['a name twice, once escaped', file(`{"a":${array({})},"\\u0061":${array({})}}`)],
      ['a prototype', file(`{"__proto__":${array({})}}`), 'either'],
      ['null for an array', file('{"a":null}')],
      ['a header that is null', file('null')],
      ['a name of a million letters', file(`{"${'a'.repeat(1_000_000)}":null}`)],
      ['numbers no computer has', file(`{"a":${array({ dtype: 'F8_E4M3' })}}`)],
    ];
    return cases.map(([name, bytes, expected]) => ({
      name,
      files: { 'w.safetensors': bytes },
      ...(expected ? { expected } : {}),
    }));
  },
  read: async (folder) => {
    decodeSafetensors(readFileSync(path.join(folder, 'w.safetensors')), 'w.safetensors');
  },
};

const small = (): Map<string, StoredTensor> =>
  new Map(
    parametersOf('small').map((spec) => {
      const shape = torchShape(spec);
      return [spec.name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }];
    }),
  );

const describe = (weights: Uint8Array, change: Readonly<Record<string, unknown>> = {}): string => {
  const sha256 = createHash('sha256').update(weights).digest('hex');
  const colours = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.2, 0.2] };
  return JSON.stringify({
    format: 1,
    architecture: 'small',
    inputSize: 96,
    ...colours,
    sha256,
    how: { method: 'x' },
    ...change,
  });
};

/** Whoever makes weights makes their hash too. */
const sealModel = (files: CaseFiles): CaseFiles => {
  const weights = Buffer.from(files['weights.safetensors'] as Uint8Array);
  const sha256 = createHash('sha256').update(weights).digest('hex');
  const text = Buffer.from(files['model.json'] as Uint8Array).toString('latin1');
  const sealed = text.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${sha256}"`);
  return { ...files, 'model.json': Buffer.from(sealed, 'latin1') };
};

const models: FuzzedReader = {
  name: 'folders of weights',
  samples: async () => {
    const weights = Buffer.concat(encodeSafetensors(small()));
    return [{ name: 'small', files: { 'weights.safetensors': weights, 'model.json': describe(weights) } }];
  },
  dictionary: [...jsonWords, '"architecture":"resnet50"', '"architecture":"__proto__"', '"mean":[]', '"std":[0,0,0]'],
  seal: sealModel,
  handMade: async () => {
    const weights = Buffer.concat(encodeSafetensors(small()));
    const cases: [string, string, HandMade['expected']?][] = [
      ['null', 'null'],
      ['a list', '[]'],
      ['a word', '"x"'],
      ['no JSON', '{'],
      ['an architecture that is a prototype', describe(weights, { architecture: '__proto__' })],
      ['an architecture that is a constructor', describe(weights, { architecture: 'constructor' })],
      ['an architecture of a million letters', describe(weights, { architecture: 'a'.repeat(1_000_000) })],
      ['a how a million deep', describe(weights).replace('{"method":"x"}', deep('[', ']'))],
      ['a spread of nothing', describe(weights, { std: [0, 0, 0] })],
      ['a side without bounds', describe(weights, { inputSize: 1e300 })],
      ['another architecture', describe(weights, { architecture: 'alexnet' })],
    ];
    return [
      ...cases.map(([name, json, expected]): HandMade => ({
        name,
        files: { 'model.json': json },
        ...(expected ? { expected } : {}),
      })),
      ...['model.json', 'weights.safetensors'].flatMap((name): HandMade[] => [
        { name: `${name} is a link out`, links: { [name]: `${OUTSIDE}/${name}` } },
        { name: `${name} is a device`, links: { [name]: '/dev/zero' } },
        { name: `${name} is a pipe`, pipes: [name] },
        { name: `${name} is a folder`, without: [name], files: { [`${name}/x`]: 'x' } },
        { name: `${name} is a hole of 3 GB`, holes: { [name]: 3e9 } },
        { name: `${name} is not there`, without: [name] },
        { name: `${name} is empty`, files: { [name]: '' } },
      ]),
    ];
  },
  read: async (folder) => {
    checkWeights('--weights', folder);
    startWeights({ init: folder });
    await readModel(folder);
  },
};

/** The same read without a look before, as `export` and later stages do. */
const readAlone: FuzzedReader = {
  ...models,
  name: 'folders of weights, unchecked',
  read: async (folder) => void (await readModel(folder)),
};

const archive = (pickle: Uint8Array, storage = Buffer.alloc(24)): Buffer => {
  const parts = torchParts(tensors);
  parts[0]![1] = Buffer.from(pickle);
  if (parts[2]) parts[2][1] = storage;
  return storedZip(parts);
};
const b = (...values: number[]): Buffer => Buffer.from(values);

const torch: FuzzedReader = {
  name: 'torch.save files',
  samples: async () => [{ name: 'archive', files: { 'w.pth': torchSave(tensors) } }],
  dictionary: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'cos\nsystem\n', '\x80\x02', '}q\0', '(', 't', 'R', 'Q', '.', 'X\xff\xff\xff\x7f', 'h\0', 'collections\nOrderedDict\n', 'data.pkl', '\x8a\xff'], // prettier-ignore
  handMade: async () => {
    // [x, x] of [x, x] of …: forty levels are a trillion values, where somebody walks them.
    const doubling = Buffer.concat([
      w.proto,
      b(0x5d),
      ...Array.from({ length: 40 }, (_, i) => Buffer.concat([b(0x71, i), b(0x68, i), b(0x86)])),
    ]);
    const cases: [string, Buffer, HandMade['expected']?][] = [
      [
        'a call of the shell',
        archive(Buffer.concat([w.proto, w.name('os', 'system'), w.mark, w.text('id'), w.tuple, w.reduce, w.stop])),
      ],
      [
        'a list that doubles, as a key',
        archive(Buffer.concat([w.proto, b(0x7d), doubling.subarray(2), b(0x4e, 0x73), w.stop])),
      ],
      [
        'a list that doubles, as a key twice',
        archive(
          Buffer.concat([
            w.proto,
            b(0x7d),
            doubling.subarray(2),
            b(0x71, 200, 0x4e, 0x73, 0x68, 200, 0x4e, 0x73),
            w.stop,
          ]),
        ),
      ],
      [
        'a list that holds itself, as a key',
        archive(Buffer.concat([w.proto, b(0x7d, 0x5d, 0x71, 0, 0x68, 0, 0x61, 0x4e, 0x73), w.stop])),
      ],
      ['a million marks', archive(Buffer.concat([w.proto, Buffer.alloc(1_000_000, '('), w.stop]))],
      [
        'a million lists in lists',
        archive(Buffer.concat([w.proto, Buffer.alloc(1_000_000, ']'), Buffer.alloc(999_999, 'a'), w.stop])),
      ],
      ['a text of 4 GB', archive(Buffer.concat([w.proto, b(0x58, 255, 255, 255, 255), w.stop]))],
      ['a whole number of 255 bytes', archive(Buffer.concat([w.proto, b(0x8a, 255), Buffer.alloc(255, 0x7f), w.stop]))],
      ['nothing', Buffer.alloc(0)],
      ['a pickle alone', statePickle(tensors)],
      ['a part that claims 4 GB', claimingPart(0xffff_fff0)],
      ['a part that claims 1 GB', claimingPart(0x4000_0000)],
      ['names that lead out', storedZip([...torchParts(tensors), ['../../outside/x', Buffer.from('x')]]), 'either'],
      ['parts called alike', storedZip([...torchParts(tensors), ...torchParts(tensors)])],
    ];
    return cases.map(([name, bytes, expected]) => ({
      name,
      files: { 'w.pth': bytes },
      ...(expected ? { expected } : {}),
    }));
  },
  read: async (folder) => {
    readTorchFile(readFileSync(path.join(folder, 'w.pth')), 'w.pth');
  },
};

/** An archive whose first part claims a size, in all its headers. */
const claimingPart = (size: number): Buffer => {
  const bytes = Buffer.from(torchSave(tensors));
  for (const [mark, at] of [
    ['PK\x03\x04', 18],
    ['PK\x01\x02', 20],
  ] as const) {
    const head = bytes.indexOf(mark, 0, 'latin1');
    bytes.writeUInt32LE(size, head + at);
    bytes.writeUInt32LE(size, head + at + 4);
  }
  return bytes;
};

const torchvision: FuzzedReader = {
  ...torch,
  name: 'torch.save files of a network',
  samples: async () => [{ name: 'small', files: { 'w.pth': torchSave(small()) } }],
  handMade: async () => [],
  read: async (folder) => {
    importWeights('small', readTorchFile(readFileSync(path.join(folder, 'w.pth')), 'w.pth'));
  },
};

/** The readers of this room that take what strangers made. */
export const readers: readonly FuzzedReader[] = [safetensors, models, readAlone, torch, torchvision];
