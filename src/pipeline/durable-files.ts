import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { killPoint } from './kill-point.js';

/** A file of a sealed folder: its name relative to the folder (with `/`), its size and hash. */
export type SealedFile = { readonly name: string; readonly bytes: number; readonly sha256: string };

/** Flushes a file or folder to the disk. */
export function flush(target: string): void {
  const handle = openSync(target, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Makes folders whose entries survive a power cut: each new one is flushed into its parent. One by one, since what the system cannot make
 * (below /proc) keeps `mkdir` with `recursive` busy for ever.
 */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  let there = path.resolve(folder);
  for (; !existsSync(there); there = path.dirname(there)) missing.unshift(there);
  if (missing.length === 0 && !statSync(there).isDirectory())
    throw Object.assign(new Error(`EEXIST: ${folder} is no folder`), { code: 'EEXIST' });
  for (const made of missing) {
    try {
      mkdirSync(made);
    } catch (error) {
      // Another process may have been quicker.
      if (!statSync(made, { throwIfNoEntry: false })?.isDirectory()) throw error;
    }
    killPoint('after making a folder');
    flush(path.dirname(made));
  }
}

/** Writes a file so that a reader, at whatever moment, finds the old one or the new one whole: temporary name, flush, rename. */
export function writeDurably(file: string, data: string | Uint8Array): void {
  const temporary = `${file}.tmp`;
  killPoint('before temporary write');
  const handle = openSync(temporary, 'w');
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const half = bytes.length >> 1;
    for (let at = 0; at < bytes.length;) {
      at += writeSync(handle, bytes, at, at < half ? half - at : bytes.length - at);
      if (at === half) killPoint('half-way through a temporary write');
    }
    killPoint('before flush');
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  killPoint('before rename');
  renameSync(temporary, file);
  killPoint('after rename');
  flush(path.dirname(file));
  killPoint('after flush of the folder');
}

/** Hashes and flushes every file below a folder, and the folders. Names are sorted. */
export function sealFolder(folder: string): SealedFile[] {
  const files: SealedFile[] = [];
  const visit = (relative: string): void => {
    const entries = readdirSync(path.join(folder, relative), { withFileTypes: true });
    for (const entry of entries) {
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) visit(name);
      else if (entry.isFile()) {
        files.push(sealFile(folder, name));
        if (files.length === 1) killPoint('within flush of outputs');
      } else throw new Error(`Expected \`${name}\` among the outputs to be a file or a folder, got a link or a device`);
    }
    flush(path.join(folder, relative));
  };
  killPoint('before flush of outputs');
  visit('');
  killPoint('after flush of outputs');
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Puts a sealed folder in its place; whatever stood there is not trusted, and goes. */
export function moveFolder(from: string, to: string): void {
  makeFolder(path.dirname(to));
  if (existsSync(to)) {
    killPoint('before removing what stood in the place of outputs');
    rmSync(to, { recursive: true, force: true });
  }
  killPoint('before rename of outputs');
  renameSync(from, to);
  killPoint('after rename of outputs');
  flush(path.dirname(to));
  killPoint('after flush of the folder of outputs');
}

/** sha256 (hex) of a file, read in pieces; a wish to stop is heard between two. */
export async function hashOfFile(file: string, signal?: AbortSignal): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const hash = createHash('sha256');
    for await (const piece of handle.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      signal?.throwIfAborted();
      hash.update(piece as Buffer);
    }
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

const sealFile = (folder: string, name: string): SealedFile => {
  const handle = openSync(path.join(folder, name), 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(1 << 18);
    let bytes = 0;
    for (let read = readSync(handle, buffer); read > 0; read = readSync(handle, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
    fsyncSync(handle);
    return { name, bytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(handle);
  }
};
