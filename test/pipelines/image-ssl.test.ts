import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { decodeSafetensors } from '../../src/network/safetensors.js';
import { RandomStream } from '../../src/numeric/random.js';
import { resume } from './fixtures/resume.js';
import { runFacts } from './fixtures/run-facts.js';
import { TinyRun, bareProgram } from './fixtures/tiny-run.js';

/** A folder of pictures of noise; the last of them cut off in the middle. */
const writePictures = async (folder: string, count: number): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  const random = RandomStream.of(1, 'noise');
  for (let i = 0; i < count; i++) {
    const pixels = Uint8Array.from({ length: 40 * 40 * 3 }, () => random.integer(256));
    const png = await sharp(pixels, { raw: { width: 40, height: 40, channels: 3 } })
      .png()
      .toBuffer();
    writeFileSync(path.join(folder, `${i}.png`), i === count - 1 ? png.subarray(0, png.length / 2) : png);
  }
};

type Description = { readonly sha256: string; readonly how: { readonly method: string; readonly from?: string } };

/** The folder of the trained network of a run, and what its description says. */
const trainedIn = (work: string): Description & { readonly folder: string } => {
  const files = readdirSync(work, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('model.json'));
  for (const file of files) {
    const description = JSON.parse(readFileSync(path.join(work, file), 'utf8')) as Description;
    if (description.how.method === 'rotnet') return { ...description, folder: path.dirname(path.join(work, file)) };
  }
  throw new Error(`no trained network among ${files.join()}`);
};

describe('image-ssl from the command line', function () {
  this.timeout(300_000);
  const run = new TinyRun('image-ssl');
  let killed: TinyRun | undefined;
  after(() => {
    run.remove();
    killed?.remove();
  });
  const folder = path.join(run.root, 'holiday pictures');
  const args = ['--method', 'rotnet', '--images', folder];
  before(async () => {
    await writePictures(folder, 9);
    const end = await run.run([...args, '--until', 'images']);
    assert.equal(end.code, 0, end.out + end.err);
    assert.match(end.out, /left out: .*8\.png/);
    killed = TinyRun.copyOf(run, bareProgram);
  });

  it('learns from a folder without classes, and tells which picture it could not decode', async () => {
    const end = await run.run(args);
    assert.equal(end.code, 0, end.out + end.err);
    const report = JSON.parse(readFileSync(path.join(run.work, 'report/report.json'), 'utf8')) as {
      run: { pictures: number; methods: string[] };
      warnings: string[];
      training: { method: string; steps: number; seconds: number; memoryMb: number }[];
      results: { method: string; dataset: string }[];
    };
    assert.equal(report.run.pictures, 8);
    assert.deepEqual(report.run.methods, ['random', 'rotnet']);
    assert.match(report.warnings.join(), /1 picture\(s\) to learn from could not be decoded.*8\.png/);
    const [trained] = report.training;
    assert.deepEqual([report.training.length, trained!.method, trained!.steps], [1, 'rotnet', 4]);
    assert.ok(trained!.seconds > 0 && trained!.memoryMb > 50);
    const cells = new Set(report.results.map(({ method, dataset }) => `${method} on ${dataset}`));
    for (const name of ['rotnet', 'random']) assert.ok(cells.has(`${name} on objects`), `no ${name}`);
    const markdown = readFileSync(path.join(run.work, 'report/report.md'), 'utf8');
    assert.match(markdown, /8 pictures without labels/);
    assert.ok(!/undefined|NaN/.test(markdown));
    const page = readFileSync(path.join(run.work, 'report/index.html'), 'utf8').replace(/data:[^"]*/g, '');
    assert.match(page, /Training, by method/);
    assert.ok(!/NaN|undefined|\[object/.test(page), 'something on the page is not there');
  });

  it('goes on after it was killed between files and ledger, and in the middle of a training, to the same digest', async () => {
    const until = [...args, '--until', 'pretrain'];
    assert.equal((await run.run(until)).code, 0);
    const { digest } = await runFacts(run.work);
    const first = await killed!.run(until, { VIDEO_SSL_KILL_AT: 'after rename of outputs#1' });
    assert.equal(first.signal, 'SIGKILL', first.out + first.err);
    // The child process that trains, when it is about to write its second checkpoint.
    const second = await killed!.run(until, { VIDEO_SSL_KILL_AT_CHILD: 'checkpoint:begin#2' });
    assert.equal(second.code, 1, second.out + second.err);
    assert.match(second.err, /was ended by SIGKILL[^]*the same command goes on/);
    const items = await resume(killed!, until, digest!);
    const resumed = items.map(({ notes }) => (JSON.parse(notes) as { resumedFrom?: number } | null)?.resumedFrom ?? 0);
    assert.deepEqual(
      resumed.filter((step) => step > 0),
      [2],
    );
  });

  it('trains only the new method when one is added, and another seed adds only itself', async () => {
    const before = new Map(run.items().map((item) => [item.key, item]));
    const end = await run.run([...args.slice(2), '--method', 'rotnet,isif', '--until', 'pretrain']);
    assert.equal(end.code, 0, end.out + end.err);
    const came = run.items().filter(({ key }) => !before.has(key));
    assert.deepEqual(
      came.map(({ label }) => label),
      ['isif, seed 1'],
    );
  });

  it('begins with the weights that --init names, and refuses those of another trunk', async () => {
    const own = trainedIn(run.work);
    const further = new TinyRun('image-ssl');
    try {
      const rate = ['--set', 'pretrain.learningRate=1e-12', '--until', 'pretrain'];
      const end = await further.run([...args, '--init', own.folder, ...rate]);
      assert.equal(end.code, 0, end.out + end.err);
      const continued = trainedIn(further.work);
      assert.equal(continued.how.from, own.sha256);
      const [before, after] = [own, continued].map(({ folder: dir }) => {
        const { tensors } = decodeSafetensors(readFileSync(path.join(dir, 'weights.safetensors')), 'weights');
        return tensors.get('features.0.weight')!.data as Float32Array;
      }) as [Float32Array, Float32Array];
      assert.ok(before.every((value, i) => Math.abs(value - after[i]!) < 1e-6));
      const other = await further.run([...args, '--init', own.folder, '--set', 'pretrain.architecture=resnet18-cifar']);
      assert.equal(other.code, 2);
      assert.match(other.err + other.out, /pretrain\.architecture: expected `small`, whose weights --init names/);
    } finally {
      further.remove();
    }
  });

  it('refuses a batch that the pictures do not fill, and a method that is none, before anything is trained', async () => {
    const large = await run.run([...args, '--set', 'pretrain.batchPairs=400', '--until', 'pretrain']);
    assert.equal(large.code, 2, large.out + large.err);
    assert.match(
      large.err + large.out,
      /`pretrain\.batchPairs` to be at most 16, .*8 pictures for `rotnet`, got `400`/,
    );
    const wrong = await run.run([...args, '--method', 'rotnte']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err + wrong.out, /--method .*`rotnte`: did you mean `rotnet`/);
  });
});
