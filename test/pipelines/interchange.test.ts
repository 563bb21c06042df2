import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { addOperation } from '../../src/network/onnx/add-operation.js';
import { graphBuilder } from '../../src/network/onnx/graph-builder.js';
import { encodeOnnx } from '../../src/network/onnx/onnx-proto.js';
import { readOnnxSignature } from '../../src/network/onnx/onnx-signature.js';
import { decodeSafetensors } from '../../src/network/safetensors.js';
import { torchSave } from '../network/fixtures/torch-save.js';
import { demoRun, type DemoRun } from './fixtures/demo-run.js';
import { startProgram, TinyRun, type End } from './fixtures/tiny-run.js';

type Description = {
  readonly sha256: string;
  readonly how: { readonly method: string; readonly [key: string]: unknown };
};

const descriptionIn = (folder: string): Description =>
  JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8')) as Description;

/** The folder of a network of a run. */
const networkOf = (work: string, method: string): string => {
  const files = readdirSync(work, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^pretrain\/..\/.*model\.json$/.test(file),
  );
  const found = files
    .map((file) => path.dirname(path.join(work, file)))
    .find((folder) => descriptionIn(folder).how.method === method);
  assert.ok(found, files.join());
  return found;
};

const program = (...args: string[]): Promise<End> => startProgram(args).done;

type Row = {
  readonly task: string;
  readonly dataset: string;
  readonly protocol: string;
  readonly metric: string;
  readonly method: string;
  readonly values: readonly number[];
};

/** An encoder that gives the mean colour of pictures of `side` px. */
const meanColour = (side: number): Uint8Array => {
  const graph = graphBuilder(new Map());
  const mean = addOperation(graph, { prefix: 'a', operation: { kind: 'globalAveragePool' } }, 'x');
  const row = addOperation(graph, { prefix: 'b', operation: { kind: 'flatten' } }, mean);
  return encodeOnnx({
    ...{ irVersion: 8, opset: 17, producer: 'test', doc: '', metadata: { mean: '[0,0,0]', std: '[1,1,1]' } },
    graph: {
      ...{ name: 'means', nodes: graph.nodes, constants: [] },
      inputs: [{ name: 'x', shape: ['n', 3, side, side] }],
      outputs: [{ name: row, shape: ['n', 3] }],
    },
  });
};

describe('networks in and out, from the command line', function () {
  this.timeout(300_000);
  let demo: DemoRun;
  let run: TinyRun;
  let network: string;
  before(async () => {
    demo = await demoRun();
    run = TinyRun.copyOf(demo.whole);
    network = networkOf(run.work, 'triplet');
  });
  after(() => run.remove());

  it('a network of a run has a card beside it: what it learned from, and what the loss came to', () => {
    const card = readFileSync(path.join(network, 'README.md'), 'utf8');
    const { sha256, how } = descriptionIn(network);
    assert.match(card, /\d+ pairs? of patches from the two ends of tracks in \d+ videos?, without labels/);
    assert.ok(card.includes(how['pairs'] as string));
    assert.match(card, /4 steps\. Loss at step 4: \d\.\d{4}/);
    assert.ok(card.includes(sha256));
    assert.match(
      readFileSync(path.join(networkOf(run.work, 'random'), 'README.md'), 'utf8'),
      /Not trained: weights as drawn/,
    );
  });

  it('export writes an ONNX file, and a card with what the run measured on these weights', async () => {
    const file = path.join(run.root, 'out', 'net.onnx');
    const end = await program('export', '--weights', network, '--to', file, '--layers', 'conv5');
    assert.equal(end.code, 0, end.err);
    const { outputs, metadata } = readOnnxSignature(readFileSync(file), file);
    assert.deepEqual(
      outputs.map(({ name }) => name),
      ['conv5'],
    );
    assert.equal(metadata['sha256'], descriptionIn(network).sha256);
    const card = readFileSync(path.join(run.root, 'out', 'net.md'), 'utf8');
    assert.match(card, /\| objects \| linear\/conv5 \| top1 ↑ \| \d+\.\d \| \d+\.\d \|/);
    assert.match(card, /Measured by `npm run pipeline video-ssl/);
    assert.match(card, /\d+ pairs? of patches/);
    const again = readFileSync(file);
    assert.equal((await program('export', '--weights', network, '--to', file, '--layers', 'conv5')).code, 0);
    assert.deepEqual(readFileSync(file), again);
  });

  it('export says what is wrong with what it was given', async () => {
    const to = path.join(run.root, 'x.onnx');
    for (const [args, message] of [
      [['--to', to], /--weights/],
      [['--weights', network], /--to/],
      [['--weights', network, '--to', `${to}.pb`], /ends in \.onnx/],
      [['--weights', network, '--to', to, '--layers', 'conv9'], /--layers: Expected layers of small/],
      [['--weights', path.join(run.root, 'none'), '--to', to], /there is no/],
      [['--weights', run.root, '--to', to], /--weights: .*model\.json/],
    ] as const) {
      const end = await program('export', ...args);
      assert.equal(end.code, 2, end.err);
      assert.match(end.err, message);
    }
    assert.ok(!existsSync(to));
  });

  it('import takes a file of torch.save over, and says what became of every array', async () => {
    const { tensors } = decodeSafetensors(readFileSync(path.join(network, 'weights.safetensors')));
    const file = path.join(run.root, 'net.pth');
    writeFileSync(file, torchSave(tensors));
    const folder = path.join(run.root, 'came back');
    const end = await program('import', '--from', file, '--architecture', 'small', '--to', folder);
    assert.equal(end.code, 0, end.err);
    assert.match(end.out, /29 arrays taken/);
    const { sha256, how } = descriptionIn(folder);
    assert.equal(sha256, descriptionIn(network).sha256);
    assert.equal(how.method, 'imported');
    assert.match(readFileSync(path.join(folder, 'README.md'), 'utf8'), /taken over from `net\.pth`/);
    const twice = await program('import', '--from', file, '--architecture', 'small', '--to', folder);
    assert.equal(twice.code, 2);
    assert.match(twice.err, /folder without a network/);
  });

  it('import says what is wrong with a file, and writes nothing', async () => {
    const folder = path.join(run.root, 'nothing');
    const file = path.join(run.root, 'net.pth');
    const text = path.join(run.root, 'text.pth');
    writeFileSync(text, 'weights');
    for (const [from, architecture, message] of [
      [file, 'resnet18', /not those of resnet18[^]*features\.0\.weight: unknown/],
      [file, 'resnet', /unknown architecture `resnet`: did you mean/],
      [text, 'small', /text\.pth is no file of PyTorch weights/],
      [run.root, 'small', /no file/],
    ] as const) {
      const end = await program('import', '--from', from, '--architecture', architecture, '--to', folder);
      assert.equal(end.code, 2, end.err);
      assert.match(end.err, message);
    }
    assert.ok(!existsSync(folder));
  });

  it('an ONNX encoder and an imported folder are rows, with the values of the network that they came from', async () => {
    const [onnx, folder] = [path.join(run.root, 'out', 'net.onnx'), path.join(run.root, 'came back')];
    const means = path.join(run.root, 'means.onnx');
    writeFileSync(means, meanColour(128));
    const end = await run.run(['--weights', `${onnx},${folder},${means}`]);
    assert.equal(end.code, 0, end.out + end.err);
    assert.match(end.out, /encoder-means takes pictures of 128 px, and sees those of 96 px enlarged/);
    const { results } = JSON.parse(readFileSync(path.join(run.work, 'report', 'report.json'), 'utf8')) as {
      results: Row[];
    };
    const of = (method: string): Row[] => results.filter((row) => row.method === method);
    const [trained, encoder, imported] = ['triplet', 'encoder-net', 'imported-came back'].map(of) as [
      Row[],
      Row[],
      Row[],
    ];
    const column = ({ dataset, protocol, metric }: Row): string => [dataset, protocol, metric].join();
    assert.deepEqual(imported.map(column), trained.map(column));
    // A row of values says nothing of places.
    assert.deepEqual(new Set(of('encoder-means').map(({ task }) => task)), new Set(['classification']));
    const columns = new Set(encoder.map(column));
    for (const wanted of ['objects,knn/conv5,top1', 'objects,linear/conv5,top1', 'scenes,ridge,median']) {
      assert.ok(columns.has(wanted), [...columns].join(' '));
    }
    // What would train through it, or reads regions of other sizes, has no value.
    assert.ok(encoder.every(({ task, protocol }) => task !== 'detection' && !protocol.includes('finetuned')));
    for (const row of encoder) {
      const same = trained.find((other) => column(other) === column(row));
      assert.ok(same, column(row));
      // Features differ in their last bits: a codebook or a close vote may turn, a percentage may not move far.
      if (/^(knn|linear|ridge)/.test(row.protocol))
        assert.ok(Math.abs(row.values[0]! - same.values[0]!) < 0.5, column(row));
    }
  });
});
