import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { architectures } from '../../src/network/build-trunk.js';
import { modelCard, sectionOfCard, type CardFacts } from '../../src/network/model-card.js';
import { pytorchCode } from '../../src/network/pytorch-code.js';
import type { ModelDescription } from '../../src/network/weights.js';

const description: ModelDescription = {
  ...{ format: 1, architecture: 'resnet18', inputSize: 224, sha256: 'ab'.repeat(32), how: null },
  ...{ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
};

const facts: CardFacts = {
  ...{ name: 'triplet, seed 1', tags: ['self-supervised-learning'], summary: 'Method: ranking.' },
  ...{ data: '7 pairs from 2 videos.', training: '60 steps. Loss at step 60: 0.4.', command: 'npm run pipeline x' },
  results: [
    ...[
      {
        dataset: 'objects',
        protocol: 'linear/conv5',
        metric: 'top1',
        higherIsBetter: true,
        value: 51.26,
        untrained: 48,
      },
    ],
    ...[{ dataset: 'rooms', protocol: 'codebook', metric: 'median', higherIsBetter: false, value: 24.5 }],
  ],
};

describe('a model card', () => {
  const card = modelCard(description, facts);

  it('has a head of YAML that hubs read', () => {
    const head = parse(card.split('---\n')[1]!) as Record<string, unknown>;
    assert.deepEqual(head, {
      license: 'other',
      license_name: 'that-of-the-training-data',
      library_name: 'pytorch',
      pipeline_tag: 'image-feature-extraction',
      tags: ['self-supervised-learning', 'video-ssl', 'resnet18'],
    });
  });

  it('says what goes in, what comes out, what it learned from, how, and what it is worth', () => {
    for (const text of [
      '224 x 224 px',
      'mean `0.485, 0.456, 0.406` and std `0.229, 0.224, 0.225`',
      '11.24 million parameters',
      '| `conv5` | 7 x 7 x 512 | 32 |',
      '| `embedding` | 128 |  |',
      '7 pairs from 2 videos.',
      'Loss at step 60: 0.4.',
      '| objects | linear/conv5 | top1 ↑ | 51.3 | 48.0 |',
      '| rooms | codebook | median ↓ | 24.5 | - |',
      'Measured by `npm run pipeline x`.',
      pytorchCode('resnet18'),
      description.sha256,
    ]) {
      assert.ok(card.includes(text), text);
    }
    assert.equal(sectionOfCard(card, 'Training data'), facts.data);
    assert.equal(sectionOfCard(card, 'Nothing'), undefined);
  });

  it('is the same for the same facts, and says so where nothing was measured', () => {
    assert.equal(modelCard(description, facts), card);
    assert.match(modelCard(description, { ...facts, results: [] }), /None were measured/);
  });

  it('beside an ONNX file says how that is run', () => {
    const onnx = { file: 'a.onnx', layers: ['conv5', 'fc'], input: 'images' };
    const beside = modelCard(description, { ...facts, onnx });
    assert.match(beside, /library_name: onnx/);
    assert.ok(beside.includes('conv5, fc = session.run(["conv5","fc"], {"images": images})'));
  });
});

describe('Python that reads weights', () => {
  const page = readFileSync(path.resolve('docs', 'weights.md'), 'utf8');
  const printed = [...page.matchAll(/```python\n(.*?)```/gs)].map(([, code]) => code!);

  for (const architecture of Object.keys(architectures)) {
    it(`of ${architecture} is printed in docs/weights.md as the long test runs it`, () => {
      assert.ok(printed.includes(pytorchCode(architecture)));
      assert.ok(page.includes(`\`${architecture}\``));
    });
  }

  it('is about twenty lines a class', () => {
    for (const architecture of Object.keys(architectures)) {
      const lines = pytorchCode(architecture)
        .split('\n')
        .filter((line) => line.trim() !== '');
      assert.ok(lines.length <= 35, `${architecture}: ${lines.length}`);
    }
  });
});
