const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' };

/** Text without line breaks, control characters and marks that turn the direction of writing. */
export const oneLine = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');

/** Text as Markdown shows it literally, on one line: names come from users' disks and may hold anything. */
export const escapeMarkdown = (text: string): string =>
  oneLine(text)
    .replace(/[\\`*_[\]<>|~&$]/g, (character) => entities[character] ?? `\\${character}`)
    // What would begin a list, heading or quotation.
    .replace(/^(\s*)([-+#=]|\d+(?=[.)](?:\s|$)))/, (_, space: string, start: string) =>
      /\d/.test(start) ? `${space}${start}\\` : `${space}\\${start}`,
    )
    // A bare address would become a link.
    .replace(/\b(https?|ftp|www)(?=[:.])/gi, (scheme) => `${scheme[0]}<!-- -->${scheme.slice(1)}`);

/** A sentence in which `names` stand between backticks: these as code spans, the rest literally. */
export const markdownSentence = (text: string): string =>
  oneLine(text)
    .split(/`([^`]+)`/)
    .map((part, k) => (k % 2 === 1 ? codeSpan(part) : escapeMarkdown(part)))
    .join('');

/** Warnings as one quotation, which no viewer of Markdown hides or plays down; nothing where there is none. */
export const markdownWarnings = (sentences: readonly string[]): string[] =>
  sentences.length === 0
    ? []
    : [sentences.map((sentence) => `> **Warning:** ${markdownSentence(sentence)}`).join('\n>\n')];

/** Text as a code span for a table's cell: one line, pipes escaped, and a fence longer than any run of backticks inside. */
export const codeSpan = (text: string): string => {
  const line = oneLine(text).replaceAll('|', '\\|');
  const fence = '`'.repeat(longestFence(line) + 1);
  const pad = line === '' || /^[` ]|[` ]$/.test(line) ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
};

/** A command as a code block: one line, and a fence longer than any run of backticks inside. */
export const codeBlock = (text: string): string => {
  const line = oneLine(text);
  const fence = '`'.repeat(Math.max(3, longestFence(line) + 1));
  return `${fence}bash\n${line}\n${fence}`;
};

const longestFence = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

/** A table from finished cells (escaped already). `align` has one letter a column: `l` or `r`. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[], align: string): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map((_, k) => (align[k] === 'r' ? '---:' : '---')));
  return [line(head), rule, ...rows.map(line)].join('\n');
};
