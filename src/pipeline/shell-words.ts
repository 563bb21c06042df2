/**
 * The words of a command line as a shell takes them: bare, in single quotes, or in `$'…'` where there are control characters; the
 * inverse of what a ledger's `command` was put together with.
 */
export function wordsOf(command: string): string[] {
  const words = command.matchAll(/(?:[^\s'\\$]|\$(?!')|\\.|\$'(?:[^'\\]|\\.)*'|'[^']*')+/g);
  return [...words].map(([word]) =>
    word.replace(/\$'((?:[^'\\]|\\.)*)'|'([^']*)'|\\(.)/g, (_, escaped?: string, quoted?: string, single?: string) =>
      escaped === undefined ? (quoted ?? single!) : unescape(escaped),
    ),
  );
}

/** The words of this program's own arguments in a command as runs recorded it before they recorded words: `npm run pipeline NAME -- …`. */
export function ownWordsOf(command: string): string[] | undefined {
  const words = wordsOf(command);
  if (words.slice(0, 3).join(' ') !== 'npm run pipeline' || words.length < 4) return undefined;
  return words.slice(3).filter((word, at) => at !== 1 || word !== '--');
}

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

const unescape = (text: string): string =>
  text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/g, (_, two?: string, four?: string, letter?: string) => {
    const code = two ?? four;
    return code === undefined ? (letters[letter!] ?? letter!) : String.fromCodePoint(parseInt(code, 16));
  });
