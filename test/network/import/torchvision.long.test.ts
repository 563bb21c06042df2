import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { interchangePython } from '../../../bench/python-venv.js';
import { importCommand } from '../../../pipelines/import/index.js';
import { loadTrunk } from '../../../src/network/weights.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { featuresOf, noiseImages, relativeDifference } from '../fixtures/network-at-random.js';

const run = promisify(execFile);
const script = path.resolve('test', 'network', 'import', 'torchvision_files.py');

/** Where torchvision's networks have our layers, in evaluation. */
const residual = { conv1: 'relu', conv2: 'layer1', conv3: 'layer2', conv4: 'layer3', conv5: 'layer4', fc: 'flatten' };
const nodes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  alexnet: {
    ...{ conv1: 'features.1', conv2: 'features.4', conv3: 'features.7', conv4: 'features.9', conv5: 'features.11' },
    ...{ pool5: 'features.12', fc: 'classifier.2' },
  },
  vgg16: {
    ...{ conv1: 'features.3', conv2: 'features.8', conv3: 'features.15', conv4: 'features.22', conv5: 'features.29' },
    ...{ pool5: 'features.30', fc: 'classifier.1' },
  },
  resnet18: residual,
  resnet50: residual,
};

const side = 224;

describe("torchvision's own files", () => {
  let dir: string;
  let python: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    dir = await mkdtemp(path.join(tmpdir(), 'torchvision-'));
    python = await interchangePython();
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
    dir = await mkdtemp(path.join(tmpdir(), 'torchvision-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  for (const [architecture, layers] of Object.entries(nodes)) {
    it(`${architecture}: imported from every format, it gives torchvision's features`, async () => {
      const pixels = noiseImages(2, side);
      const [job, images] = ['job.json', 'images.f32'].map((name) => path.join(dir, name)) as [string, string];
      await writeFile(images, pixels);
      await writeFile(job, JSON.stringify({ architecture, images, side, layers, output: dir }));
      await run(python, [script, job], { maxBuffer: 1 << 26 });
      const hashes = new Set<string>();
      let worst = 0;
      for (const kind of ['pth', 'before16.pth', 'channels-last.pth', 'safetensors']) {
        const file = `weights.${kind}`;
        const to = path.join(dir, `from ${file}`);
        const lines: string[] = [];
        const options = { from: path.join(dir, file), architecture, to };
        await importCommand.run(options, (line) => void lines.push(line), new AbortController().signal);
        assert.match(lines.join('\n'), /left out: the classifier/);
        assert.match(lines.join('\n'), /drawn at random/);
        const { trunk, description } = await loadTrunk(to);
        hashes.add(description.sha256);
        // The same weights give the same features: once is enough.
        for (const [layer, ours] of hashes.size > 1 || file !== 'weights.pth'
          ? []
          : featuresOf(trunk, pixels, Object.keys(layers))) {
          const bytes = await readFile(path.join(dir, `${layer}.f32`));
          const theirs = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
          const difference = relativeDifference(ours, theirs);
          assert.ok(difference < 1e-4, `${architecture} ${layer}: ${difference}`);
          worst = Math.max(worst, difference);
        }
        trunk.dispose();
        await rm(to, { recursive: true });
      }
      assert.equal(hashes.size, 1, 'the formats give other weights');
      assert.ok(worst > 0);
      console.log(
        `      ${architecture}: largest relative difference over ${Object.keys(layers).length} layers: ${worst.toExponential(1)}`,
      );
    });
  }
});
