import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { effectiveParams } from '../../src/pipeline/params.js';
import { videoSsl } from '../../pipelines/video-ssl/index.js';
import { defaultMethods } from '../../pipelines/video-ssl/methods.js';
import { demoRun, type DemoRun } from './fixtures/demo-run.js';
import { startProgram, type ItemRow } from './fixtures/tiny-run.js';

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
    const expected = ['objects', 'scenes'].flatMap((target) =>
      defaultMethods.map((method) => `${method} on ${target}`),
    );
    assert.deepEqual([...cells].sort(), [...expected, 'no-image on scenes'].sort());
    for (const { method, seeds, values } of report.results) {
      assert.deepEqual(seeds, [1], method);
      assert.ok(values.length === 1 && values.every(Number.isFinite), `${method}: ${String(values)}`);
    }
    const markdown = readFileSync(path.join(demo.whole.work, 'report/report.md'), 'utf8');
    for (const method of defaultMethods) assert.ok(markdown.includes(method), `no ${method} in report.md`);
    assert.match(demo.out, /report\.md/, 'the run does not say where the report is');
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
      ['index second.mp4', 'mine second.mp4'].filter((name) => then.some((item) => name.startsWith(item.stage))),
    );
    assert.equal(then.length, 2);
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
    const own = { videos: demo.whole.root, images: folder('objects'), normals: folder('scenes') };
    const without = videoSsl.stages({ options: own, seed: 1, seeds: 1 });
    assert.ok(!without.some(({ name }) => name === 'synthesize'));
    for (const preset of Object.keys(videoSsl.presets)) {
      assert.equal(effectiveParams(videoSsl, without, { preset }).values.size, without.length);
    }
  });

  for (const [args, words] of [
    [['--methods', 'triplett'], /triplett.*Did you mean `triplet`/],
    [['--preset', 'smal'], /unknown preset `smal`: did you mean `small`/],
    [['--set', 'mine.minMotionPx=x'], /mine\.minMotionPx: expected .*number.*got.*x.*--set/],
    [['--set', 'mine.minMotionPX=1'], /unknown parameter `mine\.minMotionPX` in --set: did you mean `minMotionPx`/],
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
