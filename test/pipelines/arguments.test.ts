import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { allLayers, spatialLayers } from '../../pipelines/benchmark/params.js';
import { pretrainStage } from '../../pipelines/benchmark/stages/pretrain.js';
import { transferStage } from '../../pipelines/benchmark/stages/transfer.js';
import { pairRows } from '../../pipelines/rows/index.js';
import { videoSsl } from '../../pipelines/video-ssl/index.js';
import type { TooFewPairs } from '../../pipelines/video-ssl/too-few-pairs.js';
import { packStage } from '../../pipelines/video-ssl/stages/pack.js';
import { architectures } from '../../src/network/build-trunk.js';
import { effectiveParams } from '../../src/pipeline/params.js';
import type { FinishedItem, ItemsContext, ReduceContext, StageOutput } from '../../src/pipeline/stage.js';

describe('what video-ssl is given', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'arguments-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const stages = (options: Record<string, string>) => videoSsl.stages({ options, seed: 1, seeds: 1 });
  const refused = (options: Record<string, string>, message: RegExp): void =>
    assert.throws(() => stages(options), { name: 'UsageError', message });
  const classes = (name: string): string => {
    for (const picture of ['a/1.png', 'a/2.png', 'b/1.png', 'b/2.png']) {
      mkdirSync(path.join(folder, name, path.dirname(picture)), { recursive: true });
      writeFileSync(path.join(folder, name, picture), '');
    }
    return path.join(folder, name);
  };
  const sweep = (name: string, frames: number): string => {
    mkdirSync(path.join(folder, name), { recursive: true });
    for (let frame = 0; frame < frames; frame++) {
      for (const kind of ['color.jpg', 'depth.png'])
        writeFileSync(path.join(folder, name, `frame-00000${frame}.${kind}`), '');
    }
    return path.join(folder, name);
  };

  it('may not be two targets of one folder name, since results go by it', () => {
    const [one, two] = [classes('p1/same'), classes('p2/same')];
    refused({ images: `${one},${two}` }, new RegExp(`\`${one}\` and \`${two}\``));
    refused({ images: one, normals: sweep('p3/same', 9) }, /different folder names.*p1\/same.*p3\/same/);
    refused({ images: `${one},${one}/` }, /different folder names/);
    assert.ok(stages({ images: `${one},${classes('other')}`, normals: sweep('scenes', 9) }).length > 0);
  });

  it('may not be an empty text', () => {
    for (const flag of ['videos', 'images', 'detection', 'normals', 'weights']) {
      refused({ [flag]: '' }, new RegExp(`--${flag} .* is empty`));
      refused({ [flag]: ' ' }, /is empty/);
    }
    refused({ images: `${classes('set')},` }, /--images .* is empty/);
  });

  it('may be a folder with a comma in its name; else it is told that commas separate', () => {
    const set = classes('cats, dogs');
    assert.ok(stages({ images: set }).length > 0);
    refused({ images: path.join(folder, 'cats, docs') }, /Commas separate folders: .* is read as 2/);
  });

  it('is looked into before anything runs, by the names of its files', () => {
    refused({ images: folder }, /arguments-.*got 0 picture/);
    refused({ normals: folder }, /arguments-/);
    refused({ detection: folder }, /arguments-/);
    refused({ normals: sweep('short', 2) }, /short: too few frames\. .*got 2/);
  });

  it('may name weights from elsewhere, in folders that hold them', () => {
    refused({ weights: folder }, /--weights .*model\.json and weights\.safetensors.*has not both/);
    const weights = (name: string, description: object): string => {
      mkdirSync(path.join(folder, name), { recursive: true });
      writeFileSync(path.join(folder, name, 'weights.safetensors'), 'weights');
      writeFileSync(path.join(folder, name, 'model.json'), JSON.stringify(description));
      return path.join(folder, name);
    };
    const sha256 = createHash('sha256').update('weights').digest('hex');
    const described = { format: 1, architecture: 'small', sha256, inputSize: 96, mean: [0, 0, 0], std: [1, 1, 1] };
    const good = weights('good', described);
    assert.ok(stages({ weights: good }).length > 0);
    assert.ok(stages({ init: good }).length > 0);
    assert.throws(
      () => effectiveParams(videoSsl, stages({ init: good }), { set: ['pretrain.architecture=caffenet'] }),
      {
        name: 'UsageError',
        message: /pretrain\.architecture: expected `small`, whose weights --init names, got "?caffenet/,
      },
    );
    refused({ init: folder }, /--init to name folders with model\.json/);
    refused({ init: path.join(folder, 'none') }, /--init to name something that exists/);
    refused({ weights: weights('resnet', { ...described, architecture: 'resnet9' }) }, /`resnet9`, not one of small/);
    refused({ weights: weights('other', { ...described, sha256: '00'.repeat(32) }) }, /has sha256 .* names 0{8}/);
    refused({ weights: `${good},${weights('deeper/good', described)}` }, /different folder names/);
    writeFileSync(path.join(good, 'model.json'), '{');
    refused({ weights: good }, /model\.json: expected JSON/);
  });

  it('may ask for the iterative scheme of trained methods of the run', () => {
    assert.ok(stages({ iterate: 'triplet:scene-solids' }).some(({ name }) => name === 'iterate'));
    refused({ iterate: 'triplet' }, /--iterate to be METHOD\[,METHOD\]:NAME/);
    refused({ iterate: 'triplet:nosuch' }, /target of --iterate to be one of scene-solids, got `nosuch`/);
    refused({ iterate: 'triplett:scenes' }, /--iterate .*did you mean `triplet`/);
    refused({ iterate: 'random:scenes' }, /--iterate to name trained methods of this run, got `random`/);
    refused({ iterate: 'npid:scenes', methods: 'random,triplet' }, /trained methods of this run, got `npid`/);
  });

  it('is decoded before videos are mined', () => {
    const names = stages({ images: classes('set') }).map(({ name }) => name);
    assert.deepEqual(names.slice(0, 6), ['synthesize', 'targets', 'index', 'leaks', 'mine', 'pack']);
  });

  it('names layers that both architectures have, with maps where maps are asked for', () => {
    for (const { features, fc } of Object.values(architectures)) {
      const taps = (steps: typeof features): string[] => steps.flatMap((step) => ('tap' in step ? [step.tap] : []));
      assert.deepEqual(taps(features), [...spatialLayers]);
      assert.deepEqual([...taps(features), ...taps(fc)], [...allLayers]);
    }
  });

  for (const [set, message] of [
    [
      ['pretrain.triplet.negatives=1'],
      /^pretrain\.triplet\.negatives: expected `hardRatio` to leave a negative.*got 1/,
    ],
    [['pretrain.npid.bankMomentum=1'], /^pretrain\.npid\.bankMomentum: .* below 1, got 1/],
    [['pretrain.momentum=1'], /^pretrain\.momentum: .* below 1, got 1/],
    [['transfer.layers=["conv6"]'], /^transfer\.layers\[0\]: expected one of "conv1".*"embedding", got "conv6"/],
    [['transfer.normals.layers=["fc"]'], /^transfer\.normals\.layers\[0\]: expected one of "conv1".*got "fc"/],
    [['transfer.probes=["kmn"]'], /^transfer\.probes\[0\]: expected one of "knn".*got "kmn"/],
    [['transfer.lowShot=[1,1]'], /^transfer\.lowShot: expected each once/],
    [['targets.proposals=best'], /^targets\.proposals: expected one of "fast".*got "?best/],
    [['transfer.layers=["fc","fc"]'], /^transfer\.layers: expected each layer once, got/],
    [['pack.cachePx=1025'], /^pack\.cachePx: .*from 16 to 1024, got 1025/],
    [['mine.minMovingShare=0.9'], /^mine\.minMovingShare: expected .*\(0\.9\) to be below .*\(0\.75\), got 0\.9/],
    [['mine.maxMovingShare=0.2'], /^mine\.maxMovingShare: expected .*\(0\.25\) to be below .*\(0\.2\), got 0\.2/],
  ] as const) {
    it(`is refused at the start as ${set.join(' ')}`, () => {
      assert.throws(() => effectiveParams(videoSsl, stages({}), { set }), { name: 'UsageError', message });
    });
  }

  it('may ask for one negative where the shares leave it, or for layers in another order', () => {
    const set = ['pretrain.triplet.negatives=1', 'pretrain.triplet.hardRatio=1', 'transfer.layers=["fc","conv1"]'];
    assert.ok(effectiveParams(videoSsl, stages({}), { set }).values.size > 0);
  });

  const output = (given: Partial<StageOutput>): StageOutput => ({
    ...{ stage: '', params: {}, key: '', digest: 'd', items: [], data: null, notes: null, artefacts: [], seconds: 0 },
    ...given,
  });

  it('says the largest batch when there are fewer pairs, but not to a network that is not trained', async () => {
    const list = (methods: readonly string[]) =>
      pretrainStage(
        pairRows.filter(({ name }) => methods.includes(name)).map((row) => ({ row })),
        [1],
      ).items!({
        params: { architecture: 'small', batchPairs: 64, triplet: {}, npid: {} },
        input: () => output({ data: { pairs: 17, videos: 3, mostOfOneVideo: 9, shards: 1 } }),
      } as unknown as ItemsContext<unknown>);
    await assert.rejects(async () => list(['triplet']), {
      name: 'UsageError',
      message: /`pretrain\.batchPairs` to be at most 17.*got `64`/,
    });
    assert.equal((await list(['random'])).length, 1);
  });

  it('says the most neighbours when a target has fewer training pictures', async () => {
    const item = { label: 'few', data: { kind: 'classification', digest: 'd', train: 4 }, artefacts: [] };
    const stage = transferStage({ imported: [], iterative: false, after: ['leaks'] });
    const targets = { ...output({ items: [item as unknown as FinishedItem] }), stage: 'targets' };
    const look = (knnK: number): void => stage.foresee!(targets, { knnK, probes: ['knn'] });
    assert.throws(() => look(5), { name: 'UsageError', message: /`transfer\.knnK` to be at most 4, .* few, got `5`/ });
    look(4);
  });

  it('says why there are too few pairs: how many videos gave some, the totals by reason, and where each decision stands', async () => {
    const video = (pairs: number, decisions: Record<string, number>) =>
      ({ status: 'done', content: `${pairs}`, data: { frames: 9, pairs, decisions } }) as unknown as FinishedItem;
    const reduce = async (items: readonly FinishedItem[], refused = 0) =>
      packStage.reduce!({
        params: {},
        outputs: folder,
        input: () => output({ items }),
        finished: new Map([
          ['index', { ...output({ items: [...items, ...Array.from({ length: refused }, broken)] }), stage: 'index' }],
        ]),
      } as unknown as ReduceContext<unknown>);
    const broken = (_: unknown, i: number) =>
      ({ status: 'rejected', label: `${i}\n.mp4`, reason: 'empty' }) as unknown as FinishedItem;
    const decisions = { 'step: still': 8, 'track: lost': 0, 'track: accepted': 1 };
    await assert.rejects(reduce([video(1, decisions), video(0, { 'step: still': 4 })]), (error: Error) => {
      assert.equal(error.name, 'RunError');
      assert.match(error.message, /^1 of 2 videos gave pairs; at least 2 must/);
      assert.match(error.message, /\n {2}12 x step: still\n {2}1 x track: accepted\n/);
      assert.match(error.message, /mine\/\*\/\*\/decisions\.jsonl/);
      assert.ok(!error.message.includes('lost'));
      return true;
    });
    await assert.rejects(reduce([video(0, {})]), /0 of 1 video gave pairs;/);
    await assert.rejects(
      reduce([video(1, decisions)], 1),
      /^RunError: 1 of 1 .*\nBesides, 1 refused: 0\\n\.mp4 \(empty\)/,
    );
    await assert.rejects(reduce([], 1), /^RunError: the one video was refused: 0\\n\.mp4 \(empty\)\.\nNone gave pairs/);
    await assert.rejects(reduce([], 7), (error: Error) => {
      assert.match(error.message, /^all 7 videos were refused: 0.*, 4\\n\.mp4 \(empty\), and 2 more\.\n/);
      assert.doesNotMatch(error.message, /decisions\.jsonl|stepFrames/);
      assert.equal((error as TooFewPairs).refused.length, 7);
      return true;
    });
  });
});
