import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ownPackage } from '../src/pipeline/own-package.js';
import { tinyArguments } from './pipelines/fixtures/tiny-run.js';

const run = promisify(execFile);
const { root, version } = ownPackage();

type Ended = { readonly code: number; readonly out: string; readonly err: string };

/** Runs a program to its end, whatever that is. npm's own variables of this test's run are taken away. */
const ended = async (
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> => {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  try {
    const { stdout, stderr } = await run(file, [...args], { cwd, env: { ...own, ...env }, maxBuffer: 1 << 26 });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout = '', stderr = String(error) } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: Number(code ?? -1), out: stdout, err: stderr };
  }
};

/** Installs the package as a user does; where no registry is to be had, with links to the packages of this checkout. */
const install = async (folder: string, tarball: string, scripts: boolean): Promise<string> => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', `--ignore-scripts=${!scripts}`, tarball];
  const { code, err } = await ended('npm', args, folder);
  if (code === 0) return 'installed by npm';
  if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(err)) throw new Error(err);
  const modules = path.join(folder, 'node_modules');
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(path.join(modules, '.bin'), { recursive: true });
  mkdirSync(path.join(modules, 'video-ssl'));
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', path.join(modules, 'video-ssl')]);
  for (const name of readdirSync(path.join(root, 'node_modules')).filter((one) => !one.startsWith('.')))
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  symlinkSync('../video-ssl/dist/src/cli.js', path.join(modules, '.bin', 'video-ssl'));
  execFileSync('chmod', ['+x', path.join(modules, 'video-ssl', 'dist', 'src', 'cli.js')]);
  return 'no registry: with links to the packages of the checkout';
};

/** Every file of an installed package with its hash. */
const contentsOf = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => lstatSync(path.join(folder, name)).isFile())
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      ]),
  );

const consumer = `
import { evaluateFeatures, loadNetwork, minePairs, nearest, RunError, setUp, untrainedNetwork, UsageError } from 'video-ssl';
import type { Evaluation, FeatureMatrix, MinedPairs, Network, PairRecord, Picture, Runtime } from 'video-ssl';

const runtime: Runtime = await setUp({ device: 'cpu', threads: 2, log: (line) => console.log(line) });
const mined: MinedPairs = await minePairs({
  videos: 'clips',
  work: 'run',
  params: { mine: { stepFrames: 4 } },
  signal: AbortSignal.timeout(1000),
  onProgress: ({ stage, done, total }) => console.log(stage, done / total),
});
const patches: Picture[] = ['file.jpg', { width: 1, height: 1, channels: 3, data: new Uint8Array(3) }];
for await (const { record, a } of mined.read()) {
  const { boxes }: PairRecord = record;
  patches.push(a);
  console.log(boxes[0]?.width);
}
const network: Network = await loadNetwork('weights');
const features: FeatureMatrix = await network.embed(patches, { layer: 'conv5', pool: 2 });
const near = await nearest(features, features, { k: 1, exclude: patches.map((_, i) => i) });
const scores: readonly Evaluation[] = await network.evaluate('classes', { protocols: ['knn'], k: 5 });
await evaluateFeatures({ train: features, trainLabels: [0], test: features, testLabels: new Int32Array(1) });
console.log(runtime.backend, near[0]?.[0]?.row, scores[0]?.interval?.[0], UsageError.name, RunError.name);
console.log((await untrainedNetwork()).layers[0]?.channels);
// @ts-expect-error a folder to work in is missing
await minePairs({ videos: 'clips' });
`;

const compilerOptions = (module: string, moduleResolution: string) => ({
  ...{ module, moduleResolution, target: 'ES2022', lib: ['ES2023', 'DOM', 'DOM.Iterable'], types: [] },
  ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
});

describe('The packed package, installed elsewhere', function () {
  this.timeout(1_800_000);
  const place = mkdtempSync(path.join(tmpdir(), 'installed é-'));
  const [project, plain] = [path.join(place, 'a project'), path.join(place, 'without-scripts')];
  const tarball = path.join(place, `video-ssl-${version}.tgz`);
  const own = path.join(project, 'node_modules', 'video-ssl');
  let before_: ReadonlyMap<string, string>;
  before(async () => {
    const packed = await ended(process.execPath, [path.join(root, 'scripts', 'package.mjs'), '--to', place], root);
    assert.equal(packed.code, 0, packed.out + packed.err);
    console.log(`      ${packed.out.trim()}`);
    for (const [folder, scripts] of [
      [project, true],
      [plain, false],
    ] as const)
      console.log(`      ${path.basename(folder)}: ${await install(folder, tarball, scripts)}`);
    before_ = contentsOf(own);
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  const npx = (...args: string[]): Promise<Ended> => ended('npx', ['video-ssl', ...args], project);

  it('brings no install script of its own or of what it contains', () => {
    for (const file of ['package.json', 'node_modules/@tensorflow/tfjs-node-gpu/package.json']) {
      const { scripts, gypfile, ...rest } = JSON.parse(readFileSync(path.join(own, file), 'utf8')) as Record<
        string,
        unknown
      >;
      assert.equal(scripts, undefined, file);
      assert.equal(gypfile, undefined, file);
      if (file !== 'package.json') assert.equal(rest['dependencies'], undefined, 'npm would bring none of them');
    }
    assert.ok(!existsSync(path.join(own, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'binding.gyp')));
  });

  it('type-checks in a program that leaves nothing unchecked, under nodenext and bundler', async () => {
    writeFileSync(path.join(project, 'use.ts'), consumer);
    for (const [module, resolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ] as const) {
      const config = { compilerOptions: compilerOptions(module, resolution), files: ['use.ts'] };
      writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify(config));
      const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const { code, out } = await ended(process.execPath, [tsc, '-p', project], project);
      assert.equal(code, 0, out);
    }
  });

  it('has a command that tells its version, its options and the machine, with or without install scripts', async () => {
    assert.deepEqual((await npx('--version')).out, `${version}\n`);
    assert.match((await npx('--help')).out, /^Usage: npx video-ssl /);
    assert.match(
      (await npx()).out,
      /^Pipelines \(npx video-ssl NAME --help tells the options\):\n {2}video-ssl \(or run\)/,
    );
    for (const folder of [project, plain]) {
      const { code, out, err } = await ended('npx', ['video-ssl', 'doctor'], folder);
      assert.equal(code, 0, out + err);
    }
    const wrong = await npx('rum');
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /did you mean `run`/);
  });

  it('imports without its optional package, and says how to bring it', async () => {
    const text = `import { loadNetwork } from 'video-ssl'; await loadNetwork(process.argv[2]).catch((e) => console.log(e.name, e.message));`;
    writeFileSync(path.join(plain, 'load.mjs'), text);
    const { out } = await ended(process.execPath, ['load.mjs', 'nowhere'], plain);
    assert.match(out, /^UsageError Expected the network to name something that exists/);
  });

  const tiny = (): string[] => ['run', '--work', path.join(place, 'run'), ...tinyArguments['video-ssl']];

  it('runs a pipeline, and after an interruption the command that it prints', async () => {
    const stopped = await new Promise<string>((resolve, reject) => {
      const child = spawn(path.join(project, 'node_modules', '.bin', 'video-ssl'), tiny(), { cwd: project });
      let text = '';
      const hear = (data: Buffer): void => {
        const before = /^synthesize: done/m.test(text);
        text += String(data);
        // Once: a second time would end it at once.
        if (!before && /^synthesize: done/m.test(text)) child.kill('SIGINT');
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('error', reject);
      child.on('close', () => resolve(text));
    });
    const command = /To go on:\n {2}(.*)/.exec(stopped)?.[1] ?? '';
    assert.ok(command.startsWith('npx video-ssl run --work '), stopped);
    const { code, out, err } = await ended('bash', ['-c', command], project);
    assert.equal(code, 0, out + err);
    assert.match(out, /synthesize: reused/);
    const report = readFileSync(path.join(place, 'run', 'report', 'report.md'), 'utf8');
    assert.ok(report.includes('npx video-ssl run --work '), report.slice(0, 2000));
    const status = await npx('status', '--work', path.join(place, 'run'), '--digest');
    assert.match(status.out, /^[0-9a-f]{64}\n$/, status.err);
  });

  it('runs its example on videos and weights of that run', async () => {
    const files = readdirSync(path.join(place, 'run'), { recursive: true, encoding: 'utf8' });
    const model = files.find((file) => /^pretrain\/..\/.*model\.json$/.test(file))!;
    const weights = path.dirname(path.join(place, 'run', model));
    // Those of the tiny run are shorter than a track by the defaults, which the example mines with.
    const rendered = path.join(place, 'rendered');
    const few = [
      'synthesize.moving=3',
      'synthesize.scenes=6',
      'synthesize.trainPerClass=2',
      'synthesize.testPerClass=1',
    ];
    const asked = few.flatMap((assignment) => ['--set', assignment]);
    const made = await npx('run', '--work', rendered, '--until', 'synthesize', ...asked);
    assert.equal(made.code, 0, made.out + made.err);
    const clips = path.join(project, 'clips');
    mkdirSync(clips);
    for (const file of readdirSync(rendered, { recursive: true, encoding: 'utf8' })) {
      if (/^synthesize\/..\/.*\.mp4$/.test(file))
        cpSync(path.join(rendered, file), path.join(clips, path.basename(file)));
    }
    cpSync(path.join(own, 'examples', 'embed-and-search.mjs'), path.join(project, 'embed-and-search.mjs'));
    const { code, out, err } = await ended(process.execPath, ['embed-and-search.mjs', clips, weights], project);
    assert.equal(code, 0, out + err);
    assert.match(out, /\.mp4 at \d+\.\d s: nearest end that of .*\.mp4 at .* s \(\d\.\d\d\)\n/);
    assert.match(out, /^\d+ of \d+ tracks have their own end nearest; by chance 1 would\n$/m);
    const without = await ended(process.execPath, ['embed-and-search.mjs'], project);
    assert.deepEqual([without.code, without.out], [1, '']);
    assert.match(without.err, /Expected a folder of videos, got none/);
  });

  it('has written nothing into its own folder', () => {
    assert.deepEqual(contentsOf(own), before_);
  });

  it('installs for everybody, and is then called by its bare name from any folder', async function () {
    const prefix = path.join(place, 'everybody');
    const options = ['--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund'];
    const { code, err } = await ended('npm', ['install', '-g', ...options, tarball], place);
    if (code !== 0 && /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(err)) this.skip();
    assert.equal(code, 0, err);
    const bin = path.join(prefix, 'bin');
    const PATH = `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`;
    const called = await ended('bash', ['-c', 'video-ssl'], tmpdir(), { PATH });
    assert.match(called.out, /^Pipelines \(video-ssl NAME --help tells the options\)/, called.err);
    const elsewhere = await ended(path.join(bin, 'video-ssl'), [], tmpdir());
    assert.ok(elsewhere.out.startsWith(`Pipelines ('${bin}/video-ssl' NAME`), elsewhere.out);
  });
});
