import { fetchWheel } from '../provision/fetch-wheel.js';
import type { Log } from '../provision/log.js';
import type { Scrutiny } from '../provision/ready-folder.js';
import { SetupProblem } from '../provision/setup-problem.js';
import { ensureAddon } from './addon.js';
import { libtensorflowFor } from './libtensorflow.js';
import { readProcessor } from './processor.js';

/** Native TensorFlow, ready to load; or why it cannot be had: a sentence and the command that mends it. */
export type NativeSetup =
  | { readonly kind: 'native'; readonly addon: string; readonly version: string }
  | { readonly kind: 'fallback'; readonly reason: string };

/** The oldest GNU C library that the pinned wheel runs on. */
const OLDEST_GLIBC = '2.27';

/**
 * Makes native TensorFlow ready: the library from its Python wheel, the addon compiled against it, both in the cache. Quick when
 * all is there (some 20 ms, or a second or two with `scrutiny: 'hashes'`). What the machine lacks comes back as `fallback`; a defect is
 * thrown.
 */
export async function ensureNative(
  log: Log,
  options: { readonly scrutiny?: Scrutiny; readonly cache?: string } = {},
): Promise<NativeSetup> {
  try {
    const library = libtensorflowFor(process.platform, process.arch);
    if (library === undefined)
      throw new SetupProblem(
        `No native TensorFlow is pinned for ${process.platform}-${process.arch}.`,
        'run on x64 Linux (in a container, for example)',
      );
    const { instructionSets, glibc } = await readProcessor();
    if (instructionSets !== undefined && !instructionSets.includes('avx'))
      throw new SetupProblem(
        'This processor has no AVX, which TensorFlow is built for.',
        'run on a processor with AVX',
      );
    if (glibc === undefined || glibc.localeCompare(OLDEST_GLIBC, 'en', { numeric: true }) < 0)
      throw new SetupProblem(
        `TensorFlow needs the GNU C library ${OLDEST_GLIBC} or newer; this system has ${glibc ?? 'another C library'}.`,
        'run on a newer, glibc-based system (Debian, Ubuntu, Fedora; not Alpine)',
      );
    const { folder } = await fetchWheel({ ...library, log, ...options });
    const addon = await ensureAddon(folder, glibc, { log, ...options });
    return { kind: 'native', addon, version: library.version };
  } catch (error) {
    if (error instanceof SetupProblem) return { kind: 'fallback', reason: error.explain() };
    throw error;
  }
}
