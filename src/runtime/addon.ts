import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../provision/cache.js';
import type { Log } from '../provision/log.js';
import { ensureReadyFolder, inspectReadyFolder, type Scrutiny } from '../provision/ready-folder.js';
import { SetupProblem } from '../provision/setup-problem.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];
const HEADERS = [
  'napi_auto_ref.h',
  'tf_auto_status.h',
  'tf_auto_tensor.h',
  'tfe_auto_op.h',
  'tfjs_backend.h',
  'utils.h',
];
const FLAGS = ['-std=c++17', '-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8'];
const FILE = 'tfjs_binding.node';
const UNSET = 'unset CXX, or have it name a C++17 compiler';

/**
 * Compiles tfjs-node's own C++ binding against the given libtensorflow, once, into the cache, and returns the addon's path. The
 * folder is named after all that the addon depends on: its sources, the library, the N-API headers, flags, C library and platform.
 * It finds the library relative to itself, so that the cache can be moved as a whole.
 *
 * @param libraryFolder holds `tensorflow/libtensorflow_cc.so.2` and `tensorflow/include`
 * @throws SetupProblem without a C++ compiler, or if the addon does not load
 */
export async function ensureAddon(
  libraryFolder: string,
  glibc: string,
  {
    log,
    scrutiny = 'sizes',
    cache = cacheFolder(),
  }: { readonly log: Log; readonly scrutiny?: Scrutiny; readonly cache?: string },
): Promise<string> {
  const { binding, napi } = sources();
  const folder = await addonFolder(libraryFolder, glibc, cache);
  await ensureReadyFolder(
    folder,
    async (temporary) => {
      const compiler = await findCompiler();
      log(`compiling the TensorFlow addon with ${compiler.join(' ')} (some 5 s)`);
      const libraries = path.join(libraryFolder, 'tensorflow');
      const include = path.join(libraries, 'include');
      const target = path.join(temporary, FILE);
      const args = [
        ...FLAGS,
        ...[binding, napi, include].map((at) => `-I${at}`),
        ...SOURCES.map((name) => path.join(binding, name)),
        '-o',
        target,
        `-L${libraries}`,
        '-l:libtensorflow_cc.so.2',
        '-l:libtensorflow_framework.so.2',
        `-Wl,-rpath,$ORIGIN/${path.relative(folder, libraries)}`,
      ];
      try {
        const [program, ...options] = compiler;
        await run(program, [...options, ...args], { maxBuffer: 1 << 24 });
      } catch (error) {
        const { stderr = '' } = error as { stderr?: string };
        const first = stderr.split('\n').find((line) => /error/i.test(line)) ?? (error as Error).message;
        throw new SetupProblem(
          `The TensorFlow addon did not compile: ${first}`,
          process.env['CXX'] ? UNSET : 'a C++17 compiler: apt-get install g++',
          { cause: error },
        );
      }
      await tryToLoad(target);
    },
    { log, scrutiny },
  );
  return path.join(folder, FILE);
}

/** The addon if it was compiled for this library before, and is whole (by size). */
export async function findAddon(
  libraryFolder: string,
  glibc: string,
  cache = cacheFolder(),
): Promise<string | undefined> {
  const folder = await addonFolder(libraryFolder, glibc, cache);
  return (await inspectReadyFolder(folder, 'sizes')).state === 'whole' ? path.join(folder, FILE) : undefined;
}

const sources = (): { readonly binding: string; readonly napi: string } => ({
  binding: path.join(path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'binding'),
  napi: path.join(path.dirname(require.resolve('node-api-headers/package.json')), 'include'),
});

async function addonFolder(libraryFolder: string, glibc: string, cache: string): Promise<string> {
  const { binding, napi } = sources();
  const key = createHash('sha256');
  for (const name of [...SOURCES, ...HEADERS]) key.update(await readFile(path.join(binding, name)));
  key.update(await readFile(path.join(napi, 'node_api.h'))).update(await readFile(path.join(napi, 'js_native_api.h')));
  key.update(JSON.stringify([path.basename(libraryFolder), FLAGS, glibc, process.platform, process.arch]));
  return path.join(cache, 'addons', `tfjs-${key.digest('hex').slice(0, 16)}`);
}

/** The program, and the options that come before all others. */
export type Compiler = readonly [program: string, ...options: string[]];

/**
 * `CXX` if set, else `g++`, else `c++`. `CXX` may hold several words, as `ccache g++` or `g++ -O2`; a file of that whole name is one, blanks
 * and all.
 *
 * @throws SetupProblem if there is none, or `CXX` leads nowhere
 */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<Compiler> {
  const named = env['CXX']?.trim();
  const candidates: readonly Compiler[] = named ? [existsSync(named) ? [named] : wordsOf(named)] : [['g++'], ['c++']];
  for (const compiler of candidates) {
    try {
      const [program, ...options] = compiler;
      await run(program, [...options, '--version'], { env });
      return compiler;
    } catch {
      // Not there: the next one.
    }
  }
  const looked = candidates.map((words) => words.join(' ')).join(', ');
  throw new SetupProblem(`No C++ compiler was found (looked for ${looked}).`, named ? UNSET : 'apt-get install g++');
}

const wordsOf = (text: string): Compiler => text.split(/\s+/) as [string, ...string[]];

/** Loads the addon in a process of its own first: an instruction that the processor lacks kills a process instead of throwing. */
async function tryToLoad(addon: string): Promise<void> {
  try {
    await run(process.execPath, ['-e', 'require(process.argv[1])', addon], {
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
    });
  } catch (error) {
    const { signal, stderr = '' } = error as { signal?: string; stderr?: string };
    if (/failed to map segment|Operation not permitted/.test(stderr))
      throw new SetupProblem(
        `The cache is on a disk from which nothing may be run (mounted noexec): ${path.dirname(path.dirname(addon))}.`,
        'set VIDEO_SSL_CACHE to a folder on another disk',
        { cause: error },
      );
    const why = signal ? `it ended by ${signal}` : (/^Error: (.*)$/m.exec(stderr)?.[1] ?? 'it ended with an error');
    throw new SetupProblem(
      `TensorFlow does not load on this machine: ${why}.`,
      'a machine with AVX and the GNU C library 2.27 or newer',
      { cause: error },
    );
  }
}
