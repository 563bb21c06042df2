import { parseForeignJson } from '../pipeline/parse-json.js';
import { shortened } from '../pipeline/shortened.js';

/** An array in a safetensors file. `I64` is read into int32 where every value fits (PyTorch's batch counters). */
export type StoredTensor = { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array };

/** What a safetensors file holds: arrays by name, and strings by name. */
export type Safetensors = {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
};

const HEADER_LIMIT = 100_000_000; // the limit of the reference implementation
const BYTES: Readonly<Record<string, number>> = { F32: 4, I32: 4, I64: 8 };

/**
 * The bytes of a safetensors file, in parts to be written one after the other (no second copy of large arrays): 8 bytes of
 * header length (little-endian), a JSON header padded with spaces to a multiple of 8, then the arrays in the order of their
 * names, so that equal content gives equal bytes.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const name of [...tensors.keys()].sort()) {
    const { shape, data } = tensors.get(name)!;
    const size = shape.reduce((a, b) => a * b, 1);
    if (name === '__metadata__') throw new Error('Expected a tensor name other than the reserved `__metadata__`');
    if (size !== data.length) {
      throw new Error(`Expected ${size} values for \`${name}\` of shape [${shape.join(', ')}], got ${data.length}`);
    }
    header[name] = {
      dtype: data instanceof Float32Array ? 'F32' : 'I32',
      shape,
      data_offsets: [offset, offset + data.byteLength],
    };
    offset += data.byteLength;
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  let text = Buffer.from(JSON.stringify(header), 'utf8');
  text = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return [length, text, ...parts];
}

/**
 * Reads the bytes of a safetensors file. Believes nothing in the header: every array must have a known type, as many bytes as
 * its shape asks for, and the arrays must cover the file exactly, without gap or overlap. `source` names the file in messages.
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors'): Safetensors {
  const fail = (problem: string): never => {
    throw new Error(`${source} is not a sound safetensors file: ${shortened(problem, 2000)}`);
  };
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 8) return fail(`${view.length} bytes are too few`);
  const claimed = view.readBigUInt64LE(0);
  if (claimed > BigInt(HEADER_LIMIT) || claimed + 8n > BigInt(view.length)) {
    return fail(`its header claims ${claimed} bytes, the file has ${view.length}`);
  }
  const begin = 8 + Number(claimed);
  const header = parseHeader(view.subarray(8, begin), fail);

  const tensors = new Map<string, StoredTensor>();
  const spans: [from: number, to: number, name: string][] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = readMetadata(entry, fail);
      continue;
    }
    const { dtype, shape, from, to } = readEntry(name, entry, fail);
    if (begin + to > view.length) fail(`\`${name}\` ends ${begin + to - view.length} bytes behind the end of the file`);
    spans.push([from, to, name]);
    tensors.set(name, { shape, data: readValues(name, dtype, view.subarray(begin + from, begin + to), fail) });
  }

  let covered = 0;
  for (const [from, to, name] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== covered) fail(`\`${name}\` begins at byte ${from} of the data, expected ${covered}`);
    covered = to;
  }
  if (begin + covered !== view.length) fail(`${view.length - begin - covered} bytes belong to no array`);
  return { tensors, metadata };
}

type Fail = (problem: string) => never;

function parseHeader(bytes: Buffer, fail: Fail): Record<string, unknown> {
  let header: unknown;
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    header = parseForeignJson(text, 'header');
  } catch (error) {
    fail(`its header is not JSON (${(error as Error).message})`);
  }
  const twice = repeatedName(text);
  if (twice !== undefined) fail(`the name \`${twice}\` stands twice`);
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('its header is not an object');
  return header as Record<string, unknown>;
}

/** A name that an object in JSON has twice, which a parser passes over in silence: each takes another one of the two. */
function repeatedName(text: string): string | undefined {
  const names = new Set<string>();
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (depth !== 1 || !/\s*:/y.test(text.slice(at + 1, at + 100))) continue;
      const name = JSON.parse(text.slice(start, at + 1)) as string;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}

function readMetadata(entry: unknown, fail: Fail): Record<string, string> {
  const isObject = typeof entry === 'object' && entry !== null && !Array.isArray(entry);
  if (!isObject || Object.values(entry).some((value) => typeof value !== 'string')) {
    fail('`__metadata__` is not an object of strings');
  }
  return entry as Record<string, string>;
}

function readEntry(
  name: string,
  entry: unknown,
  fail: Fail,
): { dtype: string; shape: number[]; from: number; to: number } {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
    return fail(`\`${name}\` has type ${JSON.stringify(dtype)}, expected one of ${Object.keys(BYTES).join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) return fail(`\`${name}\` has no proper shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`\`${name}\` has no proper data_offsets`);
  }
  const [from, to] = offsets as [number, number];
  const bytes = shape.reduce((a, b) => a * b, 1) * BYTES[dtype]!;
  if (to - from !== bytes) {
    fail(`\`${name}\` of shape [${shape.join(', ')}] needs ${bytes} bytes, its offsets give ${to - from}`);
  }
  return { dtype, shape, from, to };
}

function readValues(name: string, dtype: string, bytes: Buffer, fail: Fail): Float32Array | Int32Array {
  // Copied: the bytes of a file need not be aligned, and a small array must not hold on to the whole file.
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (dtype === 'F32') return new Float32Array(copy.buffer);
  if (dtype === 'I32') return new Int32Array(copy.buffer);
  return Int32Array.from(new BigInt64Array(copy.buffer), (value) => {
    if (value !== BigInt.asIntN(32, value)) fail(`\`${name}\` holds ${value}, which is no 32-bit integer`);
    return Number(value);
  });
}
