import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Whether this machine has an NVIDIA GPU that TensorFlow's CUDA build can use, as far as can be told without loading anything. */
export type NvidiaState =
  /** The driver is loaded, and its libraries are there. */
  | { readonly state: 'ready'; readonly driver: string | undefined; readonly gpus: readonly string[] }
  /** There is a driver or a GPU, and something stands in the way: a sentence and what mends it. */
  | { readonly state: 'unusable'; readonly reason: string; readonly remedy: string }
  | { readonly state: 'absent'; readonly reason: string };

/** The oldest driver that programs built for CUDA 12 run on (minor version compatibility). */
const OLDEST_DRIVER = '525.60.13';

/** The driver's libraries that TensorFlow opens before it counts GPUs: without the second it finds none. */
const LIBRARIES = ['libcuda.so.1', 'libnvidia-ml.so.1'] as const;

const FOLDERS = [
  'usr/lib/x86_64-linux-gnu',
  'usr/lib64',
  'usr/lib',
  'usr/local/nvidia/lib64',
  'usr/local/nvidia/lib',
  // Windows' driver, as WSL shows it.
  'usr/lib/wsl/lib',
];

/**
 * Looks for an NVIDIA driver: its version in `/proc/driver/nvidia`, the GPUs that it lists there, and its libraries in the loader's
 * cache, in `LD_LIBRARY_PATH` and in the usual folders.
 *
 * @param root where the file system begins, for tests. @default '/'
 */
export async function readNvidia(root = '/', env: NodeJS.ProcessEnv = process.env): Promise<NvidiaState> {
  const text = (name: string): Promise<string | undefined> =>
    readFile(path.join(root, name), 'latin1').catch(() => undefined);
  const version = await text('proc/driver/nvidia/version');
  const driver = version && /\s(\d+\.\d+(?:\.\d+)?)\s/.exec(version)?.[1];
  const libraries = await Promise.all(LIBRARIES.map((name) => hasLibrary(name, root, env)));
  if (version === undefined && !libraries[0])
    return { state: 'absent', reason: 'no NVIDIA driver was found (neither /proc/driver/nvidia nor libcuda.so.1)' };
  const missing = LIBRARIES.filter((_, i) => !libraries[i]);
  if (missing.length > 0)
    return {
      state: 'unusable',
      reason: `the NVIDIA driver ${driver ?? '(version unknown)'} is there, but not its ${missing.join(' and ')}`,
      remedy:
        'install the driver’s libraries of the same version; for a container, start it with --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,utility',
    };
  if (driver !== undefined && compare(driver, OLDEST_DRIVER) < 0)
    return {
      state: 'unusable',
      reason: `the NVIDIA driver is ${driver}, and CUDA 12 needs ${OLDEST_DRIVER} or newer`,
      remedy: 'a newer NVIDIA driver',
    };
  const visible = env['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined && !/^\s*[0-9A-Za-z]/.test(visible))
    return {
      state: 'unusable',
      reason: `CUDA_VISIBLE_DEVICES=${JSON.stringify(visible)} hides every GPU`,
      remedy: 'unset CUDA_VISIBLE_DEVICES',
    };
  return { state: 'ready', driver, gpus: await listGpus(root) };
}

async function hasLibrary(name: string, root: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  // The loader's cache holds its names as plain strings.
  const cache = await readFile(path.join(root, 'etc/ld.so.cache'), 'latin1').catch(() => '');
  if (cache.includes(name)) return true;
  const given = (env['LD_LIBRARY_PATH'] ?? '').split(':').filter(Boolean);
  for (const folder of [...given, ...FOLDERS.map((place) => path.join(root, place))]) {
    const names = await readdir(folder).catch(() => [] as string[]);
    if (names.includes(name)) return true;
  }
  return false;
}

/** Names of the GPUs, in the order of their places on the bus. */
async function listGpus(root: string): Promise<string[]> {
  const folder = path.join(root, 'proc/driver/nvidia/gpus');
  const places = (await readdir(folder).catch(() => [] as string[])).sort();
  const names: string[] = [];
  for (const place of places) {
    const text = await readFile(path.join(folder, place, 'information'), 'latin1').catch(() => '');
    names.push(/^Model:\s*(.+?)\s*$/m.exec(text)?.[1] ?? place);
  }
  return names;
}

const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });
