import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPackage } from '../src/pipeline/own-package.js';
import { startProgram } from './pipelines/fixtures/tiny-run.js';

type Description = {
  readonly exports: { readonly [name: string]: string | { readonly types: string; readonly default: string } };
  readonly bin: { readonly [name: string]: string };
};

/** Where this test was built, beside the program: `dist`, unless somebody builds elsewhere. */
const built = fileURLToPath(new URL('..', import.meta.url));
const { root } = ownPackage();
const description = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Description;
const inBuild = (target: string): string => path.join(built, path.relative('dist', target));

const modules = ['src', 'pipelines'].flatMap((room) =>
  readdirSync(path.join(built, room), { recursive: true, encoding: 'utf8' }).map((file) =>
    path.join(built, room, file),
  ),
);

describe('The package', () => {
  it('exports modules that are there, with their types, and a command that starts by itself', async () => {
    const targets = Object.values(description.exports).filter((target) => typeof target !== 'string');
    assert.equal(targets.length, 1);
    for (const target of targets) {
      assert.ok(existsSync(inBuild(target.types)), target.types);
      const names = Object.keys((await import(inBuild(target.default))) as object);
      assert.deepEqual(names.sort(), [
        ...[
          'RunError',
          'TooFewPairs',
          'UsageError',
          'evaluateFeatures',
          'loadNetwork',
          'minePairs',
          'nearest',
          'setUp',
        ],
        'untrainedNetwork',
      ]);
    }
    assert.deepEqual(description.bin, { 'video-ssl': 'dist/src/cli.js' });
    assert.match(readFileSync(inBuild(description.bin['video-ssl']!), 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });

  it('has a command that takes `run` for the pipeline of its own name', async () => {
    const { code, out, err } = await startProgram(['run', '--print-config', '--set', 'mine.stepFrames=4']).done;
    assert.equal(code, 0, err);
    assert.match(out, /stepFrames: 4 # --set/);
    assert.match(out, /^transfer:$/m);
  });

  it('has types that lean on no other package', () => {
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
      assert.doesNotMatch(text, /\bNodeJS\.|\bBuffer\b/, file);
      for (const [, name] of text.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
        assert.match(name!, /^\.\.?\//, `${file} needs the types of ${name}`);
        visit(path.resolve(path.dirname(file), name!.replace(/\.js$/, '.d.ts')));
      }
    };
    visit(inBuild('dist/src/library/index.d.ts'));
    assert.ok(seen.size > 5, [...seen].join());
  });

  it('holds beside its modules what they start as threads and processes', () => {
    let found = 0;
    for (const file of modules.filter((name) => name.endsWith('.js'))) {
      const text = readFileSync(file, 'utf8');
      for (const [, name] of text.matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)) {
        found += 1;
        assert.ok(existsSync(path.resolve(path.dirname(file), name!)), `${file}: ${name}`);
      }
    }
    assert.ok(found > 10, String(found));
  });

  it('holds the program and its documents, and nothing that only a checkout needs', function () {
    const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      ...{ cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    });
    const [{ files }] = JSON.parse(listed) as [{ readonly files: readonly { readonly path: string }[] }];
    const names = new Set(files.map((file) => file.path));
    for (const name of [
      'README.md',
      'LICENSE',
      'NOTICE',
      'CHANGELOG.md',
      'docs/library.md',
      'examples/embed-and-search.mjs',
    ])
      assert.ok(names.has(name), name);
    const foreign = [...names].filter((name) => !/^(dist\/(src|pipelines)|docs|examples)\/|^[^/]+$/.test(name));
    assert.deepEqual(foreign, []);
    assert.deepEqual(
      [...names].filter((name) => /\.(map|tsbuildinfo)$|(^|\/)(test|bench)\/|\.test\./.test(name)),
      [],
    );
    if (path.resolve(built) !== path.join(root, 'dist')) this.skip(); // What is packed is another build than this one.
    for (const file of modules.filter((name) => /\.(js|d\.ts)$/.test(name) && statSync(name).isFile())) {
      const name = path.relative(root, file).split(path.sep).join('/');
      assert.ok(names.has(name), name);
    }
  });

  it('is described with the example as it is', () => {
    const page = readFileSync(path.join(root, 'docs', 'library.md'), 'utf8');
    const example = readFileSync(path.join(root, 'examples', 'embed-and-search.mjs'), 'utf8');
    assert.ok(page.includes(`\n\`\`\`js\n${example}\`\`\`\n`));
  });
});
