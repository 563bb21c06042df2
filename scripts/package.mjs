// Packs what others install: a clean build without tests, benchmarks and source maps, in a folder of its own.
//
//   npm run package              writes .build/video-ssl-<version>.tgz
//   npm run package -- --to DIR
//
// `npm pack` alone packs what happens to lie in `dist`, since this checkout runs no scripts of packages (`.npmrc`), `prepack` included.
//
// One dependency goes along inside: tfjs-node-gpu, whose source of the native addon set-up compiles. By itself it would fetch a TensorFlow
// of its own as it is installed, half a gigabyte that nothing here uses, and break an installation without network. What it needs to run
// becomes a dependency of the package: npm brings nothing that a bundled package asks for.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const stage = path.join(root, '.build', 'package-stage');
const bundled = '@tensorflow/tfjs-node-gpu';
/** What the bundled package needs beside this package's own dependencies once it is installed. */
const neededByBundled = ['@mapbox/node-pre-gyp', 'google-protobuf', 'progress'];

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const without = (description, left) =>
  Object.fromEntries(Object.entries(description).filter(([key]) => !left.includes(key)));

/** This package's description as others get it: nothing that only a checkout can do. */
const describe = () => {
  const own = without(readJson(path.join(root, 'package.json')), ['scripts', 'devDependencies']);
  const { dependencies } = readJson(path.join(root, 'node_modules', bundled, 'package.json'));
  const needed = Object.fromEntries(neededByBundled.map((name) => [name, dependencies[name]]));
  writeJson(path.join(stage, 'package.json'), {
    ...{ ...own, dependencies: { ...own.dependencies, ...needed } },
    bundleDependencies: [bundled],
  });
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
  const left = ['scripts', 'dependencies', 'devDependencies', 'gypfile'];
  writeJson(path.join(to, 'package.json'), without(readJson(path.join(from, 'package.json')), left));
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
