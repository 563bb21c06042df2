import path from 'node:path';
import { itemKeyOf } from '../keys.js';
import type { Json } from '../json.js';
import type { Ledger, StoredArtefact, StoredItem } from './ledger.js';
import { isAsSealed } from './seal.js';

/** One verdict as it stands in the ledger, its JSON not read yet: a damaged row has to be told, and must end nothing. */
export type RawItem = {
  readonly key: string;
  readonly stage: string;
  readonly recipe: string;
  readonly content: string;
  readonly label: string;
  readonly status: string;
  readonly reason: string | null;
  readonly data: string;
  readonly notes: string;
  readonly artefacts: readonly StoredArtefact[];
  readonly seal?: string | null;
};

const pageSize = 256;

/** All verdicts with their files in the order of keys, read page by page: memory does not grow with the ledger, and rows may go meanwhile. */
export function* walkItems(ledger: Ledger): Generator<RawItem> {
  let last = '';
  for (;;) {
    const page = ledger.rows('SELECT * FROM items WHERE key > ? ORDER BY key LIMIT ?', last, pageSize);
    if (page.length === 0) return;
    yield* withFiles(ledger, page as unknown as RawItem[]);
    last = String(page.at(-1)!['key']);
  }
}

/** The verdicts with these keys, as far as there are any; a page at a time. */
export function* itemsWithKeys(ledger: Ledger, keys: readonly string[]): Generator<RawItem> {
  for (let at = 0; at < keys.length; at += pageSize) {
    const some = keys.slice(at, at + pageSize);
    const places = some.map(() => '?').join(', ');
    yield* withFiles(
      ledger,
      ledger.rows(`SELECT * FROM items WHERE key IN (${places})`, ...some) as unknown as RawItem[],
    );
  }
}

const withFiles = (ledger: Ledger, items: readonly RawItem[]): RawItem[] => {
  const files = new Map<string, StoredArtefact[]>(items.map(({ key }) => [key, []]));
  const places = items.map(() => '?').join(', ');
  const select = `SELECT * FROM artefacts WHERE item IN (${places}) ORDER BY item, name`;
  for (const row of ledger.rows(select, ...files.keys())) {
    const { name, path: relative, bytes, sha256 } = row as unknown as StoredArtefact;
    files.get(String(row['item']))!.push({ name, path: relative, bytes, sha256, volatile: row['volatile'] === 1 });
  }
  return items.map((item) => ({ ...item, artefacts: files.get(item.key)! }));
};

/** Whether a name may be that of a stage, and so of a folder. */
export const isStageName = (name: string): boolean => /^[a-z][a-z0-9-]{2,}$/.test(name);

/** What is wrong with a row, whatever its files hold; or `undefined`. */
export function flawOfRow(item: RawItem): string | undefined {
  if (!isStageName(item.stage)) return 'names no stage';
  if (item.key !== itemKeyOf(item.recipe, item.content))
    return 'has a key that does not follow from its recipe and content';
  if (!['done', 'rejected', 'failed'].includes(item.status)) return 'has no verdict';
  const read = readRow(item);
  if (read === undefined) return 'holds torn JSON';
  const folder = path.join(item.stage, item.key.slice(0, 2), item.key);
  const astray = item.artefacts.find(
    (file) => file.path !== path.join(folder, file.name) || !isBelow(file.path, folder),
  );
  if (astray) return `names a file that is not in its place (${astray.path})`;
  return isAsSealed(read) ? undefined : 'is not as it was recorded';
}

const readRow = (item: RawItem): Parameters<typeof isAsSealed>[0] | undefined => {
  try {
    const { status, reason, data, notes } = item;
    return {
      ...item,
      ...{ status: status as StoredItem['status'], reason: reason ?? undefined },
      ...{ data: JSON.parse(data) as Json, notes: JSON.parse(notes) as Json },
    };
  } catch {
    return undefined;
  }
};

const isBelow = (file: string, folder: string): boolean => path.normalize(file).startsWith(`${folder}${path.sep}`);
