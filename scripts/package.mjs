// Packs what others install: a clean build without tests, benchmarks and source maps, in a folder of its own.
//
//   npm run package              writes .build/video-ssl-<version>.tgz
//   npm run package -- --to DIR
//
// `npm pack` alone packs what happens to lie in `dist`, since this checkout runs no scripts of packages (`.npmrc`), `prepack` included.
//
// One dependency goes along inside: tfjs-node-gpu, whose source of the native addon set-up compiles. By itself it would fetch a TensorFlow
// of its own as it is installed, half a gigabyte that nothing here uses, and break an installation without network.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const stage = path.join(root, '.build', 'package-stage');
const bundled = '@tensorflow/tfjs-node-gpu';

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const withoutScripts = (description) =>
  Object.fromEntries(Object.entries(description).filter(([key]) => key !== 'scripts' && key !== 'devDependencies'));

/** This package's description as others get it: nothing that only a checkout can do. */
const describe = () => {
  const own = withoutScripts(readJson(path.join(root, 'package.json')));
  writeJson(path.join(stage, 'package.json'), { ...own, bundleDependencies: [bundled] });
  return own;
};

/** The build, and what `files` names beside it. */
const fill = ({ files }) => {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', 'tsconfig.package.json', '--outDir', path.join(stage, 'dist')];
  const { status } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('What does not compile is not packed.');
  const beside = files.filter((name) => !/^!|^dist\//.test(name));
  for (const name of ['README.md', 'LICENSE', ...beside])
    cpSync(path.join(root, name), path.join(stage, name), { recursive: true });
};

/** The bundled dependency without what it does when it is installed, and without its tests and TypeScript. */
const bundle = () => {
  const from = path.join(root, 'node_modules', bundled);
  const to = path.join(stage, 'node_modules', bundled);
  const isKept = (file) => !/_test\.(js|d\.ts)$|\.map$|run_tests/.test(file);
  for (const part of ['dist', 'binding', 'README.md'])
    cpSync(path.join(from, part), path.join(to, part), { recursive: true, filter: isKept });
  writeJson(path.join(to, 'package.json'), {
    ...withoutScripts(readJson(path.join(from, 'package.json'))),
    gypfile: false,
  });
};

const pack = (to) => {
  mkdirSync(to, { recursive: true });
  const npm = ['pack', '--json', '--ignore-scripts', '--pack-destination', to];
  const [packed] = JSON.parse(execFileSync('npm', npm, { cwd: stage, encoding: 'utf8' }));
  return { file: path.join(to, packed.filename), count: packed.entryCount, unpacked: packed.unpackedSize };
};

const { to } = parseArgs({ options: { to: { type: 'string', default: path.join(root, '.build') } } }).values;
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
fill(describe());
bundle();
const { file, count, unpacked } = pack(path.resolve(to));
rmSync(stage, { recursive: true });
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
console.log(`${file}: ${count} files, ${megabytes(statSync(file).size)} MB packed, ${megabytes(unpacked)} MB unpacked`);
