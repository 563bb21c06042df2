import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../network/safetensors.js';
import { flush, makeFolder } from '../pipeline/durable-files.js';
import { killPoint } from '../pipeline/kill-point.js';
import type { TrainProgress, TrainState } from './train-state.js';

const FORMAT = '1';
const PATTERN = /^step-(\d{9})\.([0-9a-f]{64})\.safetensors$/;
const PARTIAL = '.partial';

/** Checkpoints that stay: the newest, and the one before, in case the newest turns out damaged. */
export const keptCheckpoints = 2;

type Found = { readonly file: string; readonly step: number; readonly sha256: string };

/** The checkpoints of a folder, newest first; none if there is no folder. */
async function listCheckpoints(dir: string): Promise<Found[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = names.flatMap((name) => {
    const match = PATTERN.exec(name);
    return match ? [{ file: path.join(dir, name), step: Number(match[1]), sha256: match[2]! }] : [];
  });
  return found.sort((a, b) => b.step - a.step);
}

/**
 * Writes one file `step-<step>.<sha256>.safetensors`: under a temporary name, flushed, renamed, the folder flushed; then removes
 * all but the last two. The name carries the hash of the whole file, so that a torn or changed one is known when it is read.
 * A process that dies at any point leaves the checkpoints before it usable. Returns the path.
 */
export async function saveCheckpoint(dir: string, { progress, arrays }: TrainState): Promise<string> {
  const parts = encodeSafetensors(arrays, { format: FORMAT, progress: JSON.stringify(progress) });
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const name = `step-${String(progress.step).padStart(9, '0')}.${hash.digest('hex')}.safetensors`;
  const file = path.join(dir, name);
  makeFolder(path.resolve(dir));
  killPoint('checkpoint:begin');
  const handle = await open(file + PARTIAL, 'w');
  try {
    for (const [index, part] of parts.entries()) {
      await handle.writeFile(part);
      if (index === parts.length >> 1) killPoint('checkpoint:half-written');
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  killPoint('checkpoint:written');
  await rename(file + PARTIAL, file);
  flush(dir);
  killPoint('checkpoint:renamed');
  await removeOld(dir);
  return file;
}

async function removeOld(dir: string): Promise<void> {
  for (const { file } of (await listCheckpoints(dir)).slice(keptCheckpoints)) await rm(file, { force: true });
  for (const name of await readdir(dir)) {
    if (name.startsWith('step-') && name.endsWith(PARTIAL)) await rm(path.join(dir, name), { force: true });
  }
}

/**
 * The newest sound train state of a folder, or undefined if there is none. A damaged checkpoint is passed over, with a line
 * to `log`.
 */
export async function loadCheckpoint(dir: string, log: (line: string) => void): Promise<TrainState | undefined> {
  for (const { file, step, sha256 } of await listCheckpoints(dir)) {
    const bytes = await readFile(file);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
      log(
        `The checkpoint of step ${step} is damaged (its bytes do not have the hash in its name); trying the one before: ${file}`,
      );
      continue;
    }
    const { tensors, metadata } = decodeSafetensors(bytes, file);
    if (metadata['format'] !== FORMAT || metadata['progress'] === undefined) {
      throw new Error(`${file} was written by another version (format ${metadata['format']}, expected ${FORMAT})`);
    }
    return { progress: JSON.parse(metadata['progress']) as TrainProgress, arrays: tensors };
  }
  return undefined;
}
