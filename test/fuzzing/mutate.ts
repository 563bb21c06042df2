import type { RandomStream } from '../../src/numeric/random.js';

const numbers = [
  '0',
  '-1',
  '1e999',
  '-0',
  'NaN',
  'null',
  '4294967295',
  '9007199254740993',
  '1e308',
  '0.5',
  '2147483648',
];
const wholes = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn];
const longWholes = [...wholes, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn, 0x20_0000_0000_0000n];

type Change = (bytes: Buffer, random: RandomStream, dictionary: readonly string[], other: Buffer) => Buffer;

const pick = <T>(list: readonly T[], random: RandomStream): T => list[random.integer(list.length)]!;

/** A place in the bytes; the head of a file, where its sizes stand, as often as all the rest. */
const placeIn = (bytes: Buffer, random: RandomStream): number =>
  random.integer(random.chance(0.5) ? Math.min(bytes.length, 200) : bytes.length);

const spliced = (bytes: Buffer, at: number, gone: number, put: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);

/** The changes, by name. Each gets at least two bytes. */
const changes: Readonly<Record<string, Change>> = {
  'bit flips': (bytes, random) => {
    const out = Buffer.from(bytes);
    for (let left = 1 + random.integer(8); left > 0; left--) out[placeIn(out, random)]! ^= 1 << random.integer(8);
    return out;
  },
  cut: (bytes, random) => bytes.subarray(0, random.integer(bytes.length)),
  beheaded: (bytes, random) => bytes.subarray(random.integer(bytes.length)),
  'chunk gone': (bytes, random) => spliced(bytes, placeIn(bytes, random), 1 + random.integer(40), Buffer.alloc(0)),
  'chunk twice': (bytes, random) => {
    const at = placeIn(bytes, random);
    const chunk = bytes.subarray(at, at + 1 + random.integer(200));
    return spliced(bytes, at, 0, Buffer.concat(Array<Buffer>(1 + random.integer(6)).fill(chunk)));
  },
  'chunk of another': (bytes, random, _, other) => {
    const from = random.integer(other.length);
    return spliced(bytes, placeIn(bytes, random), random.integer(60), other.subarray(from, from + random.integer(300)));
  },
  'lying length': (bytes, random) => {
    const width = pick([1, 2, 4, 8], random);
    if (bytes.length <= width) return Buffer.alloc(0);
    const out = Buffer.from(bytes);
    const at = Math.min(placeIn(out, random), out.length - width);
    let value = pick(width === 8 ? longWholes : wholes, random);
    const isBig = random.chance(0.5);
    for (let i = 0; i < width; i++, value >>= 8n) out[isBig ? at + width - 1 - i : at + i] = Number(value & 0xffn);
    return out;
  },
  'word of the format': (bytes, random, dictionary) => {
    const word = Buffer.from(dictionary.length > 0 ? pick(dictionary, random) : '\0', 'latin1');
    return spliced(bytes, placeIn(bytes, random), random.chance(0.5) ? word.length : 0, word);
  },
  'other number': (bytes, random) => {
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(/-?\d+(\.\d+)?/g)];
    if (found.length === 0) return bytes.subarray(1);
    const { index, 0: number } = pick(found, random);
    return Buffer.from(text.slice(0, index) + pick(numbers, random) + text.slice(index + number.length), 'latin1');
  },
};

/** Names of the changes, in the order in which they take turns. */
export const changeNames: readonly string[] = Object.keys(changes);

/**
 * Changes a valid sample, by one change or a few one after another, as a stream of random numbers says.
 *
 * @param dictionary words of the format, in latin1
 * @param other another sample, to take pieces of
 */
export const mutate = (
  bytes: Uint8Array,
  change: string,
  random: RandomStream,
  dictionary: readonly string[],
  other: Uint8Array,
): Buffer => {
  const from = Buffer.from(other);
  let out = Buffer.from(bytes);
  const names = [change, ...Array.from({ length: random.integer(3) }, () => pick(changeNames, random))];
  for (const name of random.chance(0.5) ? names : [change]) {
    if (out.length >= 2 && from.length >= 1) out = changes[name]!(out, random, dictionary, from) as Buffer<ArrayBuffer>;
  }
  return out;
};
