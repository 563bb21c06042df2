import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { interchangePython } from '../../../bench/python-venv.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { takeValues } from '../../../src/runtime/take-values.js';
import { tf } from '../../../src/runtime/tensors.js';
import { readEncoderFile } from '../../../src/transfer/encoder/encoder-file.js';
import { encoderLayer, openEncoder } from '../../../src/transfer/encoder/onnx-encoder.js';
import { noiseImages, relativeDifference } from '../../network/fixtures/network-at-random.js';

const side = 96;
const count = 3;

describe('encoders that PyTorch exported', () => {
  let dir: string;
  const images = noiseImages(count, side);
  before(async () => {
    await openRuntime({ threads: 1 });
    dir = await mkdtemp(path.join(tmpdir(), 'exported-'));
    const [job, pixels] = ['job.json', 'images.f32'].map((name) => path.join(dir, name)) as [string, string];
    await writeFile(pixels, images);
    await writeFile(job, JSON.stringify({ images: pixels, side, output: dir }));
    const script = path.resolve('test', 'transfer', 'encoder', 'encoder_torch.py');
    await promisify(execFile)(await interchangePython(), [script, job], { maxBuffer: 1 << 26 });
    const settings = JSON.stringify({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
    for (const name of ['rows', 'map', 'outside/rows']) await writeFile(path.join(dir, `${name}.json`), settings);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const check = async (name: string, values: string): Promise<void> => {
    const encoder = openEncoder(readEncoderFile(path.join(dir, `${name}.onnx`)), 1);
    const ours = takeValues(
      () => encoder.features(tf.tensor4d(images, [count, side, side, 3]), [encoderLayer], 'eval')[encoderLayer]!,
    );
    encoder.dispose();
    const bytes = await readFile(path.join(dir, values));
    const theirs = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const difference = relativeDifference(ours, theirs);
    assert.ok(difference < 1e-4, `${name}: ${difference}`);
    console.log(`      ${name}: largest relative difference ${difference.toExponential(1)}`);
  };

  it('give its features, rows and maps', async () => {
    await check('rows', 'rows.f32');
    await check('map', 'map.f32');
  });

  it('may have their weights beside them, which count as part of them', async () => {
    await check('outside/rows', 'rows.f32');
    const file = path.join(dir, 'outside', 'rows.onnx');
    const { digest } = readEncoderFile(file);
    await appendFile(path.join(dir, 'outside', 'weights.bin'), 'x');
    assert.notEqual(readEncoderFile(file).digest, digest);
    await rm(path.join(dir, 'outside', 'weights.bin'));
    assert.throws(() => readEncoderFile(file), /its weights lie in `weights\.bin` beside it, which is not there/);
  });

  it('may not have them elsewhere', async () => {
    const file = path.join(dir, 'outside', 'rows.onnx');
    const bytes = await readFile(file);
    // The same length, so that the message stays sound.
    await writeFile(file, Buffer.from(bytes.toString('latin1').replaceAll('weights.bin', '../rows.f32'), 'latin1'));
    assert.throws(() => readEncoderFile(file), /expected weights in its own folder, got them in `\.\.\/rows\.f32`/);
  });
});
