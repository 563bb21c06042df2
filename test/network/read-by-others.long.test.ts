import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { interchangePython } from '../../bench/python-venv.js';
import { architectures } from '../../src/network/build-trunk.js';
import { exportOnnx } from '../../src/network/onnx/export-onnx.js';
import { pytorchCode } from '../../src/network/pytorch-code.js';
import { readModel, saveTrunk } from '../../src/network/weights.js';
import { openRuntime } from '../../src/runtime/open.js';
import { featuresOf, networkAtRandom, noiseImages, relativeDifference } from './fixtures/network-at-random.js';

const run = promisify(execFile);
const script = path.resolve('test', 'network', 'features_torch.py');
const layers = ['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'pool5', 'fc', 'embedding'];

const floats = async (file: string): Promise<Float32Array> => {
  const bytes = await readFile(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

describe('weights read by others', () => {
  let dir: string;
  let python: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    dir = await mkdtemp(path.join(tmpdir(), 'others-'));
    python = await interchangePython();
  });
  after(() => rm(dir, { recursive: true, force: true }));

  for (const architecture of Object.keys(architectures)) {
    it(`${architecture}: the printed Python in PyTorch, and the export in onnxruntime, give the same features`, async () => {
      const trunk = networkAtRandom(architecture);
      const folder = path.join(dir, architecture);
      await mkdir(folder);
      const files = { code: 'code.py', images: 'images.f32', onnx: 'network.onnx' };
      const [code, pixels, onnx] = Object.values(files).map((name) => path.join(folder, name)) as [
        string,
        string,
        string,
      ];
      // CaffeNet takes levels of 0 to 255 less the mean.
      const images = noiseImages(2, trunk.inputSize, architecture === 'caffenet' ? 60 : 1);
      await saveTrunk(folder, trunk, null);
      await writeFile(code, pytorchCode(architecture));
      await writeFile(pixels, images);
      await writeFile(onnx, exportOnnx(await readModel(folder), layers));
      const job = path.join(folder, 'job.json');
      const side = trunk.inputSize;
      await writeFile(job, JSON.stringify([{ code, folder, onnx, images: pixels, side, layers, output: folder }]));
      await run(python, [script, job], { maxBuffer: 1 << 26 });
      const ours = featuresOf(trunk, images, layers);
      const found: string[] = [];
      for (const library of ['torch', 'onnx']) {
        let worst = 0;
        for (const layer of layers) {
          const theirs = await floats(path.join(folder, `${layer}.${library}.f32`));
          const difference = relativeDifference(theirs, ours.get(layer)!);
          assert.ok(difference < 1e-4, `${architecture} ${layer} by ${library}: ${difference}`);
          worst = Math.max(worst, difference);
        }
        found.push(`${library} ${worst.toExponential(1)}`);
      }
      console.log(
        `      ${architecture}: largest relative difference over ${layers.length} layers: ${found.join(', ')}`,
      );
      trunk.dispose();
      await rm(folder, { recursive: true });
    });
  }
});
