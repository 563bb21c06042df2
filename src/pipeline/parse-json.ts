import { UsageError } from './usage-error.js';

/** Deepest nesting of JSON from outside: whatever walks a value by calling itself must come to an end. */
export const maxJsonDepth = 256;

/** How deep brackets are nested in a JSON text; brackets in strings count for nothing. */
const depthOf = (text: string): number => {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        most = Math.max(most, ++depth);
        if (most > maxJsonDepth) return most;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
  return most;
};

/**
 * Parses JSON that came from outside.
 *
 * @param label names the text in messages
 * @throws UsageError where it is no JSON, or nested deeper than {@link maxJsonDepth}
 */
export const parseForeignJson = (text: string, label: string): unknown => {
  if (depthOf(text) > maxJsonDepth) {
    throw new UsageError(`${label}: expected JSON of at most ${maxJsonDepth} levels, got more`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${label}: expected JSON: ${(error as Error).message}`, { cause: error });
  }
};
