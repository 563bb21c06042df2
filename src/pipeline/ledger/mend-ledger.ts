import { isUtf8 } from 'node:buffer';
import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { flush } from '../durable-files.js';
import { killPoint } from '../kill-point.js';
import type { Ledger } from './ledger.js';
import { ledgerTables, ledgerVersion } from './ledger-schema.js';

/** What could be read of a damaged ledger. */
export type MendedLedger = {
  /** The damaged file, kept beside the mended one: its name. */
  readonly kept: string;
  /** Rows saved, by table. */
  readonly rows: Readonly<Record<string, number>>;
};

/** Tables worth saving, and their columns that hold JSON. The lock is not: who asks for a ledger to be mended says that no run is at work. */
const tables: Readonly<Record<string, readonly string[]>> = {
  runs: ['config', 'argv'],
  stage_runs: ['params', 'inputs', 'contents'],
  items: ['data', 'notes'],
  artefacts: [],
  file_hashes: [],
};

type Row = Readonly<Record<string, string | number | null>>;

/**
 * Writes a new ledger from every row of a damaged one that can still be read, and puts it in its place; the damaged file stays beside it.
 * Nothing is trusted by that: what rows claim has to be verified (`verifyFolder` with `strict`).
 */
export function mendLedger(workDir: string): MendedLedger {
  const file = path.join(workDir, 'ledger.sqlite');
  const mended = `${file}.mended`;
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(mended + end, { force: true });
  const from = new Database(file);
  const to = new Database(mended);
  const rows: Record<string, number> = {};
  try {
    from.exec('PRAGMA trusted_schema = OFF');
    to.exec(`BEGIN; ${ledgerTables} PRAGMA user_version = ${ledgerVersion};`);
    for (const [table, json] of Object.entries(tables)) {
      rows[table] = 0;
      const types = columnTypes(to, table);
      for (const row of readableRows(from, table, sharedColumns(from, table, types)))
        if (hasTypes(row, types) && isWhole(row, json) && insert(to, table, row)) rows[table] += 1;
    }
    // Whatever it had come to, rows of it may be gone: its command goes on.
    to.exec(`UPDATE runs SET outcome = 'interrupted' WHERE id = (SELECT max(id) FROM runs)`);
    to.exec(`PRAGMA application_id = ${unverified}; COMMIT;`);
  } finally {
    to.close();
    from.close();
  }
  const kept = keepDamaged(file);
  flush(mended);
  killPoint('before a mended ledger takes its place');
  // What the log beside the damaged file held was read through it; beside the new one it would be another's.
  for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true });
  renameSync(mended, file);
  flush(workDir);
  return { kept: path.basename(kept), rows };
}

/** `PRAGMA application_id` of a ledger that was mended and whose rows nobody has held against the files yet. */
const unverified = 0x6d656e64;

/** Whether a ledger was mended, and its rows were not held against the files since. */
export const isUnverified = (ledger: Ledger): boolean =>
  Object.values(ledger.rows('PRAGMA application_id')[0]!)[0] === unverified;

/** What is left in a ledger has been held against the files. */
export const markVerified = (ledger: Ledger): void => void ledger.rows('PRAGMA application_id = 0');

/** A second name for the damaged file, so that there is a ledger in its place at every moment. */
/** Gives the damaged file a second name: the first is never without a file. */
const keepDamaged = (file: string): string => {
  let number = 1;
  while (existsSync(`${file}.damaged-${number}`)) number += 1;
  const kept = `${file}.damaged-${number}`;
  try {
    linkSync(file, kept);
  } catch {
    // A disk without hard links (FAT, some network drives).
    copyFileSync(file, `${kept}.tmp`);
    flush(`${kept}.tmp`);
    renameSync(`${kept}.tmp`, kept);
  }
  return kept;
};

/** Failures in a row after which the rest of a table is given up: of its last page one cannot tell how many rows it held. */
const mostFailures = 2000;
const pageRows = 512;

/** Rows of a table in the order of their numbers: many at a time, and one by one where that fails. */
function* readableRows(from: Database.Database, table: string, columns: readonly string[]): Generator<Row> {
  const read = (first: number, count: number): (Row & { readonly number: number })[] | undefined => {
    try {
      // One row is asked for by its number: a search for the next one would pass through the damaged page.
      const where = count === 1 ? 'rowid = ?' : 'rowid >= ?';
      const sql = `SELECT rowid AS number, ${columns.join(', ')} FROM ${table} WHERE ${where} ORDER BY rowid LIMIT ${count}`;
      return (from.prepare(sql).all(first) as object[]).map(decoded) as ReturnType<typeof read>;
    } catch {
      return undefined;
    }
  };
  if (columns.length === 0) return;
  let failures = 0;
  for (let next = 1; failures < mostFailures;) {
    const many = read(next, pageRows);
    const rows = many ?? read(next, 1);
    if (!rows) failures += 1;
    else if (rows.length > 0) failures = 0;
    for (const { number: _, ...row } of rows ?? []) yield row;
    if (many && many.length < pageRows) return;
    next = many ? many.at(-1)!.number + 1 : next + 1;
  }
}

/**
 * Columns that a damaged table shares with ours (an older ledger has fewer; all, where its own list cannot be read), as they are selected: text as
 * its bytes, since the driver ends the process at text that is no UTF-8. None where the name is that of something other than a table.
 */
const sharedColumns = (
  from: Database.Database,
  table: string,
  types: ReadonlyMap<string, 'string' | 'number'>,
): string[] => {
  let there: ReadonlySet<string> | undefined;
  try {
    const kinds = from.prepare('SELECT type FROM sqlite_master WHERE name = ?').all(table) as { type: string }[];
    if (kinds.some(({ type }) => type !== 'table')) return [];
    there = new Set((from.prepare(`PRAGMA table_info(${table})`).all() as { name: string }[]).map(({ name }) => name));
  } catch {
    there = undefined;
  }
  return [...types]
    .filter(([name]) => there === undefined || there.size === 0 || there.has(name))
    .map(([name, type]) =>
      type === 'string'
        ? `CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) WHEN 'null' THEN NULL ELSE 0 END AS ${name}`
        : `CASE WHEN typeof(${name}) IN ('integer', 'real', 'null') THEN ${name} ELSE 'no number' END AS ${name}`,
    );
};

/** A selected row with its bytes as text; those that are none stay bytes, which no column has. */
const decoded = (row: object): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof ArrayBuffer && isUtf8(value) ? Buffer.from(value).toString() : value,
    ]),
  );

/** What `typeof` gives for a column's values. */
const columnTypes = (to: Database.Database, table: string): ReadonlyMap<string, 'string' | 'number'> => {
  const columns = to.prepare(`PRAGMA table_info(${table})`).all() as { name: string; type: string }[];
  return new Map(columns.map(({ name, type }) => [name, type === 'TEXT' ? 'string' : 'number']));
};

/** Whether a row has the columns of its table and none else, with values of their types: garbage may look like a row. */
const hasTypes = (row: Row, types: ReadonlyMap<string, 'string' | 'number'>): boolean =>
  Object.entries(row).every(([name, value]) => types.has(name) && (value === null || typeof value === types.get(name)));

const isWhole = (row: Row, json: readonly string[]): boolean =>
  json.every((column) => {
    if (row[column] == null) return true;
    try {
      JSON.parse(String(row[column]));
      return true;
    } catch {
      return false;
    }
  });

const insert = (to: Database.Database, table: string, row: Row): boolean => {
  const columns = Object.keys(row);
  try {
    to.prepare(
      `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ).run(...Object.values(row));
    return true;
  } catch {
    return false; // A column that must not be empty is.
  }
};
