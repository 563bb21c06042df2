import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import { buildTrunk } from '../../../src/network/build-trunk.js';
import { addOperation } from '../../../src/network/onnx/add-operation.js';
import { exportOnnx } from '../../../src/network/onnx/export-onnx.js';
import { graphBuilder } from '../../../src/network/onnx/graph-builder.js';
import { encodeOnnx } from '../../../src/network/onnx/onnx-proto.js';
import { readOnnxSignature } from '../../../src/network/onnx/onnx-signature.js';
import { readModel, saveTrunk } from '../../../src/network/weights.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf } from '../../../src/runtime/tensors.js';
import { readEncoderFile } from '../../../src/transfer/encoder/encoder-file.js';
import { encoderLayer, openEncoder } from '../../../src/transfer/encoder/onnx-encoder.js';
import { checkOnnxruntime } from '../../../src/transfer/encoder/onnx-session.js';
import { readFeatures } from '../../../src/transfer/features/read-features.js';

type Toy = {
  readonly input?: readonly (number | string)[];
  readonly output?: readonly (number | string)[];
  readonly flat?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
};

/** `max(x, 0)`, as a map or flattened. */
const toy = ({ input = ['n', 3, 4, 4], output, flat = false, metadata = {} }: Toy = {}): Uint8Array => {
  const graph = graphBuilder(new Map());
  const rectified = addOperation(graph, { prefix: 'a', operation: { kind: 'relu' } }, 'x');
  const last = flat ? addOperation(graph, { prefix: 'b', operation: { kind: 'flatten' } }, rectified) : rectified;
  return encodeOnnx({
    ...{ irVersion: 8, opset: 17, producer: 'test', doc: '', metadata },
    graph: {
      ...{ name: 'toy', nodes: graph.nodes, constants: [], inputs: [{ name: 'x', shape: input }] },
      outputs: [{ name: last, shape: output ?? (flat ? ['n', 48] : ['n', 3, 4, 4]) }],
    },
  });
};

const plain = { mean: [0, 0, 0], std: [1, 1, 1] };

describe('an ONNX encoder', () => {
  let dir: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    dir = await mkdtemp(path.join(tmpdir(), 'encoder-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const place = async (name: string, bytes: Uint8Array, settings?: object | string): Promise<string> => {
    const file = path.join(dir, `${name}.onnx`);
    await writeFile(file, bytes);
    if (settings !== undefined) {
      await writeFile(
        path.join(dir, `${name}.json`),
        typeof settings === 'string' ? settings : JSON.stringify(settings),
      );
    }
    return file;
  };

  const pictures = pixelCacheOf(
    Array.from({ length: 5 }, (_, i) => {
      const random = RandomStream.of(i, 'pixels');
      return {
        ...{ width: 96, height: 96, channels: 3 as const },
        data: Uint8Array.from({ length: 96 * 96 * 3 }, () => random.uniform(0, 256)),
      };
    }),
  );

  it('gives the features of the trunk that it was exported from, rows and maps', async () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1) });
    const folder = path.join(dir, 'small');
    await saveTrunk(folder, trunk, null);
    const model = await readModel(folder);
    for (const layer of ['conv5', 'fc']) {
      const file = await place(layer, exportOnnx(model, [layer]));
      const encoder = openEncoder(readEncoderFile(file), 1);
      const before = tf.memory().numTensors;
      const read = { batch: 2 };
      const theirs = readFeatures(encoder, pictures, [{ layer: encoderLayer }], read).get(encoderLayer)!;
      assert.equal(tf.memory().numTensors, before);
      const ours = readFeatures(trunk, pictures, [{ layer }], read).get(layer)!;
      assert.equal(theirs.dim, ours.dim);
      theirs.data.forEach((value, i) => assert.ok(Math.abs(value - ours.data[i]!) < 1e-4, `${layer} ${i}`));
      const { height, channels, stride, offset } = encoder.layers[0]!;
      if (layer === 'conv5')
        assert.deepEqual({ height, channels, stride, offset }, { height: 6, channels: 128, stride: 16, offset: 8 });
      else assert.deepEqual(encoder.layers, [{ name: encoderLayer, channels: 512 }]);
      encoder.dispose();
    }
    trunk.dispose();
  });

  it('whose batch is fixed runs in passes of that size', async () => {
    const file = await place('fixed', toy({ input: [2, 3, 4, 4], output: [2, 48], flat: true }), plain);
    const encoder = openEncoder(readEncoderFile(file), 1);
    const values = Float32Array.from({ length: 3 * 48 }, (_, i) => (i % 5) - 2);
    const found = encoder.features(tf.tensor4d(values, [3, 4, 4, 3]), [encoderLayer], 'eval')[encoderLayer]!;
    assert.deepEqual(found.shape, [3, 48]);
    // Flattened channels first.
    const data = found.dataSync();
    for (let i = 0; i < values.length; i++) {
      const [picture, place, channel] = [Math.floor(i / 48), Math.floor((i % 48) / 3), i % 3];
      assert.equal(data[picture * 48 + channel * 16 + place], Math.max(0, values[i]!));
    }
    encoder.dispose();
  });

  it('takes its settings from the JSON beside it, from its metadata, or from its shapes, in this order', async () => {
    const metadata = { mean: '[0.5,0.5,0.5]', std: '[0.25,0.25,0.25]', input_size: '4' };
    const file = await place('told', toy({ metadata, input: ['n', 3, 'h', 'w'] }));
    const first = readEncoderFile(file);
    assert.deepEqual(
      [first.mean, first.std, first.inputSize, first.isMap],
      [[0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 4, true],
    );
    await place('told', toy({ metadata, input: ['n', 3, 'h', 'w'] }), { ...plain, inputSize: 8 });
    const second = readEncoderFile(file);
    assert.deepEqual([second.mean, second.inputSize], [[0, 0, 0], 8]);
    assert.notEqual(second.digest, first.digest);
    assert.equal(readEncoderFile(await place('shape', toy(), plain)).inputSize, 4);
  });

  const wrong: [what: string, bytes: () => Uint8Array, settings: object | string | undefined, message: RegExp][] = [
    ['something else', () => Buffer.from('no network'), plain, /wrong-0\.onnx is no ONNX file/],
    [
      'no mean and deviation, and says where to write them',
      () => toy(),
      undefined,
      /expected `mean` and `std` .*`wrong-1\.json` beside it, such as \{"inputSize"/,
    ],
    ['a side left open', () => toy({ input: ['n', 3, 'h', 'w'] }), plain, /`inputSize`, which it leaves open/],
    [
      'a grey input',
      () => toy({ input: ['n', 1, 4, 4] }),
      plain,
      /expected an input of float32 \[batch, 3, height, width\].*\[n, 1, 4, 4\]/,
    ],
    ['an input that is not square', () => toy({ input: ['n', 3, 4, 5] }), plain, /expected square pictures of 4 px/],
    ['tokens', () => toy({ output: ['n', 3, 16] }), plain, /expected an output of float32 .*\[n, 3, 16\]/],
    ['an output that is not there', () => toy(), { ...plain, output: 'y' }, /expected an output of a\/Relu, got `y`/],
    ['settings of unknown names', () => toy(), { ...plain, size: 4 }, /wrong-7\.json beside it: .*size/],
    ['a deviation of zero', () => toy(), { ...plain, std: [1, 0, 1] }, /std\.1/],
    ['settings that are no JSON', () => toy(), '{', /wrong-9\.json beside it/],
  ];
  for (const [i, [what, bytes, settings, message]] of wrong.entries()) {
    it(`is refused with ${what}`, async () => {
      const file = await place(`wrong-${i}`, bytes(), settings);
      assert.throws(() => readEncoderFile(file), { name: 'UsageError', message });
    });
  }

  it('of several outputs must say which', async () => {
    const trunk = buildTrunk('small-half', { random: RandomStream.of(1) });
    const folder = path.join(dir, 'half');
    await saveTrunk(folder, trunk, null);
    trunk.dispose();
    const bytes = exportOnnx(await readModel(folder), ['conv5', 'fc']);
    const file = await place('two', bytes);
    assert.throws(() => readEncoderFile(file), /expected `output`, one of conv5, fc,/);
    await place('two', bytes, { output: 'fc' });
    assert.equal(readEncoderFile(file).isMap, false);
  });

  it('that lies about its output, or cannot be run, is told by what onnxruntime says', async () => {
    const lying = readEncoderFile(await place('lying', toy({ output: ['n', 48], flat: false }), plain));
    assert.throws(() => openEncoder(lying, 1), /lying\.onnx/);
    const gone = readEncoderFile(await place('gone', toy(), plain));
    await rm(gone.file);
    assert.throws(() => openEncoder(gone, 1), /onnxruntime, .*gone\.onnx/);
  });

  it('is read for what it declares', () => {
    const { inputs, outputs, metadata, externalFiles } = readOnnxSignature(toy({ metadata: { a: 'b' } }), 'toy');
    assert.deepEqual(inputs, [{ name: 'x', isFloat32: true, shape: ['n', 3, 4, 4] }]);
    assert.deepEqual(outputs, [{ name: 'a/Relu', isFloat32: true, shape: ['n', 3, 4, 4] }]);
    assert.deepEqual(metadata, { a: 'b' });
    assert.deepEqual(externalFiles, []);
  });

  it('reports nothing to the makers of onnxruntime: no number of this machine, no database, no log', async () => {
    const [home, scratch] = [
      await mkdtemp(path.join(tmpdir(), 'home-')),
      await mkdtemp(path.join(tmpdir(), 'scratch-')),
    ];
    const file = await place('quiet', toy(), plain);
    const session = new URL('../../../src/transfer/encoder/onnx-session.js', import.meta.url).href;
    const program = `
      const { openOnnxSession } = await import(${JSON.stringify(session)});
      const opened = openOnnxSession({ file: process.argv[1], input: 'x', output: 'a/Relu', threads: 1 });
      console.log(opened.run(new Float32Array(48).fill(-1), [1, 3, 4, 4]).values.length);
      opened.close();`;
    const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program, '--', file],
      { env: { ...env, HOME: home, XDG_CACHE_HOME: path.join(home, 'cache'), TMPDIR: scratch } },
    );
    assert.equal(stdout.trim(), '48');
    assert.deepEqual([await readdir(home), await readdir(scratch)], [[], []]);
    await rm(home, { recursive: true });
    await rm(scratch, { recursive: true });
  });

  it('needs a package that is optional, and says how it is installed', () => {
    checkOnnxruntime();
    const absent = (): string => {
      throw new Error('Cannot find module');
    };
    assert.throws(() => checkOnnxruntime(absent), {
      name: 'UsageError',
      message: /npm install --no-save onnxruntime-node/,
    });
  });
});
