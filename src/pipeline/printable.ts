// C0 and C1 controls, line separators, and marks that turn the direction of writing around.
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escape = (character: string): string => {
  const code = character.charCodeAt(0);
  return (
    named[character] ??
    (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`)
  );
};

/**
 * A name as it may be shown on one line of a terminal or a log: what would move the cursor, change colours or begin a line of its own is
 * written out (`\n`, `\x1b`). For showing only: the name itself stays as it is wherever it is kept.
 */
export const printable = (name: string): string => name.replace(unprintable, escape);

/** The same for text that may have several lines: line ends and tabs stay. */
export const printableText = (text: string): string =>
  text.replace(unprintable, (character) => (character === '\n' || character === '\t' ? character : escape(character)));
