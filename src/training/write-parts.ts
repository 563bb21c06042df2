import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { flush } from '../pipeline/durable-files.js';
import { killPoint } from '../pipeline/kill-point.js';

/** What a file that is being written has behind its name. */
export const PARTIAL = '.partial';

/** Size of a file in parts. */
export const bytesOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { byteLength }) => sum + byteLength, 0);

/**
 * Writes a file of several parts, large arrays without a copy: temporary name, flush, rename, flush of the folder. A reader finds the
 * old one or the new one whole; a write that fails takes its half of the file away again.
 */
export async function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  try {
    const handle = await open(file + PARTIAL, 'w');
    try {
      for (const [index, part] of parts.entries()) {
        await handle.writeFile(part);
        if (index === parts.length >> 1) killPoint('checkpoint:half-written');
      }
      killPoint('checkpoint:unflushed');
      await handle.sync();
    } finally {
      await handle.close();
    }
    killPoint('checkpoint:written');
    await rename(file + PARTIAL, file);
  } catch (error) {
    await rm(file + PARTIAL, { force: true }).catch(() => {});
    throw error;
  }
  flush(path.dirname(file));
}
