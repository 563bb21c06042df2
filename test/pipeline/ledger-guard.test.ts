import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
});
