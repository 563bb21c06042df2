const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' };

/** Text as Markdown shows it literally, on one line: names come from users' disks and may hold anything. */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/[\\`*_[\]<>|~&$]/g, (character) => entities[character] ?? `\\${character}`)
    // What would begin a list, heading or quotation.
    .replace(/^(\s*)([-+#=]|\d+(?=[.)](?:\s|$)))/, (_, space: string, start: string) =>
      /\d/.test(start) ? `${space}${start}\\` : `${space}\\${start}`,
    )
    // A bare address would become a link.
    .replace(/\b(https?|ftp|www)(?=[:.])/gi, (scheme) => `${scheme[0]}<!-- -->${scheme.slice(1)}`);

/** Text as a code span for a table's cell: one line, pipes escaped, and a fence longer than any run of backticks inside. */
export const codeSpan = (text: string): string => {
  const line = text
    .replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replaceAll('|', '\\|');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line === '' || /^[` ]|[` ]$/.test(line) ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
};

/** A table from finished cells (escaped already). `align` has one letter a column: `l` or `r`. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[], align: string): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map((_, k) => (align[k] === 'r' ? '---:' : '---')));
  return [line(head), rule, ...rows.map(line)].join('\n');
};
