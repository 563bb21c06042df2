import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** Where data of a run came from, as far as somebody wrote it down. */
export type DataSource = {
  readonly name: string;
  /** `videos`, `classification`, `detection`, `normals`. */
  readonly role: string;
  /** sha256 over contents, as the run computed it. */
  readonly digest?: string;
  /** Repository, address or collection. */
  readonly origin?: string;
  /** Licence or terms, in the words of whoever noted them. */
  readonly terms?: string;
  readonly note?: string;
  /** Name of the file that says so. */
  readonly statedIn?: string;
};

/** What a manifest or note says of a folder. */
export type DataNote = Pick<DataSource, 'origin' | 'terms' | 'note' | 'statedIn'>;

const maxBytes = 4 * 1024 * 1024;
const maxLetters = 600;
const manifest = 'MANIFEST.tsv';
const notes = ['SOURCE.txt', 'SOURCE.md', 'LICENSE', 'LICENSE.txt', 'LICENCE', 'README.md', 'README.txt'];

const readSmall = async (file: string): Promise<string | undefined> => {
  try {
    const found = await stat(file);
    return found.isFile() && found.size <= maxBytes ? await readFile(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
};

const shorten = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > maxLetters ? `${line.slice(0, maxLetters - 1)}…` : line;
};

/** The distinct values of a column, most frequent first, the rest counted: `MIT (40), Apache-2.0 (12) and 3 more`. */
const summarise = (values: readonly string[]): string | undefined => {
  const counts = new Map<string, number>();
  for (const value of values.filter((entry) => entry !== '')) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ordered = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  if (ordered.length === 0) return undefined;
  if (ordered.length === 1) return shorten(ordered[0]![0]);
  const shown = ordered.slice(0, 6).map(([value, count]) => `${shorten(value)} (${count})`);
  return shorten(`${shown.join(', ')}${ordered.length > 6 ? ` and ${ordered.length - 6} more` : ''}`);
};

/** The rows of a manifest that speak of `inside`: the folder itself, or what lies in it. */
const rowsOf = (text: string, inside: string): { head: string[]; rows: string[][] } => {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const [head = [], ...rows] = lines.map((line) => line.split('\t'));
  const names = (row: string[]): string => (row[0] ?? '').replace(/\/+$/, '');
  const exact = rows.filter((row) => names(row) === inside);
  return { head, rows: exact.length > 0 ? exact : rows.filter((row) => names(row).startsWith(`${inside}/`)) };
};

const fromManifest = (text: string, inside: string): DataNote | undefined => {
  const { head, rows } = rowsOf(text, inside);
  if (rows.length === 0) return undefined;
  const column = (pattern: RegExp): string[] => {
    const k = head.findIndex((name) => pattern.test(name));
    return k < 0 ? [] : rows.map((row) => (row[k] ?? '').trim());
  };
  // `repository:path@commit`: where there are many, their repositories are enough.
  const origins = column(/^(?!.*licen[cs]e).*(source|origin|url|repo)/i);
  const origin = summarise(rows.length > 1 ? origins.map((value) => value.split(/[:@]/)[0]!) : origins);
  const terms = summarise(column(/licen[cs]e|terms/i));
  const note = rows.length === 1 ? summarise(column(/^notes?$/i)) : undefined;
  const known = { ...(origin ? { origin } : {}), ...(terms ? { terms } : {}), ...(note ? { note } : {}) };
  return Object.keys(known).length > 0 ? { ...known, statedIn: manifest } : undefined;
};

/**
 * What is written down of the data in `folder`: the row of a `MANIFEST.tsv` beside it or up to three folders above (columns
 * `path` first, then any named source or repository, licence or terms, notes), otherwise the beginning of a note inside the
 * folder (`SOURCE.txt`, `LICENSE`, `README.md`, …). An empty object where nothing is: nobody guesses. Never fails.
 */
export const findDataNote = async (folder: string): Promise<DataNote> => {
  const whole = path.resolve(folder);
  for (let above = path.dirname(whole), steps = 0; steps < 4; above = path.dirname(above), steps++) {
    const text = await readSmall(path.join(above, manifest));
    const inside = path.relative(above, whole).split(path.sep).join('/');
    const note = text === undefined ? undefined : fromManifest(text, inside);
    if (note) return note;
  }
  for (const name of notes) {
    const text = await readSmall(path.join(whole, name));
    if (text !== undefined && text.trim() !== '') return { note: shorten(text), statedIn: name };
  }
  return {};
};
