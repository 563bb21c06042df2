import { reinstallCommand } from '../../pipeline/invocation.js';
import { formatBytes } from '../../provision/disk.js';
import { readProcessLimits } from './limits.js';

/** What is left of memory and files, rather than what is installed, in what a try said: Node's, V8's, the C library's and TensorFlow's words. */
const WORDS = {
  files: /EMFILE|ENFILE|too many open files/i,
  memory:
    /allocate memory|out of memory|ENOMEM|bad_alloc|failed to map|did not start|ended by SIG(ABRT|TRAP|SEGV|KILL)/i,
} as const;

/**
 * What mends something that does not load: the limit of this process that it ran into, where its words tell of one, else all packages anew.
 *
 * @param why what a try said
 * @param otherwise what mends it where it is no limit. @default {@link reinstallCommand}
 * @param limits of this process. @default those that the system tells
 */
export async function remedyFor(
  why: string,
  otherwise: string = reinstallCommand(),
  limits?: Awaited<ReturnType<typeof readProcessLimits>>,
): Promise<string> {
  const { addressSpace } = limits ?? (await readProcessLimits());
  if (WORDS.files.test(why)) return 'raise the limit on open files: ulimit -n 1024';
  if (!WORDS.memory.test(why)) return otherwise;
  if (addressSpace !== undefined)
    return `raise the limit on memory, which is ${formatBytes(addressSpace)}: ulimit -v unlimited`;
  return /allocate memory|out of memory|ENOMEM|bad_alloc/i.test(why)
    ? 'make memory free: close other programs'
    : otherwise;
}
