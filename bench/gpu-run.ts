import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { GpuAnswer, GpuSetup } from './gpu-side.js';

/** A side's answer and the values that it left. */
export type GpuRun = GpuAnswer & { readonly values: Float32Array };

/** Runs one side in a process of its own. */
export async function runGpuSide(setup: Omit<GpuSetup, 'values'>, env: NodeJS.ProcessEnv = {}): Promise<GpuRun> {
  const folder = await mkdtemp(path.join(tmpdir(), 'video-ssl-gpu-'));
  const values = path.join(folder, 'values');
  try {
    const program = path.join(import.meta.dirname, 'gpu-side.js');
    const argument = JSON.stringify({ ...setup, values } satisfies GpuSetup);
    const { stdout } = await promisify(execFile)(process.execPath, [program, argument], {
      env: { ...process.env, ...env },
      maxBuffer: 1 << 24,
    });
    const answer = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as GpuAnswer;
    const bytes = await readFile(values);
    return { ...answer, values: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `|a - b| / |b|` of the values from `from` on, up to `to`. */
export function relativeDistance(a: Float32Array, b: Float32Array, from = 0, to = b.length): number {
  if (a.length !== b.length) throw new Error(`Expected ${b.length} values, got ${a.length}`);
  let [difference, size] = [0, 0];
  for (let i = from; i < to; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}
