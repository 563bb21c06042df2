import { open, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '../pipeline/json.js';
import { killPoint } from '../pipeline/kill-point.js';

/** The kinds of array that are stored. */
export type StoredArray = Uint8Array | Int32Array | Float32Array;

const kinds = { Uint8Array, Int32Array, Float32Array } as const;

/** Bytes that threads can share without a copy (`SharedArrayBuffer`): decoded pixels are read by those that render ahead. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

/** An array of bytes whose file was written before, as it came: {@link saveArrays} notes its length. */
export type WrittenBytes = { readonly written: number };

/** The file of an array. */
export const arrayFile = (dir: string, name: string, array: string): string => path.join(dir, `${name}.${array}.bin`);

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
  arrays: Readonly<Record<string, StoredArray | WrittenBytes>>,
): Promise<void> => {
  const index: Record<string, { kind: string; length: number }> = {};
  for (const [key, array] of Object.entries(arrays)) {
    if ('written' in array) {
      index[key] = { kind: 'Uint8Array', length: array.written };
      continue;
    }
    // Node's Buffer is a Uint8Array by another name.
    const kind = array instanceof Uint8Array ? 'Uint8Array' : array.constructor.name;
    index[key] = { kind, length: array.length };
    await writeFile(arrayFile(dir, name, key), new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  killPoint('before the index of arrays');
  await writeFile(path.join(dir, `${name}.json`), `${JSON.stringify({ about, arrays: index })}\n`);
};

/** A file in a buffer of its own (one that threads can share, if asked), part by part: in one piece, Node reads no more than 2 GiB. */
export const readWhole = async (file: string, shared: boolean): Promise<Uint8Array> => {
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

/**
 * Reads what {@link saveArrays} wrote; arrays named in `left` stay in their files, whose lengths alone are looked at.
 *
 * @throws Error where a file is not as long as the index says
 */
export const loadArrays = async (
  dir: string,
  name: string,
  { left = [] }: { readonly left?: readonly string[] } = {},
): Promise<{
  about: Json;
  array<T extends keyof typeof kinds>(key: string, kind: T): InstanceType<(typeof kinds)[T]>;
}> => {
  const index = JSON.parse(await readFile(path.join(dir, `${name}.json`), 'utf8')) as Index;
  const loaded = new Map<string, StoredArray>();
  for (const [key, { kind, length }] of Object.entries(index.arrays)) {
    const file = arrayFile(dir, name, key);
    const expected = length * kinds[kind].BYTES_PER_ELEMENT;
    const { size } = await stat(file);
    if (size !== expected) throw new Error(`Expected ${path.basename(file)} to hold ${expected} bytes, got ${size}`);
    if (left.includes(key)) continue;
    const bytes = await readWhole(file, kind === 'Uint8Array');
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
