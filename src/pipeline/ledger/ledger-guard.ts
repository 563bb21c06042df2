import { isUtf8 } from 'node:buffer';
import { closeSync, existsSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type Database from 'libsql';
import { ledgerMigrations, ledgerTables } from './ledger-schema.js';
import { TornLedger } from './ledger-problems.js';
import { RunError } from '../run-errors.js';

/** What a rollback journal of SQLite ends with that names another file, which SQLite then reads, and may remove. */
const namesAnother = Buffer.from('d9d505f920a163d7', 'hex');

const endOf = (file: string, count: number): Buffer => {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(count, size));
    readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return bytes;
  } finally {
    closeSync(handle);
  }
};

/**
 * Looks at the files of a ledger before SQLite does. A run folder may come from strangers: as a link the ledger would be a database of
 * somebody else's, which would be written to; and a journal beside it may name a file anywhere that SQLite would remove.
 *
 * @param named the run folder, for messages
 * @throws RunError where a file is no regular one, or the journal names another
 */
export function refuseForeignFiles(workDir: string, named: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) {
    const file = path.join(workDir, `ledger.sqlite${end}`);
    const facts = lstatSync(file, { throwIfNoEntry: false });
    if (facts && !facts.isFile()) {
      const what = facts.isSymbolicLink() ? 'a link' : 'no file';
      throw new RunError(
        `Expected ledger.sqlite${end} in ${named} to be a file of its own, got ${what}: move the folder as a whole, or link to it`,
      );
    }
  }
  const journal = path.join(workDir, 'ledger.sqlite-journal');
  if (existsSync(journal) && endOf(journal, namesAnother.length).equals(namesAnother)) {
    throw new RunError(
      `Expected ledger.sqlite-journal in ${named} to be of this ledger alone, got one that names another file: no ledger of this program ` +
        'ever has such a journal. Do not trust this folder',
    );
  }
}

/** Names that the ledger's tables and indexes have in some version. */
const ownNames: ReadonlySet<string> = new Set(
  [ledgerTables, ...Object.values(ledgerMigrations)].flatMap((sql) =>
    [...sql.matchAll(/CREATE (?:TABLE|INDEX) (\w+)/g)].map(([, name]) => name!),
  ),
);

/** Read as bytes: of a text that is no UTF-8 the driver makes an end of the process. */
type SchemaRow = { readonly type: ArrayBuffer; readonly name: ArrayBuffer; readonly sql: ArrayBuffer | null };

const schemaRows =
  'SELECT CAST(type AS BLOB) AS type, CAST(name AS BLOB) AS name, CAST(sql AS BLOB) AS sql FROM sqlite_master';
type Column = { readonly name: string; readonly type: string; readonly notnull: number; readonly hidden: number };

const all = <T>(database: Database.Database, sql: string): T[] => database.prepare(sql).all() as T[];

/**
 * Refuses a database that holds more than tables of a ledger: a view in a table's place can compute without end, a trigger write what
 * nobody asked for, and a database of another program would get tables that it does not know.
 *
 * @param named the run folder, for messages
 * @throws RunError naming what does not belong there
 */
export function refuseForeignSchema(database: Database.Database, named: string): void {
  const refuse = (what: string): never => {
    throw new RunError(
      `Expected ledger.sqlite in ${named} to hold a ledger of this program, got a database with ${what}. Give another folder with --work DIR`,
    );
  };
  for (const row of all<SchemaRow>(database, schemaRows)) {
    if ([row.type, row.name, row.sql].some((bytes) => bytes !== null && !isUtf8(bytes)))
      refuse('names that are no text');
    const [type, name, sql] = [row.type, row.name, row.sql].map((bytes) => bytes && Buffer.from(bytes).toString()) as [string, string, string | null]; // prettier-ignore
    const isOwn = ownNames.has(name) || (type === 'index' && sql === null);
    if (!isOwn || !/^(table|index)$/.test(type) || /^\s*CREATE\s+VIRTUAL/i.test(sql ?? '')) {
      refuse(`a ${type} ${JSON.stringify(name).slice(0, 80)}`);
    }
    if (type !== 'table') continue;
    const computed = all<Column>(database, `PRAGMA table_xinfo("${name}")`).find(({ hidden }) => hidden !== 0);
    if (computed) refuse(`a computed column in ${name}`);
  }
}

const storage: Readonly<Record<string, string>> = { TEXT: `'text'`, INTEGER: `'integer'`, REAL: `'real', 'integer'` };

/** Rows whose texts are looked at together. */
const rowsAtOnce = 4096;

/**
 * Whether all texts of a table's rows are UTF-8: many at once, as the bytes of one text, which takes a quarter of the time of a look at each.
 * An ASCII character between two texts keeps one from mending the other.
 */
const isAllText = (database: Database.Database, table: string, columns: readonly string[]): boolean => {
  if (columns.length === 0) return true;
  const row = columns.map((column) => `coalesce("${column}", '')`).join(` || ',' || `);
  const from = (relation: string): string =>
    `SELECT CAST(group_concat(line) AS BLOB) AS bytes, CAST(max(number) AS TEXT) AS last FROM
     (SELECT rowid AS number, ${row} AS line FROM "${table}" NOT INDEXED WHERE rowid ${relation} ORDER BY rowid LIMIT ${rowsAtOnce})`;
  // As a text: numbers of rows have 64 bits.
  for (let last: string | undefined; ;) {
    const found = (
      last === undefined
        ? database.prepare(from('IS NOT NULL')).all()
        : database.prepare(from('> CAST(? AS INTEGER)')).all(last)
    )[0] as { readonly bytes: ArrayBuffer | null; readonly last: string | null };
    if (found.last === null) return true;
    if (found.bytes !== null && !isUtf8(found.bytes)) return false;
    last = found.last;
  }
};

/** Whether rows can be counted off by their numbers, as those of every ledger can: not where a table is made otherwise, or has a column of that name. */
const hasRowNumbers = (database: Database.Database, table: string, columns: readonly Column[]): boolean =>
  !columns.some(({ name }) => name.toLowerCase() === 'rowid') &&
  all<{ readonly wr: number }>(database, `PRAGMA table_list("${table}")`).every(({ wr }) => wr === 0);

/** @throws TornLedger where a text of a column is no UTF-8 */
const refuseNoText = (database: Database.Database, named: string, table: string, column: string, how = ''): void => {
  // ASCII, nearly all of them, is not looked at further; GLOB sees nothing behind a zero.
  const bytesOf = `CAST("${column}" AS BLOB)`;
  const where = `"${column}" GLOB '*[^\u0001-\u007f]*' OR instr(${bytesOf}, x'00') > 0`;
  const other = `SELECT ${bytesOf} AS bytes FROM "${table}" ${how} WHERE typeof("${column}") = 'text' AND (${where})`;
  for (const { bytes } of database.prepare(other).iterate() as Iterable<{ bytes: ArrayBuffer }>)
    if (!isUtf8(bytes)) throw new TornLedger(named, `${column} of a row of ${table} is no text`);
};

/** Columns of which an index holds a copy. */
const indexedColumns = (database: Database.Database, table: string): string[] => {
  const indices = all<{ readonly name: string }>(database, `PRAGMA index_list("${table}")`);
  const names = indices.flatMap(({ name }) => all<{ readonly name: string }>(database, `PRAGMA index_info("${name}")`));
  return [...new Set(names.map(({ name }) => name))];
};

/**
 * Refuses rows whose values are of other types than their columns: SQLite keeps whatever it is given, and everything that reads a ledger
 * takes a text for a text.
 *
 * @throws TornLedger naming table and column
 */
export function refuseOtherTypes(database: Database.Database, named: string): void {
  for (const table of ownNames) {
    const columns = all<Column>(database, `PRAGMA table_info("${table}")`);
    const wrong = columns.flatMap(({ name, type, notnull }) => {
      const kinds = storage[type];
      return kinds === undefined ? [] : [`typeof("${name}") NOT IN (${kinds}${notnull ? '' : `, 'null'`})`];
    });
    if (wrong.length === 0) continue;
    const texts = columns.filter(({ type }) => type === 'TEXT').map(({ name }) => name);
    if (!hasRowNumbers(database, table, columns) || !isAllText(database, table, texts))
      for (const name of texts) refuseNoText(database, named, table, name, 'NOT INDEXED');
    // And in the copies of rows that an index holds.
    for (const name of indexedColumns(database, table).filter((one) => texts.includes(one)))
      refuseNoText(database, named, table, name);
    if (all(database, `SELECT 1 FROM "${table}" WHERE ${wrong.join(' OR ')} LIMIT 1`).length > 0) {
      throw new TornLedger(named, `a row of ${table} holds values of other types`);
    }
  }
}
