import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { effectiveParams } from '../../src/pipeline/params.js';
import { defaultMethods, videoSsl } from '../../pipelines/video-ssl/index.js';
import { demoRun, type DemoRun } from './fixtures/demo-run.js';
import { decodeFrames } from '../../src/video/decode-frames.js';
import { startProgram, TinyRun, type ItemRow } from './fixtures/tiny-run.js';

type Report = {
  readonly results: readonly {
    readonly method: string;
    readonly dataset: string;
    readonly seeds: readonly number[];
    readonly values: readonly number[];
  }[];
  readonly stages: readonly { readonly name: string; readonly items: { readonly done: number } }[];
};

describe('video-ssl from the command line', function () {
  this.timeout(300_000);
  let demo: DemoRun;
  before(async () => {
    demo = await demoRun();
  });

  /** What a run did to the ledger: rows that came, as `stage label`. Fails if a row that stood was worked on again. */
  const newItems = async (work: () => Promise<void>): Promise<ItemRow[]> => {
    const before = new Map(demo.whole.items().map((item) => [item.key, item]));
    await work();
    const after = demo.whole.items();
    for (const item of after) {
      const stood = before.get(item.key);
      if (stood) assert.deepEqual({ ...item, label: '' }, { ...stood, label: '' }, `${item.label} ran again`);
    }
    return after.filter((item) => !before.has(item.key));
  };
  const succeed = async (args: readonly string[]): Promise<string> => {
    const end = await demo.whole.run(args);
    assert.equal(end.code, 0, end.out + end.err);
    return end.out;
  };

  it('runs the embedded demo to a report with a value for every method on every target', () => {
    const report = JSON.parse(readFileSync(path.join(demo.whole.work, 'report/report.json'), 'utf8')) as Report;
    const cells = new Set(report.results.map(({ method, dataset }) => `${method} on ${dataset}`));
    const expected = ['objects', 'scene-solids', 'scenes'].flatMap((target) =>
      defaultMethods.map((method) => `${method} on ${target}`),
    );
    const floors = ['hog', 'colour', 'supervised'].map((floor) => `${floor} on objects`);
    const ofRooms = ['no-image on scenes', 'hog on scenes'];
    assert.deepEqual([...cells].sort(), [...expected, ...floors, ...ofRooms].sort());
    for (const { method, seeds, values } of report.results) {
      assert.deepEqual(seeds, [1], method);
      assert.ok(values.length === 1 && values.every(Number.isFinite), `${method}: ${String(values)}`);
    }
    const markdown = readFileSync(path.join(demo.whole.work, 'report/report.md'), 'utf8');
    for (const method of defaultMethods) assert.ok(markdown.includes(method), `no ${method} in report.md`);
    assert.match(demo.out, /report\.md/, 'the run does not say where the report is');
    const page = readFileSync(path.join(demo.whole.work, 'report/index.html'), 'utf8');
    for (const kind of ['filters', 'detections', 'normals', 'neighbours', 'map']) {
      assert.match(page, new RegExp(kind, 'i'), `no ${kind} on the page`);
    }
    assert.ok(!/NaN|undefined|\[object/.test(page.replace(/data:[^"]*/g, '')), 'something on the page is not there');
  });

  it('mines pairs from the moving videos, and none from a still one or a pan', () => {
    const mined = demo.whole.rows<{ label: string; data: string }>(
      `SELECT label, data FROM items WHERE stage = 'mine' ORDER BY label`,
    );
    const pairs = mined.map(({ label, data }) => [label, (JSON.parse(data) as { pairs: number }).pairs] as const);
    assert.equal(pairs.length, 5);
    for (const [label, count] of pairs) {
      // At the tiny settings a flicker can pass for motion.
      if (label.startsWith('flicker')) continue;
      assert.ok(label.startsWith('moving') ? count > 0 : count === 0, `${label}: ${count} pairs`);
    }
  });

  it('runs nothing the second time, and comes to the same digest', async () => {
    const came = await newItems(async () => {
      const end = await demo.whole.run();
      assert.equal(end.code, 0, end.err);
      for (const line of end.out.split('\n').filter((text) => /^\w+: done/.test(text))) assert.fail(line);
      // Starting the runtime to describe it is most of it; the whole run takes ten times as long.
      assert.ok(end.seconds < Math.max(5, demo.seconds / 3), `took ${end.seconds} s, the run itself ${demo.seconds} s`);
    });
    assert.deepEqual(came, []);
    assert.equal(await demo.whole.digest(), demo.digest);
  });

  it('trains only the new seed when a seed is added', async () => {
    const came = await newItems(async () => void (await succeed(['--seeds', '2', '--until', 'pretrain'])));
    assert.deepEqual(came.map(({ label }) => label).sort(), defaultMethods.map((name) => `${name}, seed 2`).sort());
  });

  it("trains only the method whose own parameter changed, and nothing for a checkpoint's distance", async () => {
    const came = await newItems(
      async () => void (await succeed(['--set', 'pretrain.npid.temperature=0.2', '--until', 'pretrain'])),
    );
    assert.deepEqual(
      came.map(({ label }) => label),
      ['npid, seed 1'],
    );
    const none = await newItems(
      async () => void (await succeed(['--set', 'pretrain.checkpointEvery=3', '--until', 'pretrain'])),
    );
    assert.deepEqual(none, []);
  });

  it('mines only the new file of a folder of videos, and rejects broken ones with a reason', async () => {
    const folder = path.join(demo.whole.root, 'my vidéos');
    mkdirSync(path.join(folder, 'deeper'), { recursive: true });
    const rendered = readdirSync(path.join(demo.whole.work, 'synthesize'), { recursive: true }) as string[];
    const bring = (name: string, place: string): void => {
      const found = rendered.find((file) => file.endsWith(`/${name}`));
      assert.ok(found, `no ${name} among the demo's videos`);
      copyFileSync(path.join(demo.whole.work, 'synthesize', found), path.join(folder, place));
    };
    bring('moving-01.mp4', 'first.mp4');
    writeFileSync(path.join(folder, 'noise.mp4'), randomBytes(20_000));
    writeFileSync(path.join(folder, 'empty.mp4'), '');
    const args = ['--videos', folder, '--until', 'mine'];
    const came = await newItems(async () => void (await succeed(args)));
    const of = (stage: string, items: readonly ItemRow[]): string[] =>
      items.filter((item) => item.stage === stage).map(({ label, status }) => `${label} ${status}`);
    assert.deepEqual(of('index', came).sort(), ['empty.mp4 rejected', 'first.mp4 done', 'noise.mp4 rejected']);
    assert.deepEqual(of('mine', came), ['first.mp4 done']);
    for (const { label, reason } of came.filter(({ status }) => status === 'rejected')) {
      assert.match(reason ?? '', label === 'empty.mp4' ? /empty/ : /\w{3}.*\w{3}/, label);
      assert.ok(!/undefined|\[object/.test(reason ?? ''), reason ?? '');
    }
    assert.match((await demo.whole.status()).out, /1 rejected: the file is empty/);

    bring('still.mp4', 'deeper/second.mp4');
    const then = await newItems(async () => void (await succeed(args)));
    assert.deepEqual(
      then.map(({ stage, label }) => `${stage} ${path.basename(label)}`),
      then.map(({ stage }) => `${stage} second.mp4`),
    );
    assert.deepEqual(then.map(({ stage }) => stage).sort(), ['index', 'mine']);
  });

  it('refuses a target that shows frames of the videos before it mines them, unless that is meant', async () => {
    const target = path.join(demo.whole.root, 'leaky');
    const rendered = readdirSync(path.join(demo.whole.work, 'synthesize'), { recursive: true }) as string[];
    const file = path.join(
      demo.whole.work,
      'synthesize',
      rendered.find((name) => name.endsWith('/moving-01.mp4'))!,
    );
    const pictures: Buffer[] = [];
    for await (const { width, height, y } of decodeFrames(file)) {
      const raw = sharp(Buffer.from(y), { raw: { width, height, channels: 1 } });
      // Smaller, mirrored and badly compressed: still the same frame.
      if (pictures.length < 2) pictures.push(await raw.resize(160).flop().jpeg({ quality: 40 }).toBuffer());
      else break;
    }
    for (const name of ['moving', 'other']) {
      const folder = path.join(target, name);
      mkdirSync(folder, { recursive: true });
      for (const index of [0, 1]) {
        const noise = sharp(randomBytes(96 * 96 * 3), { raw: { width: 96, height: 96, channels: 3 } });
        const picture = name === 'moving' ? pictures[index]! : await noise.png().toBuffer();
        writeFileSync(path.join(folder, `${index}.png`), picture);
      }
    }
    const args = ['--images', target, '--until', 'leaks'];
    const end = await demo.whole.run(args);
    assert.equal(end.code, 2, end.out + end.err);
    assert.match(end.err, /2 target picture\(s\) are frames of videos/);
    assert.match(end.err, /leaky: .*0\.png is moving-01\.mp4 at \d+\.\d s/);
    assert.match(end.err, /leaks\.action=report/);
    assert.match(
      await succeed([...args, '--set', 'leaks.action=report']),
      /2 target picture\(s\) are frames of videos/,
    );
  });

  it('takes weights from elsewhere, averages the scores of seeds, and goes from ranking to detection and back', async () => {
    const models = demo.whole.rows<{ key: string }>(
      `SELECT key FROM items WHERE stage = 'pretrain' AND label = 'random, seed 1'`,
    );
    const [{ key }] = models as [{ key: string }];
    const weights = path.join(demo.whole.root, 'elsewhere');
    cpSync(path.join(demo.whole.work, 'pretrain', key.slice(0, 2), key), weights, { recursive: true });
    const run = TinyRun.copyOf(demo.whole);
    try {
      const end = await run.run([
        ...['--seeds', '2', '--methods', 'random,triplet', '--weights', weights],
        ...['--iterate', 'triplet:scene-solids', '--set', 'iterate.detectionSteps=2'],
        ...['--set', 'transfer.detection.ensembles=["triplet"]', '--set', 'transfer.detection.rcnnSteps=1'],
        ...[
          '--set',
          'transfer.detection.protocols=["fast-rcnn","rcnn"]',
          '--set',
          'transfer.detection.rcnnProposals=10',
        ],
      ]);
      assert.equal(end.code, 0, end.out + end.err);
      const { results } = JSON.parse(readFileSync(path.join(run.work, 'report/report.json'), 'utf8')) as Report;
      const detected = (method: string) =>
        results.filter((result) => result.method === method && result.dataset === 'scene-solids');
      for (const [method, seeds] of [
        ['triplet', 2],
        ['triplet-iterative', 2],
        ['triplet-ensemble', 1],
        ['imported-elsewhere', 2],
      ] as const) {
        const found = detected(method);
        assert.equal(found.length, 4, `${method}: AP and AP50 of two protocols`);
        for (const { values } of found) assert.ok(values.length === seeds && values.every(Number.isFinite), method);
      }
      // The same weights by another name are worth the same.
      const values = (method: string) => detected(method).map((result) => result.values[0]);
      assert.deepEqual(values('imported-elsewhere'), values('random'));
      assert.notDeepEqual(values('triplet-iterative'), values('triplet'));
    } finally {
      run.remove();
    }
  });

  it('has presets whose stages exist and whose values pass the schemas', () => {
    const stages = videoSsl.stages({ options: {}, seed: 1, seeds: 1 });
    assert.ok(Object.hasOwn(videoSsl.presets, videoSsl.defaultPreset));
    for (const preset of Object.keys(videoSsl.presets)) {
      const { values, sources } = effectiveParams(videoSsl, stages, { preset });
      assert.equal(values.size, stages.length);
      for (const [stage, params] of Object.entries(videoSsl.presets[preset]!)) {
        for (const key of Object.keys(params)) {
          assert.ok(
            [...sources.keys()].some((place) => place.startsWith(`${stage}.${key}`)),
            `${preset}: ${stage}.${key}`,
          );
        }
      }
    }
    // Presets must also hold where the demo has no part.
    const rendered = readdirSync(path.join(demo.whole.work, 'synthesize'), { recursive: true }) as string[];
    const folder = (name: string): string =>
      path.join(
        demo.whole.work,
        'synthesize',
        rendered.find((file) => path.basename(file) === name)!,
      );
    const own = { videos: demo.whole.root, images: folder('objects'), detection: folder('scenes') };
    const without = videoSsl.stages({ options: own, seed: 1, seeds: 1 });
    assert.ok(!without.some(({ name }) => name === 'synthesize'));
    for (const preset of Object.keys(videoSsl.presets)) {
      assert.equal(effectiveParams(videoSsl, without, { preset }).values.size, without.length);
    }
  });

  for (const [args, words] of [
    [['--methods', 'triplett'], /triplett.*did you mean `triplet`/],
    [['--preset', 'smal'], /unknown preset `smal`: did you mean `small`/],
    [['--set', 'mine.minMotionPx=x'], /mine\.minMotionPx: expected .*number.*got.*x.*--set/],
    [['--set', 'mine.minMotionPX=1'], /unknown parameter `mine\.minMotionPX` in --set: did you mean `minMotionPx`/],
    [['--set', 'mine.maxPoints=10'], /mine\.maxPoints: expected `minPoints` \(20\) to be at most `maxPoints` \(10\)/],
    [['--videos', '/does/not/exist'], /--videos.*`\/does\/not\/exist`: there is no `\/does`/],
    [['--images', `${process.execPath}s`], /--images.*Did you mean `[^`]*node[^`]*`/],
  ] as const) {
    it(`refuses ${args.join(' ')} as bad usage, and names what was meant`, async () => {
      const work = path.join(demo.whole.root, 'refused');
      const end = await startProgram(['video-ssl', '--work', work, ...args]).done;
      assert.equal(end.code, 2, end.out + end.err);
      assert.match(end.err, words);
      assert.ok(!/^ +at /m.test(end.err), `a stack trace is no answer:\n${end.err}`);
      assert.ok(!existsSync(path.join(work, 'synthesize')), 'it ran before it looked');
    });
  }
});
