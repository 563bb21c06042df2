import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compare } from '../../pipelines/compare/index.js';
import { imageSsl } from '../../pipelines/image-ssl/index.js';
import { imageMethods } from '../../pipelines/methods/index.js';
import { comparedRows, findRow, pairRows, pictureRows } from '../../pipelines/rows/index.js';
import { variantOf } from '../../pipelines/rows/variants.js';
import { pretrainParams, type PretrainParams } from '../../pipelines/benchmark/params.js';
import { scaling } from '../../pipelines/scaling/index.js';
import { axesOf, pointsOf, variantAt } from '../../pipelines/scaling/grid.js';
import { effectiveParams } from '../../src/pipeline/params.js';
import type { Pipeline } from '../../src/pipeline/pipeline.js';

describe('what the pipelines on pictures are given', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'pictures-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const stagesOf = (pipeline: Pipeline, options: Record<string, string>): string[] =>
    pipeline.stages({ options, seed: 1, seeds: 1 }).map(({ name }) => name);
  const refused = (pipeline: Pipeline, options: Record<string, string>, message: RegExp): void =>
    assert.throws(() => stagesOf(pipeline, options), { name: 'UsageError', message });
  const write = (names: readonly string[]): string => {
    for (const name of names) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), '');
    }
    return folder;
  };
  const classes = (): string => write(['a/1.png', 'a/2.png', 'b/1.png', 'b/2.png']);

  it('may be pictures with classes, which are then a target: the demo is not rendered', () => {
    assert.deepEqual(stagesOf(imageSsl, { images: classes() }), [
      ...['targets', 'images', 'pretrain', 'transfer', 'report'],
    ]);
  });

  it('may be pictures without classes: the features are tried on the demo', () => {
    const names = stagesOf(imageSsl, { images: write(['1.png', '2.png', 'deeper/3.png']) });
    assert.deepEqual(names.slice(0, 3), ['synthesize', 'targets', 'images']);
  });

  it('may be nothing: every pipeline has its demo, and its presets name parameters that there are', () => {
    for (const pipeline of [imageSsl, compare, scaling]) {
      const stages = pipeline.stages({ options: {}, seed: 1, seeds: 1 });
      for (const preset of Object.keys(pipeline.presets)) {
        const { values } = effectiveParams(pipeline, stages, { preset });
        assert.equal(values.size, stages.length);
        pipeline.check!(values);
      }
    }
  });

  it('may not set what only rows that were left out would use', () => {
    const set = (methods: string, text: string) => () =>
      effectiveParams(compare, compare.stages({ options: { methods }, seed: 1, seeds: 1 }), { set: [text] });
    assert.throws(set('simclr', 'mine.minMotionPx=0.7'), /stage `mine` in --set is no part of this run/);
    assert.throws(set('triplet', 'images.maxImages=100'), /stage `images` in --set is no part of this run/);
    set('simclr,triplet', 'mine.minMotionPx=0.7')();
  });

  it('is refused where a folder or a name is not there', () => {
    refused(imageSsl, { images: path.join(folder, 'none') }, /--images .*there is no/);
    refused(imageSsl, { images: write(['1.png']) }, /at least 2 pictures .*got 1/);
    refused(imageSsl, { targets: write(['2.png']) }, /expected train\/<class>/);
    refused(imageSsl, { method: 'simclear' }, /--method .*`simclear`: did you mean `simclr`/);
    refused(compare, { methods: 'simclr,simclr' }, /--methods to name each row once, got `simclr` twice/);
    refused(compare, { methods: 'all,simclr' }, /--methods to be `all` alone or names of rows, got `all,simclr`/);
    refused(compare, { methods: 'simclr,simclr-trucks' }, /`simclr-trucks`: did you mean `simclr-tracks`/);
    refused(compare, { videos: path.join(folder, 'none') }, /--videos .*there is no/);
    refused(scaling, { method: 'jigsaw,rotnet' }, /--method to name one method, got `jigsaw,rotnet`/);
    refused(scaling, { method: 'rotnet', hardness: '5' }, /no --hardness for rotnet.*got `5`/);
    refused(scaling, { pictures: '100,many' }, /--pictures .*got `many`/);
    refused(scaling, { pictures: '10.5' }, /--pictures to be whole numbers, got `10.5`/);
    refused(scaling, { pictures: '10,10' }, /--pictures to name each value once/);
    refused(scaling, { hardness: '2.5' }, /--hardness to be values of jigsaw\.permutations, got `2\.5`/);
    refused(scaling, { hardness: '400000' }, /--hardness .*got `400000`/);
    refused(scaling, { trunks: 'resnet' }, /--trunks to name some of small, .*got `resnet`/);
  });

  it('is refused where it would learn from what it is tested on', () => {
    const stages = imageSsl.stages({ options: { images: classes() }, seed: 1, seeds: 1 });
    const { values } = effectiveParams(imageSsl, stages, { set: ['targets.testShare=0.2'] });
    assert.throws(() => imageSsl.check!(values), {
      name: 'UsageError',
      message: /`images\.testShare` and `targets\.testShare` to be equal.*got `0\.4` and `0\.2`/,
    });
  });

  it('is held against the untrained network, asked for or not', () => {
    for (const methods of ['simclr', 'triplet']) {
      const stages = compare.stages({ options: { methods }, seed: 1, seeds: 1 });
      const found = stages.find(({ name }) => name === 'pretrain')!;
      assert.deepEqual(found.inputs, [methods === 'simclr' ? 'images' : 'pack']);
    }
  });

  it('has the two ends of tracks as views only for methods that compare views', () => {
    const names = pairRows.map(({ name }) => name);
    assert.ok(names.includes('simclr-tracks-plain') && names.includes('rotnet-tracks'));
    assert.ok(!names.includes('rotnet-tracks-plain') && !names.includes('npid-tracks-plain'));
  });

  it('says under its name which parameter of a method does not fit the others, or the data, before anything is trained', () => {
    const check = (name: string, own: object, samples = 48) =>
      findRow(name, 'images').training!.check!(pretrainParams.parse({ [name]: own }) as PretrainParams, 96, samples);
    assert.throws(() => check('deepcluster', { clusters: 100 }), /`clusters` to be at most the 48 samples.*got `100`/);
    assert.throws(() => check('deepcluster-v2', { clusters: 100 }), /`clusters` to be at most the 48 samples/);
    assert.throws(() => check('cpc-v2', { firstStep: 4, lastStep: 2 }), RangeError);
    for (const { name } of imageMethods) check(name, {});
  });

  it('mines videos for `compare` only where a row learns from pairs', () => {
    assert.ok(stagesOf(compare, {}).includes('mine'));
    assert.ok(!stagesOf(compare, { methods: 'random,simclr' }).includes('mine'));
    assert.ok(!stagesOf(compare, { methods: 'triplet,simclr-tracks' }).includes('images'));
  });

  it('may be `all`: no two rows of one name, and each can be found again by a worker', () => {
    for (const rows of [pairRows, pictureRows, comparedRows]) {
      assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
      for (const { name, learnsFrom } of rows) assert.equal(findRow(name, learnsFrom).name, name);
    }
    assert.equal(pictureRows.length, imageMethods.length + 1);
    assert.ok(stagesOf(compare, { methods: 'all' }).length > 0);
  });

  it('gives every row about the same number of image draws a step', () => {
    const params = pretrainParams.parse({ batchPairs: 64 }) as PretrainParams;
    const setting = { inputSize: 96 };
    for (const method of imageMethods) {
      const own = method.params.parse({});
      const each =
        method.imagesPerSample?.(own, setting) ??
        method.views(own, setting).reduce((sum, { size = 96 }) => sum + (size / 96) ** 2, 0);
      const drawn = findRow(method.name, 'images').training!.batchSize(params, 96) * each;
      assert.ok(Math.abs(drawn / 128 - 1) < 0.03, `${method.name} draws ${drawn} images a step, not 128`);
    }
  });

  it('makes a point of a study out of a row: its name, trunk, pictures and hardness, and its own identity', () => {
    const method = imageMethods.find(({ name }) => name === 'jigsaw')!;
    const axes = axesOf({ pictures: '20,10', trunks: 'small', hardness: '5,7' }, method);
    const points = pointsOf(axes);
    assert.deepEqual(
      points.map((point) => variantAt(method, point).name),
      [5, 7].flatMap((count) => [10, 20].map((n) => `jigsaw, ${n} pictures, small, ${count} permutations`)),
    );
    const params = pretrainParams.parse({}) as PretrainParams;
    const row = findRow('jigsaw', 'images');
    const changed = variantOf(row, variantAt(method, points[0]!));
    assert.equal((row.own(params) as { permutations: number }).permutations !== 5, true);
    assert.equal((changed.own(params) as { permutations: number }).permutations, 5);
    assert.equal(changed.architecture, 'small');
  });
});
