import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isLoadNoise } from '../load-noise.js';

/** What came of a try: what it printed, or why it failed in one line. */
export type Tried = { readonly ok: true; readonly said: string } | { readonly ok: false; readonly why: string };

const program = fileURLToPath(new URL('./probe.js', import.meta.url));

/**
 * Tries something (see `probe.ts`) in a process of its own: a package that is gone, a library for another C library, or an instruction that the
 * processor lacks, which kills a process, must not end the one that asks.
 *
 * @param args the name of the probe, and what it takes
 */
export async function tryInProcess(args: readonly string[], timeoutMs = 60_000): Promise<Tried> {
  try {
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env, timeout: timeoutMs });
    return { ok: true, said: stdout.trim().split('\n').at(-1)! };
  } catch (error) {
    const { signal, killed, stderr } = error as { signal?: string; killed?: boolean; stderr?: string };
    if (killed) return { ok: false, why: `no answer within ${timeoutMs / 1000} s` };
    if (signal) return { ok: false, why: `the process was ended by ${signal}` };
    return { ok: false, why: firstTelling(stderr ?? '') ?? (error as Error).message.split('\n', 1)[0]! };
  }
}

/** The line that names the error, from what Node prints of one. */
const firstTelling = (stderr: string): string | undefined => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !isLoadNoise(line));
  return (lines.find((line) => /^\w*Error\b.*: /.test(line)) ?? lines[0])
    ?.replace(/^\w*Error\b[^:]*: /, '')
    .slice(0, 300);
};
