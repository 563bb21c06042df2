import { createHash } from 'node:crypto';
import { access, constants, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from '../network/safetensors.js';
import { hashOfFile, makeFolder } from '../pipeline/durable-files.js';
import { killPoint } from '../pipeline/kill-point.js';
import { UsageError } from '../pipeline/usage-error.js';
import { freeDisk } from '../provision/disk.js';
import { explainFailedWrite, isFullDisk } from './checkpoint-problem.js';
import { readProgress } from './read-progress.js';
import type { TrainState } from './train-state.js';
import { bytesOf, PARTIAL, writeWhole } from './write-parts.js';

const FORMAT = '1';
const PATTERN = /^step-(\d{9})\.([0-9a-f]{64})\.safetensors$/;
const DAMAGED = '.damaged';

/** Checkpoints that stay unless another number is asked for: the newest, and the one before, in case the newest turns out damaged. */
export const keptCheckpoints = 2;

type Found = { readonly file: string; readonly step: number; readonly sha256: string };

const namesIn = (dir: string): Promise<string[]> =>
  readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });

/** The checkpoints of a folder, newest first; none if there is no folder. */
async function listCheckpoints(dir: string): Promise<Found[]> {
  const found = (await namesIn(dir)).flatMap((name) => {
    const match = PATTERN.exec(name);
    return match ? [{ file: path.join(dir, name), step: Number(match[1]), sha256: match[2]! }] : [];
  });
  return found.sort((a, b) => b.step - a.step);
}

/** How {@link saveCheckpoint} keeps house. */
export type CheckpointOptions = {
  /** So many checkpoints stay, the newest. @default 2 */
  readonly keepLast?: number;
  readonly log?: (line: string) => void;
};

/**
 * Writes one file `step-<step>.<sha256>.safetensors`: under a temporary name, flushed, renamed, the folder flushed; then removes
 * all but the last ones. The name carries the hash of the whole file, so that a torn or changed one is known when it is read.
 * A process that dies at any point leaves the checkpoints before it usable. Returns the path.
 *
 * Where the disk is full, the checkpoints before the newest make room, if the newest is sound: then it is tried once more.
 *
 * @throws CheckpointProblem where the disk or the folder does not allow it; the checkpoints before it are still there
 */
export async function saveCheckpoint(
  dir: string,
  { progress, arrays }: TrainState,
  { keepLast = keptCheckpoints, log = () => {} }: CheckpointOptions = {},
): Promise<string> {
  const parts = encodeSafetensors(arrays, { format: FORMAT, progress: JSON.stringify(progress) });
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const { step } = progress;
  const name = `step-${String(step).padStart(9, '0')}.${hash.digest('hex')}.safetensors`;
  const file = path.join(dir, name);
  const write = async (): Promise<void> => {
    makeFolder(path.resolve(dir));
    killPoint('checkpoint:begin');
    await writeWhole(file, parts);
    killPoint('checkpoint:renamed');
  };
  try {
    await write().catch(async (error: unknown) => {
      if (!isFullDisk(error) || !(await makeRoom(dir, step, log))) throw error;
      await write();
    });
  } catch (error) {
    const what = `The checkpoint of step ${step}`;
    throw await explainFailedWrite(error, { dir, what, bytes: bytesOf(parts), newest: await newestStep(dir) });
  }
  await removeOld(dir, step, keepLast);
  killPoint('checkpoint:tidied');
  return file;
}

const newestStep = (dir: string): Promise<number | undefined> =>
  listCheckpoints(dir).then(
    ([newest]) => newest?.step,
    () => undefined,
  );

/** Removes what stands before the newest checkpoint, if that is sound. Whether anything was removed. */
async function makeRoom(dir: string, step: number, log: (line: string) => void): Promise<boolean> {
  const [newest, ...older] = await listCheckpoints(dir);
  if (!newest || older.length === 0 || (await hashOfFile(newest.file)) !== newest.sha256) return false;
  log(
    `No room for the checkpoint of step ${step} in ${dir}: those before the newest (step ${newest.step}) make way; ` +
      'free some space, there is none to spare',
  );
  for (const { file } of older) await rm(file, { force: true });
  return true;
}

/** What is no longer needed at `step`: all but the last ones, halves of files, and damaged ones that the run has passed. */
async function removeOld(dir: string, step: number, keepLast: number): Promise<void> {
  for (const { file } of (await listCheckpoints(dir)).slice(keepLast)) await rm(file, { force: true });
  for (const name of await readdir(dir)) {
    const isPassed = name.endsWith(DAMAGED) && Number(/^step-(\d{9})/.exec(name)?.[1]) <= step;
    if ((/^(step-|best\.)/.test(name) && name.endsWith(PARTIAL)) || isPassed)
      await rm(path.join(dir, name), { force: true });
  }
}

/**
 * Refuses before the first step what would fail at the first checkpoint: a folder that cannot be written, or a disk without room for
 * one checkpoint. A folder that holds one already has room: the older ones make way.
 *
 * @param bytes size of a checkpoint, about
 * @throws CheckpointProblem
 */
export async function checkFolder(dir: string, bytes: number): Promise<void> {
  let newest: number | undefined;
  try {
    makeFolder(path.resolve(dir));
    newest = await newestStep(dir);
    await access(dir, constants.W_OK);
    if (newest === undefined && (await freeDisk(dir)) < bytes) {
      throw Object.assign(new Error('too few bytes are free'), { code: 'ENOSPC' });
    }
  } catch (error) {
    throw await explainFailedWrite(error, { dir, what: 'A checkpoint', bytes, newest });
  }
}

/**
 * The newest sound train state of a folder, or undefined if there is none. A damaged checkpoint is passed over, with a line to `log`,
 * and put aside as `….damaged`, where it stays until the run has passed its step. If all are damaged the run begins anew and says so:
 * it comes to the same bytes, and there is nothing else that a person could decide.
 *
 * @throws UsageError for a checkpoint of another version, or one that may not be read
 */
export async function loadCheckpoint(dir: string, log: (line: string) => void): Promise<TrainState | undefined> {
  const found = await listCheckpoints(dir);
  for (const checkpoint of found) {
    const stored = await readSound(checkpoint);
    if (typeof stored !== 'string') return stateOf(stored, checkpoint);
    const next = checkpoint === found.at(-1) ? 'there is none before it' : 'trying the one before';
    log(`The checkpoint of step ${checkpoint.step} is damaged (${stored}); ${next}: ${checkpoint.file}`);
    // Out of the way of those that come; on a read-only disk none come.
    await rename(checkpoint.file, checkpoint.file + DAMAGED).catch(() => {});
  }
  if (found.length > 0) {
    const many = found.length === 1 ? 'The only checkpoint' : `All ${found.length} checkpoints`;
    log(`${many} in ${dir} cannot be used: the run begins anew, from step 0`);
  }
  return undefined;
}

const stateOf = ({ tensors, metadata }: Safetensors, { file, step }: Found): TrainState => {
  const { format, progress } = metadata;
  if (format === FORMAT && progress !== undefined) return { progress: readProgress(progress, file), arrays: tensors };
  throw new UsageError(
    `Expected a checkpoint of format ${FORMAT}, got format ${format ?? 'unnamed'} in ${file}: another version of this program ` +
      `wrote it. Finish the run with that version, or move the file away to begin anew (it stands at step ${step})`,
  );
};

/** A checkpoint whose bytes have the hash in its name, or what is wrong with it. */
async function readSound({ file, sha256 }: Found): Promise<Safetensors | string> {
  const bytes = await readInPieces(file).catch((error: NodeJS.ErrnoException) => error);
  if (bytes instanceof Error) {
    if (bytes.code === 'EIO') return 'the disk reports an error';
    if (bytes.code !== 'EACCES' && bytes.code !== 'EPERM') throw bytes;
    throw new UsageError(
      `Expected to be able to read the checkpoint ${file}, got ${bytes.code}: change its permissions`,
    );
  }
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) return 'its bytes do not have the hash in its name';
  try {
    return decodeSafetensors(bytes, file);
  } catch (error) {
    return (error as Error).message;
  }
}

/** A whole file, also one of more than the 2 GiB that `readFile` takes. */
async function readInPieces(file: string): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(size);
    const most = 1 << 28;
    let at = 0;
    while (at < size) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(most, size - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
