import { closestMatch } from 'leven';

/** ` (did you mean \`mine\`?)` if a known name is close to the given one, else the list of them. */
export function nearestOf(given: string, known: readonly string[]): string {
  const near = closestMatch(given, known, { maxDistance: Math.max(2, Math.ceil(given.length / 3)) });
  if (near !== undefined) return `did you mean \`${near}\`?`;
  return known.length > 0 ? `expected one of: ${known.join(', ')}` : 'there are none';
}
