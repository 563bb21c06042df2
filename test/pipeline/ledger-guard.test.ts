import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { Ledger } from '../../src/pipeline/ledger/ledger.js';
import { journalNaming } from './fuzz-readers.js';

describe('A ledger of strangers', () => {
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'guard-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const make = (sql: string, name = 'ledger.sqlite'): void => {
    const database = new Database(at(name));
    database.exec(sql);
    database.close();
  };

  /** A ledger with a journal that names a file of the user's. */
  const setTrap = (): void => {
    writeFileSync(at('precious.txt'), 'precious');
    make('CREATE TABLE t (a)');
    writeFileSync(at('ledger.sqlite-journal'), journalNaming(at('precious.txt')));
  };

  it('would make SQLite left to itself remove a file that its journal names: the trap works', () => {
    setTrap();
    const database = new Database(at('ledger.sqlite'));
    database.prepare('SELECT * FROM t').all();
    database.close();
    assert.equal(existsSync(at('precious.txt')), false);
  });

  it('is not opened beside such a journal', () => {
    setTrap();
    assert.throws(() => Ledger.open(folder), {
      name: 'RunError',
      message: /journal that names another|names another file/,
    });
    assert.equal(existsSync(at('precious.txt')), true);
  });

  it('is not opened as a link, and a database of another program gets no tables', () => {
    make('CREATE TABLE bookmarks (a)', 'bookmarks.sqlite');
    symlinkSync(at('bookmarks.sqlite'), at('ledger.sqlite'));
    assert.throws(() => Ledger.open(folder), { name: 'RunError', message: /got a link/ });
    rmSync(at('ledger.sqlite'));
    make('CREATE TABLE bookmarks (a)');
    assert.throws(() => Ledger.open(folder), { name: 'RunError', message: /a table "bookmarks"/ });
    const tables = new Database(at('ledger.sqlite')).prepare('SELECT name FROM sqlite_master').all();
    assert.deepEqual(tables.length, 1);
  });

  it('is opened as this program wrote it, again and again', () => {
    for (let times = 0; times < 3; times++) Ledger.open(folder).close();
  });

  it('is refused with a text that is no UTF-8, in whatever row and column: the driver would end the process', () => {
    const row = (number: string, label: string): string =>
      `INSERT INTO items (rowid, key, stage, recipe, content, label, status, data, notes, seconds, executions, finished)
       VALUES (${number}, 'k' || ${number}, 's', 'r', 'c', ${label}, 'done', '{}', '{}', 1, 1, 'é')`;
    const bad = `CAST(x'7bff7d' AS TEXT)`;
    for (const at of ['-9223372036854775808', '-3', '1', '5000', '9223372036854775806', '9223372036854775807']) {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      Ledger.open(folder).close();
      const database = new Database(path.join(folder, 'ledger.sqlite'));
      const filling = `WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 4990)
        INSERT INTO items (rowid, key, stage, recipe, content, label, status, data, notes, seconds, executions, finished)
        SELECT i, 'k' || i, 's', 'r', 'c', 'ä', 'done', '{}', '{}', 1, 1, 'f' FROM n`;
      database.exec(filling);
      database.exec(row('9223372036854775805', `'fine'`));
      database.close();
      Ledger.open(folder).close();
      const again = new Database(path.join(folder, 'ledger.sqlite'));
      again.exec(row(at, bad));
      again.close();
      assert.throws(() => Ledger.open(folder), {
        name: 'RunError',
        message: /label of a row of items is no text/,
      });
    }
  });
});
