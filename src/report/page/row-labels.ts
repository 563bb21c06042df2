/** Letters of a line, and lines of a label, beside a chart. */
const mostLetters = 22;
const mostLines = 3;

/** Breaks behind spaces, hyphens and the like; a word that is longer than a line is broken where the line ends. */
const wrap = (name: string): string[] => {
  const words = name.match(/[^\s\-/_]*[\s\-/_]|[^\s\-/_]+/g) ?? [name];
  const pieces = words.flatMap((word) => word.match(new RegExp(`.{1,${mostLetters}}`, 'gsu')) ?? []);
  const lines: string[] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (last !== undefined && (last + piece).trimEnd().length <= mostLetters) lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines.map((line) => line.trim());
};

/** What is too long for all lines loses its middle, where names of one family differ least. */
const shorten = (name: string): string => {
  const half = Math.floor((mostLetters * (mostLines - 1)) / 2);
  return name.length <= mostLetters * mostLines ? name : `${name.slice(0, half)}…${name.slice(-half)}`;
};

/**
 * The names of a chart's rows as lines of at most 22 letters. Names of more than 66 letters lose their middle, unless two rows would
 * then read the same.
 */
export const rowLabels = (names: readonly string[]): string[][] => {
  const short = names.map(shorten);
  return (new Set(short).size === new Set(names).size ? short : names).map(wrap);
};
