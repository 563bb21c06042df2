import { createHash } from 'node:crypto';
import type { Json } from './json.js';

/**
 * JSON with sorted keys and no spaces: equal values give equal text, whatever the order in which keys were set. Keys whose value
 * is `undefined` are left out.
 *
 * @throws Error where a value would not survive JSON (NaN, infinity, a function, a Date), naming its place.
 */
export function canonicalJson(value: unknown, place = 'value'): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((entry, i) => canonicalJson(entry, `${place}[${i}]`)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const parts = Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry, `${place}.${key}`)}`);
    return `{${parts.join(',')}}`;
  }
  throw new Error(`Expected \`${place}\` to be a value that survives JSON, got \`${String(value)}\` (${typeof value})`);
}

/** The value as it will be read back: keys sorted, `undefined` gone. Throws like `canonicalJson`. */
export function toJson(value: unknown, place = 'value'): Json {
  return JSON.parse(canonicalJson(value, place)) as Json;
}

/** sha256 (hex) of a text or of bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};
