import { shortened } from '../pipeline/shortened.js';
import { UsageError } from '../pipeline/usage-error.js';

/** A value as a message shows it: what a number or text is, of anything else the kind. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return `\`${shortened(value, 200)}\``;
  if (value === undefined || value === null) return value === null ? 'null' : 'nothing';
  if (typeof value === 'object') return `${Array.isArray(value) ? 'a list' : (value.constructor?.name ?? 'an object')}`;
  return typeof value === 'function' ? 'a function' : `\`${String(value)}\``;
};

/** @throws UsageError where a path was not given */
export const checkPathGiven = (name: string, value: unknown): void => {
  if (typeof value !== 'string') throw new UsageError(`Expected \`${name}\` to be a path, got ${shown(value)}`);
};

/** @throws RangeError for what is no integer between two, both included */
export const checkInteger = (name: string, value: unknown, least: number, most = Infinity): void => {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`Expected \`${name}\` to be an integer ${range}, got ${shown(value)}`);
};

/** @throws RangeError for what is none of a few words */
export const checkWord = (name: string, value: unknown, known: readonly string[]): void => {
  if (!known.includes(value as string))
    throw new RangeError(`Expected \`${name}\` to be one of ${known.join(', ')}, got ${shown(value)}`);
};
