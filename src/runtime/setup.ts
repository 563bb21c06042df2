import { commandLine } from '../pipeline/invocation.js';
import type { Log } from '../provision/log.js';
import type { Scrutiny } from '../provision/ready-folder.js';
import { SetupProblem } from '../provision/setup-problem.js';
import { ensureAddon } from './addon.js';
import { chooseBuild, type DeviceChoice } from './device.js';
import { fetchLibtensorflow } from './fetch-libtensorflow.js';
import { libtensorflowFor, type TensorflowBuild } from './libtensorflow.js';
import { readNvidia, type NvidiaState } from './nvidia.js';
import { readProcessor, type Processor } from './processor.js';

/** Native TensorFlow, ready to load; or why it cannot be had: a sentence and the command that mends it. */
export type NativeSetup =
  | {
      readonly kind: 'native';
      readonly addon: string;
      readonly version: string;
      readonly build: TensorflowBuild;
      /** Why it is not the build for GPUs, where there is one that was not asked not to be used. */
      readonly noGpuBecause?: string;
    }
  | { readonly kind: 'fallback'; readonly reason: string };

/** Where set-up works and how closely it looks. */
export type SetupOptions = {
  /** @default 'sizes' */
  readonly scrutiny?: Scrutiny;
  /** @default cacheFolder() */
  readonly cache?: string;
};

/** The oldest GNU C library that the pinned wheels run on. */
const OLDEST_GLIBC = '2.27';

/**
 * Makes native TensorFlow ready: the library from its Python wheel, the addon compiled against it, both in the cache. Quick when
 * all is there (some 20 ms, or a second or two with `scrutiny: 'hashes'`). What the machine lacks comes back as `fallback`; a defect is
 * thrown. The CUDA build can be made ready, and runs, on a machine without a GPU.
 */
export async function ensureNative(
  log: Log,
  { build = 'cpu', ...options }: SetupOptions & { readonly build?: TensorflowBuild } = {},
): Promise<NativeSetup> {
  try {
    const library = libtensorflowFor(process.platform, process.arch, build);
    if (library === undefined)
      throw new SetupProblem(
        `No native TensorFlow is pinned for ${process.platform}-${process.arch}.`,
        'run on x64 Linux (in a container, for example)',
      );
    const glibc = requireProcessor(await readProcessor());
    const folder = await fetchLibtensorflow(library, { log, ...options });
    const addon = await ensureAddon(folder, glibc, { log, ...options });
    return { kind: 'native', addon, version: library.version, build };
  } catch (error) {
    if (error instanceof SetupProblem) return { kind: 'fallback', reason: error.explain(commandLine(['setup'])) };
    throw error;
  }
}

/**
 * Gives the version of the GNU C library, once it is sure that the pinned wheels run on this processor and that library.
 *
 * @throws SetupProblem where they do not: no AVX, another C library (musl, as in Alpine), an old one
 */
export function requireProcessor({ instructionSets, glibc }: Pick<Processor, 'instructionSets' | 'glibc'>): string {
  if (instructionSets !== undefined && !instructionSets.includes('avx'))
    throw new SetupProblem('This processor has no AVX, which TensorFlow is built for.', 'run on a processor with AVX');
  if (glibc === undefined || glibc.localeCompare(OLDEST_GLIBC, 'en', { numeric: true }) < 0)
    throw new SetupProblem(
      `TensorFlow needs the GNU C library ${OLDEST_GLIBC} or newer; this system has ${glibc ?? 'another C library'}.`,
      'run on a newer, glibc-based system (Debian, Ubuntu, Fedora; not Alpine)',
    );
  return glibc;
}

/**
 * Makes the TensorFlow ready that a device leads to on this machine. Where `auto` finds a GPU whose build cannot be set up, it takes the
 * CPU's and says why.
 *
 * @param nvidia what there is of a GPU. @default what {@link readNvidia} finds
 * @param ensure sets a build up. @default {@link ensureNative}
 * @throws UsageError if `gpu` is asked for and there is none that can be used
 */
export async function ensureForDevice(
  device: Exclude<DeviceChoice, 'wasm'>,
  log: Log,
  {
    nvidia,
    ensure = (build) => ensureNative(log, { build }),
  }: {
    readonly nvidia?: NvidiaState;
    readonly ensure?: (build: TensorflowBuild) => Promise<NativeSetup>;
  } = {},
): Promise<NativeSetup> {
  const { build, noGpuBecause } = chooseBuild(device, nvidia ?? (await readNvidia()));
  const native = await ensure(build);
  if (native.kind === 'fallback' && build === 'cuda' && device === 'auto') {
    log(`the CUDA build of TensorFlow is not to be had: ${native.reason}`);
    const onCpu = await ensure('cpu');
    return onCpu.kind === 'native' ? { ...onCpu, noGpuBecause: native.reason } : onCpu;
  }
  return native.kind === 'native' && noGpuBecause !== undefined ? { ...native, noGpuBecause } : native;
}
