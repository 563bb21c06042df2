import { existsSync, statSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readForeignFile, stayInside } from '../pipeline/foreign-file.js';
import type { Json } from '../pipeline/json.js';
import { parseForeignJson } from '../pipeline/parse-json.js';
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

/** What `<name>.json` holds. Names of arrays become names of files: they are words, and lead nowhere. */
const indexSchema = z.object({
  about: z.unknown(),
  arrays: z.record(
    z.string().regex(/^\w+$/),
    z.object({ kind: z.enum(['Uint8Array', 'Int32Array', 'Float32Array']), length: z.int().min(0) }),
  ),
});

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

/** Arrays as they were read back. */
export type LoadedArrays<A> = {
  readonly about: A;
  array<T extends keyof typeof kinds>(key: string, kind: T): InstanceType<(typeof kinds)[T]>;
  /** Values of an array, read or left in its file; 0 where there is none of that name. */
  length(key: string): number;
};

/**
 * Reads what {@link saveArrays} wrote; arrays named in `left` stay in their files, whose lengths alone are looked at. A run folder may come
 * from strangers: the index must be of its form, and no file is a link that leads out of the folder.
 *
 * @param options `about`: the form of what was written about the arrays
 * @throws Error where the index is not of its form, or a file is not as long as it says
 */
export const loadArrays = async <A = Json>(
  dir: string,
  name: string,
  { left = [], about }: { readonly left?: readonly string[]; readonly about?: z.ZodType<A> } = {},
): Promise<LoadedArrays<A>> => {
  const inside = stayInside(dir);
  const label = `${name}.json`;
  const index = parsed(
    indexSchema,
    parseForeignJson(readForeignFile(inside(path.join(dir, label))).toString(), label),
    label,
  );
  const loaded = new Map<string, StoredArray>();
  for (const [key, { kind, length }] of Object.entries(index.arrays)) {
    const file = arrayFile(dir, name, key);
    const expected = length * kinds[kind].BYTES_PER_ELEMENT;
    if (!existsSync(file)) throw new Error(`Expected ${path.basename(file)} beside ${label}, got none`);
    const facts = statSync(inside(file));
    if (!facts.isFile() || facts.size !== expected) {
      const got = facts.isFile() ? facts.size : 'no file';
      throw new Error(`Expected ${path.basename(file)} to hold ${expected} bytes, got ${got}`);
    }
    if (left.includes(key)) continue;
    const bytes = await readWhole(file, kind === 'Uint8Array');
    loaded.set(key, new kinds[kind](bytes.buffer as ArrayBuffer, 0, length));
  }
  return {
    about: about ? parsed(about, index.about, label) : (index.about as A),
    array: <T extends keyof typeof kinds>(key: string, kind: T): InstanceType<(typeof kinds)[T]> => {
      const array = loaded.get(key);
      if (!(array instanceof kinds[kind]))
        throw new Error(
          `Expected ${name} to hold ${kind} \`${key}\`, got ${array ? array.constructor.name : 'nothing'}`,
        );
      return array as InstanceType<(typeof kinds)[T]>;
    },
    length: (key) => (Object.hasOwn(index.arrays, key) ? index.arrays[key]!.length : 0),
  };
};

const parsed = <T>(schema: z.ZodType<T>, value: unknown, label: string): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path: place, message } = result.error.issues[0]!;
  throw new Error(
    `Expected ${label} to describe stored arrays, got something else at \`${place.join('.')}\`: ${message}`,
  );
};

/**
 * @param what `labels`, for the message
 * @throws Error where a number is not from `least` up to, and without, `end`
 */
export const checkNumbers = (numbers: ArrayLike<number>, least: number, end: number, what: string): void => {
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i]! >= least && numbers[i]! < end) continue;
    throw new Error(`Expected ${what} from ${least} to ${end - 1}, got ${numbers[i]!} in place ${i}`);
  }
};

/** @throws Error where a list or array is not as long as another says */
export const checkLength = (found: number, expected: number, what: string): void => {
  if (found !== expected) throw new Error(`Expected ${expected} of ${what}, got ${found}`);
};
