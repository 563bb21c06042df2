import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Packages that would run a program when they are installed, and why nothing here needs it. */
const known: Readonly<Record<string, string>> = {
  '@ffmpeg-installer/darwin-arm64': 'sets the executable bit, which the package has',
  '@ffmpeg-installer/darwin-x64': 'the same',
  '@ffmpeg-installer/linux-arm': 'the same',
  '@ffmpeg-installer/linux-arm64': 'the same',
  '@ffmpeg-installer/linux-ia32': 'the same',
  '@ffmpeg-installer/linux-x64': 'the same',
  '@tensorflow/tfjs-node-gpu': 'downloads TensorFlow 2.9 without a hash: set-up brings a current one, with its hash',
  'core-js': 'prints an advertisement',
  'onnxruntime-node': 'downloads the CUDA build, which is not used',
};

type Package = { readonly hasInstallScript?: boolean; readonly resolved?: string; readonly integrity?: string; readonly link?: boolean }; // prettier-ignore

describe('Installing', () => {
  const read = (name: string): string => readFileSync(path.resolve(name), 'utf8');
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };
  const packages = Object.entries(lock.packages).filter(([place]) => place !== '');

  it('runs no script of a dependency: npm is told so, and those that have one are known', () => {
    assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
    const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = scripted.map(([place]) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length));
    assert.deepEqual([...new Set(names)].sort(), Object.keys(known).sort());
  });

  it('runs no script of this package either', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const run = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare', 'dependencies'];
    assert.deepEqual(run.filter((name) => name in scripts), []); // prettier-ignore
  });

  it('left no sign of a script that ran: what those would have brought is not there', () => {
    const brought = [
      '@tensorflow/tfjs-node-gpu/deps',
      'onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so',
    ];
    for (const place of brought) assert.equal(existsSync(path.resolve('node_modules', place)), false, place);
  });

  it('takes packages by their hashes, from a registry and nowhere else', () => {
    const loose = packages.filter(([, { integrity, link, resolved = '' }]) => {
      return link !== true && (integrity?.startsWith('sha512-') !== true || /^(git|file|http:)/.test(resolved));
    });
    assert.deepEqual(loose.map(([place]) => place), []); // prettier-ignore
  });
});
