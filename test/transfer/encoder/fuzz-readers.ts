import path from 'node:path';
import { encodeOnnx } from '../../../src/network/onnx/onnx-proto.js';
import { readEncoderFile } from '../../../src/transfer/encoder/encoder-file.js';
import { OUTSIDE, type FuzzedReader, type HandMade } from '../../fuzzing/fuzzed-reader.js';

const varint = (value: bigint): Buffer => {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest <= 127n) return Buffer.from(bytes);
  }
};
/** A field of protocol buffers: a whole number, or bytes with their length. */
const field = (id: number, content: number | bigint | string | Uint8Array): Buffer => {
  if (typeof content === 'number' || typeof content === 'bigint') {
    return Buffer.concat([varint(BigInt(id << 3)), varint(BigInt(content))]);
  }
  const bytes = Buffer.from(content as string);
  return Buffer.concat([varint(BigInt((id << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
};
const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

const dimension = (axis: number | bigint | string): Buffer =>
  field(1, typeof axis === 'string' ? field(2, axis) : field(1, axis));

const value = (name: string, shape: readonly (number | bigint | string)[]): Buffer =>
  message(field(1, name), field(2, field(1, message(field(1, 1), field(2, Buffer.concat(shape.map(dimension)))))));
const entry = (key: string, text: string): Buffer => message(field(1, key), field(2, text));
/** A constant whose values lie in another file. */
const external = (location: string): Buffer =>
  message(field(1, 1), field(2, 1), field(8, 'w'), field(13, entry('location', location)), field(14, 1));

const metadata = [
  field(14, entry('mean', '[0.4,0.4,0.4]')),
  field(14, entry('std', '[0.2,0.2,0.2]')),
  field(14, entry('input_size', '8')),
];
const inputs = (shape: readonly (number | bigint | string)[] = ['n', 3, 8, 8]): Buffer => field(11, value('x', shape));
const outputs = field(12, value('y', ['n', 4]));
const node = (...fields: Buffer[]): Buffer =>
  field(1, message(field(1, 'x'), field(2, 'y'), field(4, 'Relu'), ...fields));
const model = (graph: Buffer, more: readonly Buffer[] = metadata): Buffer =>
  message(field(1, 8), field(7, graph), ...more);

/** A tensor of another file in an attribute of a node, `levels` graphs deep. */
const hidden = (location: string, levels: number): Buffer => {
  let attribute = message(field(1, 'value'), field(5, external(location)), field(20, 4));
  for (let i = 0; i < levels; i++)
    attribute = message(field(1, 'then'), field(6, node(field(5, attribute))), field(20, 5));
  return node(field(5, attribute));
};

const sample = (): Buffer =>
  Buffer.from(
    encodeOnnx({
      ...{ irVersion: 8, opset: 17, producer: 'test', doc: '' },
      metadata: { mean: '[0.4,0.4,0.4]', std: '[0.2,0.2,0.2]', input_size: '8' },
      graph: {
        name: 'toy',
        nodes: [{ opType: 'Relu', name: 'a', input: ['x'], output: ['y'], attributes: { alpha: 1, axes: [1, 2] } }],
        constants: [{ name: 'w', dims: [2], dataType: 1, rawData: new Uint8Array(8) }],
        inputs: [{ name: 'x', shape: ['n', 3, 8, 8] }],
        outputs: [{ name: 'y', shape: ['n', 3, 8, 8] }],
      },
    }),
  );

const encoders: FuzzedReader = {
  name: 'ONNX encoders',
  samples: async () => [
    { name: 'toy', files: { 'e.onnx': sample() } },
    { name: 'raw', files: { 'e.onnx': model(message(node(), inputs(), outputs)) } },
    { name: 'weights beside it', files: { 'e.onnx': model(message(node(), field(5, external('w.bin')), inputs(), outputs)), 'w.bin': 'abcd' }, changed: ['e.onnx'] }, // prettier-ignore
    { name: 'settings beside it', files: { 'e.onnx': model(message(node(), inputs(), outputs), []), 'e.json': '{"inputSize":8,"mean":[0,0,0],"std":[1,1,1],"output":"y"}' } }, // prettier-ignore
  ],
  dictionary: ['\x0a\xff\xff\xff\xff\x0f', '\x3a\x00', '\x5a\x02', '\x62\x02', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01', '\x0b'.repeat(200), '\x72\x0c', 'location', '../w.bin', '/etc/passwd', 'input_size', '1e9', '-1', '__proto__'], // prettier-ignore
  handMade: async () => {
    const at = (location: string): Buffer => model(message(node(), field(5, external(location)), inputs(), outputs));
    const cases: [string, Buffer, HandMade['expected']?][] = [
      ...[
        '../outside/w.bin',
        '/etc/passwd',
        'sub/../../outside/w.bin',
        '',
        '.',
        'w.bin\0',
        'a'.repeat(100_000),
        '..\\w.bin',
      ].map((location): [string, Buffer] => [`weights in ${JSON.stringify(location.slice(0, 30))}`, at(location)]),
      ['weights outside, in an attribute', model(message(hidden('../outside/w.bin', 0), inputs(), outputs))],
      ['weights outside, three graphs deep', model(message(hidden('../outside/w.bin', 3), inputs(), outputs))],
      [
        'weights outside, in a function',
        model(message(node(), inputs(), outputs), [
          ...metadata,
          field(25, field(7, hidden('../outside/w.bin', 0).subarray(2))),
        ]),
      ],
      [
        'weights outside, in a sparse constant',
        model(message(node(), field(15, field(1, external('../outside/w.bin'))), inputs(), outputs)),
      ],
      [
        'weights outside, in a second graph',
        message(model(message(node(), inputs(), outputs)), field(7, field(5, external('../outside/w.bin')))),
      ],
      ['graphs a thousand deep', model(message(hidden('w.bin', 1000), inputs(), outputs))],
      ['groups a million deep', message(model(message(node(), inputs(), outputs)), Buffer.alloc(1_000_000, 0x0b))],
      [
        'five million nodes of nothing',
        model(message(Buffer.alloc(10_000_000, Buffer.from([0x0a, 0])), inputs(), outputs)),
        'either',
      ],
      [
        'five million constants of nothing',
        model(message(Buffer.alloc(10_000_000, Buffer.from([0x2a, 0])), inputs(), outputs)),
        'either',
      ],
      ['five million outputs of nothing', model(message(Buffer.alloc(10_000_000, Buffer.from([0x62, 0])), inputs()))],
      [
        'five million metadata of nothing',
        message(model(message(node(), inputs(), outputs)), Buffer.alloc(10_000_000, Buffer.from([0x72, 0]))),
        'either',
      ],
      ['a shape of five million axes', model(message(node(), inputs(Array<string>(2_000_000).fill('')), outputs))],
      ['a batch of 2^40', model(message(node(), inputs([2n ** 40n, 3, 8, 8]), outputs))],
      ['a batch below nothing', model(message(node(), inputs([-5n, 3, 8, 8]), outputs)), 'either'],
      [
        'sides without bounds',
        model(message(node(), inputs(['n', 3, 'h', 'w']), outputs), [
          ...metadata.slice(0, 2),
          field(14, entry('input_size', '1e9')),
        ]),
      ],
      [
        'sides of the file without bounds',
        model(message(node(), inputs(['n', 3, 2n ** 40n, 2n ** 40n]), outputs), metadata.slice(0, 2)),
      ],
      ['channels below nothing', model(message(node(), inputs(['n', -3n, 8, 8]), outputs)), 'either'],
      [
        'a mean that is a prototype',
        model(message(node(), inputs(), outputs), [field(14, entry('__proto__', '[1,2,3]'))]),
      ],
      [
        'a mean a million deep',
        model(message(node(), inputs(), outputs), [field(14, entry('mean', '['.repeat(1_000_000)))]),
      ],
      [
        'a name of a million letters',
        model(message(node(), field(11, value('x'.repeat(1_000_000), ['n', 3])), outputs)),
      ],
      ['nothing', Buffer.alloc(0)],
    ];
    const withWeights = { 'e.onnx': at('w.bin'), 'w.bin': 'abcd' };
    const settings = (text: string): HandMade => ({ name: `settings ${text.slice(0, 30)}`, files: { 'e.json': text } });
    return [
      ...cases.map(([name, bytes, expected]): HandMade => ({
        name,
        files: { 'e.onnx': bytes },
        ...(expected ? { expected } : {}),
      })),
      { name: 'the weights are a link out', files: withWeights, links: { 'w.bin': `${OUTSIDE}/e.onnx` } },
      { name: 'the weights are a link to the system', files: withWeights, links: { 'w.bin': '/etc/passwd' } },
      { name: 'the weights are a device', files: withWeights, links: { 'w.bin': '/dev/zero' } },
      { name: 'the weights are a pipe', files: withWeights, pipes: ['w.bin'] },
      { name: 'the weights are a folder', files: { 'e.onnx': at('sub'), 'sub/x': 'x' } },
      { name: 'the network is a pipe', pipes: ['e.onnx'] },
      { name: 'the network is a device', links: { 'e.onnx': '/dev/zero' } },
      { name: 'the network is a folder', without: ['e.onnx'], files: { 'e.onnx/x': 'x' } },
      { name: 'the network is a hole of 3 GB', holes: { 'e.onnx': 3e9 } },
      { name: 'the settings are a pipe', pipes: ['e.json'] },
      { name: 'the settings are a device', links: { 'e.json': '/dev/zero' } },
      { name: 'the settings are a link out', links: { 'e.json': `${OUTSIDE}/e.onnx` } },
      ...['null', '[]', '{"__proto__":1}', '{"inputSize":1e999}', '{"std":[0,0,0]}', '['.repeat(1_000_000)].map(
        settings,
      ),
    ];
  },
  read: async (folder) => {
    readEncoderFile(path.join(folder, 'e.onnx'));
  },
  megabytes: 400,
};

/** The readers of this room that take what strangers made. */
export const readers: readonly FuzzedReader[] = [encoders];
