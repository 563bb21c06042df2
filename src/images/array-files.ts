import { open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '../pipeline/json.js';

/** The kinds of array that are stored. */
export type StoredArray = Uint8Array | Int32Array | Float32Array;

const kinds = { Uint8Array, Int32Array, Float32Array } as const;

/** Bytes that threads can share without a copy (`SharedArrayBuffer`): decoded pixels are read by those that render ahead. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

type Index = {
  readonly about: Json;
  readonly arrays: Readonly<Record<string, { kind: keyof typeof kinds; length: number }>>;
};

/**
 * Writes arrays as they are in memory (`<name>.<array>.bin`) and what they are (`<name>.json`) into a folder: decoded pixels and
 * labels that several later steps read, and that would cost seconds to decode again.
 */
export const saveArrays = async (
  dir: string,
  name: string,
  about: Json,
  arrays: Readonly<Record<string, StoredArray>>,
): Promise<void> => {
  const index: Record<string, { kind: string; length: number }> = {};
  for (const [key, array] of Object.entries(arrays)) {
    // Node's Buffer is a Uint8Array by another name.
    const kind = array instanceof Uint8Array ? 'Uint8Array' : array.constructor.name;
    index[key] = { kind, length: array.length };
    await writeFile(
      path.join(dir, `${name}.${key}.bin`),
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
  }
  await writeFile(path.join(dir, `${name}.json`), `${JSON.stringify({ about, arrays: index })}\n`);
};

/** A file in a buffer of its own (one that threads can share, if asked), part by part: in one piece, Node reads no more than 2 GiB. */
const readWhole = async (file: string, shared: boolean): Promise<Uint8Array> => {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const bytes = shared ? sharedBytes(size) : new Uint8Array(size);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 2 ** 30), at);
      if (bytesRead === 0) throw new Error(`Expected ${file} to hold ${bytes.length} bytes, got ${at}`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
};

/** Reads what {@link saveArrays} wrote. Throws where a file is not as long as the index says. */
export const loadArrays = async (
  dir: string,
  name: string,
): Promise<{
  about: Json;
  array<T extends keyof typeof kinds>(key: string, kind: T): InstanceType<(typeof kinds)[T]>;
}> => {
  const index = JSON.parse(await readFile(path.join(dir, `${name}.json`), 'utf8')) as Index;
  const loaded = new Map<string, StoredArray>();
  for (const [key, { kind, length }] of Object.entries(index.arrays)) {
    const file = `${name}.${key}.bin`;
    const bytes = await readWhole(path.join(dir, file), kind === 'Uint8Array');
    const expected = length * kinds[kind].BYTES_PER_ELEMENT;
    if (bytes.length !== expected) throw new Error(`Expected ${file} to hold ${expected} bytes, got ${bytes.length}`);
    loaded.set(key, new kinds[kind](bytes.buffer as ArrayBuffer, 0, length));
  }
  return {
    about: index.about,
    array: <T extends keyof typeof kinds>(key: string, kind: T): InstanceType<(typeof kinds)[T]> => {
      const array = loaded.get(key);
      if (!(array instanceof kinds[kind]))
        throw new Error(
          `Expected ${name} to hold ${kind} \`${key}\`, got ${array ? array.constructor.name : 'nothing'}`,
        );
      return array as InstanceType<(typeof kinds)[T]>;
    },
  };
};
