import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { canonicalJson } from '../canonical-json.js';
import type { SealedFile } from '../durable-files.js';
import type { ItemFacts } from '../keys.js';
import type { Json } from '../json.js';
import { killPoint } from '../kill-point.js';
import { copyOfLedger, isWritable } from './ledger-copy.js';
import { ledgerMigrations, ledgerTables, ledgerVersion } from './ledger-schema.js';
import { refuseForeignFiles, refuseForeignSchema, refuseOtherTypes } from './ledger-guard.js';
import { TornLedger, explainLedgerError, otherVersion } from './ledger-problems.js';
import { sealOf } from './seal.js';
import { parseForeignJson } from '../parse-json.js';
import { RunError } from '../run-errors.js';

/** One file of an item, as the ledger keeps it: `path` is relative to the run folder. */
export type StoredArtefact = SealedFile & { readonly path: string; readonly volatile: boolean };

/** One item's verdict, as the ledger keeps it. */
export type StoredItem = ItemFacts & {
  readonly key: string;
  readonly stage: string;
  readonly recipe: string;
  readonly label: string;
  readonly notes: Json;
  readonly seconds: number;
  readonly artefacts: readonly StoredArtefact[];
  /** How often a result was recorded for it. */
  readonly executions: number;
  /** `sealOf` it as it was recorded; null from before version 3. */
  readonly seal?: string | null;
};

/** What a stage was when it last ran. */
export type StoredStageRun = {
  readonly id: number;
  readonly run: number;
  readonly stage: string;
  readonly stageKey: string;
  readonly recipe: string;
  readonly itemRecipe: string;
  readonly version: number;
  readonly params: Json;
  readonly inputs: Readonly<Record<string, { readonly recipe: string; readonly digest: string }>>;
  readonly contents: readonly string[];
  readonly outcome: string;
  readonly digest: string | null;
  readonly seconds: number;
};

/** One run of a pipeline. */
export type StoredRun = {
  readonly id: number;
  readonly pipeline: string;
  readonly command: string;
  readonly started: string;
  readonly ended: string | null;
  readonly outcome: string;
  /** Absent for runs recorded before ledgers had version 2. */
  readonly origin?: RunOrigin;
};

/** A command as words, and the folder it was given in: what it takes to run it again. */
export type RunOrigin = { readonly argv: readonly string[]; readonly directory: string };

type Row = Record<string, string | number | null>;

/**
 * The run folder's memory (`ledger.sqlite`): verdicts on items, their files, what stages were when they ran, and hashes of files
 * seen. Written by the coordinator alone, each change in one flushed transaction.
 */
export class Ledger {
  readonly file: string;
  readonly #database: Database.Database;
  #copy: string | undefined;

  private constructor(file: string, database: Database.Database) {
    this.file = file;
    this.#database = database;
  }

  /** Opens the ledger of a run folder, making it where there is none. Throws `RunError` with the way out where it cannot be used; messages call the folder `named`. */
  static open(workDir: string, named = workDir): Ledger {
    const file = path.join(workDir, 'ledger.sqlite');
    let database: Database.Database | undefined;
    try {
      refuseForeignFiles(workDir, named);
      database = new Database(file);
      database.exec(
        'PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;',
      );
      database.pragma('journal_mode = WAL');
      refuseForeignSchema(database, named);
      const verdict = firstValue(database, 'PRAGMA quick_check(1)');
      if (verdict !== 'ok') throw new TornLedger(named, String(verdict));
      const version = versionOf(database);
      if (version > ledgerVersion || version < 0) throw otherVersion(named, version);
      if (version === 0 && hasTables(database)) throw new TornLedger(named, 'it does not say its version');
      if (version === 0) {
        killPoint('before ledger tables');
        database.exec(`BEGIN IMMEDIATE; ${ledgerTables} PRAGMA user_version = ${ledgerVersion}; COMMIT;`);
        killPoint('after ledger tables');
      }
      refuseOtherTypes(database, named);
      return new Ledger(file, database);
    } catch (error) {
      database?.close();
      throw explainLedgerError(error, named);
    }
  }

  /** Opens the ledger to look at it; where it cannot be written (a read-only disk, an archive), a copy of it, which goes when it is closed. */
  static look(workDir: string): Ledger {
    const file = path.join(workDir, 'ledger.sqlite');
    if ([workDir, file].every(isWritable)) return Ledger.open(workDir);
    const copy = copyOfLedger(file);
    const ledger = Ledger.open(copy, workDir);
    ledger.#copy = copy;
    return ledger;
  }

  /**
   * Takes a ledger that an earlier version of this program wrote to this version's. For those who write runs: looking at a folder leaves
   * it to the program that works in it.
   */
  migrate(): void {
    for (let version = versionOf(this.#database) + 1; version <= ledgerVersion; version += 1)
      this.transaction(() => this.#database.exec(`${ledgerMigrations[version]!} PRAGMA user_version = ${version};`));
  }

  /** Opens the ledger if there is one. */
  static openExisting(workDir: string): Ledger | undefined {
    return existsSync(path.join(workDir, 'ledger.sqlite')) ? Ledger.open(workDir) : undefined;
  }

  /** Whether this is a copy of a ledger that cannot be written. */
  get isCopy(): boolean {
    return this.#copy !== undefined;
  }

  close(): void {
    this.#database.close();
    if (this.#copy !== undefined) rmSync(this.#copy, { recursive: true, force: true });
  }

  /** Runs `change` in one transaction that no other process's write can come between. */
  transaction<T>(change: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      killPoint('before commit');
      this.#database.exec('COMMIT');
      killPoint('after commit');
      return result;
    } catch (error) {
      // SQLite itself rolls back on a full disk; a second ROLLBACK would hide the reason.
      if ((this.#database as { inTransaction: boolean }).inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** All rows of a query. */
  rows(sql: string, ...values: (string | number | null)[]): Row[] {
    return known(() => this.#database.prepare(sql).all(...values) as Row[]);
  }

  /** Runs a statement; returns the last row id. */
  execute(sql: string, ...values: (string | number | null)[]): number {
    return known(() => Number(this.#database.prepare(sql).run(...values).lastInsertRowid));
  }

  /** Begins a run; those that a killed coordinator left `running` are set to `interrupted`. */
  beginRun(run: Pick<StoredRun, 'pipeline' | 'command'> & RunOrigin & { config: Json }): number {
    return this.transaction(() => {
      this.execute(`UPDATE stage_runs SET outcome = 'interrupted' WHERE outcome = 'running'`);
      this.execute(`UPDATE runs SET outcome = 'interrupted' WHERE outcome = 'running'`);
      return this.execute(
        `INSERT INTO runs (pipeline, command, config, started, argv, directory, outcome) VALUES (?, ?, ?, ?, ?, ?, 'running')`,
        ...[run.pipeline, run.command, canonicalJson(run.config), new Date().toISOString()],
        ...[canonicalJson(run.argv), run.directory],
      );
    });
  }

  endRun(id: number, outcome: string): void {
    this.transaction(() =>
      this.execute(`UPDATE runs SET outcome = ?, ended = ? WHERE id = ?`, outcome, new Date().toISOString(), id),
    );
  }

  /** The runs, newest first. */
  runs(): StoredRun[] {
    return this.rows('SELECT * FROM runs ORDER BY id DESC').map(({ argv, directory, ...run }) => ({
      ...(run as unknown as StoredRun),
      ...(argv == null ? {} : { origin: { argv: parse(argv) as string[], directory: String(directory) } }),
    }));
  }

  beginStage(stage: Omit<StoredStageRun, 'id' | 'outcome' | 'digest' | 'seconds'> & { position: number }): number {
    return this.transaction(() =>
      this.execute(
        `INSERT INTO stage_runs (run, stage, position, stage_key, recipe, item_recipe, version, params, inputs, contents, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')`,
        stage.run,
        stage.stage,
        stage.position,
        stage.stageKey,
        stage.recipe,
        stage.itemRecipe,
        stage.version,
        canonicalJson(stage.params),
        canonicalJson(stage.inputs),
        canonicalJson(stage.contents),
      ),
    );
  }

  endStage(id: number, outcome: string, seconds: number, digest?: string): void {
    this.transaction(() =>
      this.execute(
        `UPDATE stage_runs SET outcome = ?, seconds = ?, digest = ? WHERE id = ?`,
        outcome,
        seconds,
        digest ?? null,
        id,
      ),
    );
  }

  /** What the stage was when it last ran, in whatever run. */
  lastStageRun(stage: string): StoredStageRun | undefined {
    const row = this.rows('SELECT * FROM stage_runs WHERE stage = ? ORDER BY id DESC LIMIT 1', stage)[0];
    return row && toStageRun(row);
  }

  /** The stages of one run, in order. */
  stageRuns(run: number): StoredStageRun[] {
    return this.rows('SELECT * FROM stage_runs WHERE run = ? ORDER BY position', run).map(toStageRun);
  }

  /** Seconds that runs of this very stage took before; a killed one counts for nothing. */
  secondsOf(stageKey: string): number {
    return Number(this.rows('SELECT total(seconds) AS s FROM stage_runs WHERE stage_key = ?', stageKey)[0]?.['s'] ?? 0);
  }

  /** Every stage name that ever ran here. A ledger of strangers may hold others, which would lead out of the folder: they are none. */
  stageNames(): string[] {
    const names = this.rows('SELECT DISTINCT stage FROM stage_runs').map((row) => String(row['stage']));
    return names.filter((name) => /^[a-z][a-z0-9-]+$/.test(name));
  }

  /** Records a verdict and its files, in one transaction; counts it as one more execution. */
  recordItem(item: Omit<StoredItem, 'executions'>): void {
    killPoint('before row');
    this.transaction(() => {
      this.execute('DELETE FROM artefacts WHERE item = ?', item.key);
      this.execute(
        `INSERT INTO items (key, stage, recipe, content, label, status, reason, data, notes, seconds, executions, finished, seal)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
         ON CONFLICT (key) DO UPDATE SET label = excluded.label, status = excluded.status, reason = excluded.reason,
           data = excluded.data, notes = excluded.notes, seconds = excluded.seconds, finished = excluded.finished,
           seal = excluded.seal, executions = executions + 1`,
        item.key,
        item.stage,
        item.recipe,
        item.content,
        item.label,
        item.status,
        item.reason ?? null,
        canonicalJson(item.data),
        canonicalJson(item.notes),
        item.seconds,
        new Date().toISOString(),
        sealOf(item),
      );
      for (const file of item.artefacts) {
        this.execute(
          'INSERT INTO artefacts (item, name, path, bytes, sha256, volatile) VALUES (?, ?, ?, ?, ?, ?)',
          item.key,
          file.name,
          file.path,
          file.bytes,
          file.sha256,
          file.volatile ? 1 : 0,
        );
      }
    });
    killPoint('after row');
  }

  /** Keys of a stage's failed items, under whatever recipe. */
  failedKeys(stage: string): string[] {
    return this.rows(`SELECT key FROM items WHERE stage = ? AND status = 'failed'`, stage).map((row) =>
      String(row['key']),
    );
  }

  /** Takes verdicts back, so that the items are worked on again. */
  forgetItems(keys: readonly string[]): void {
    if (keys.length === 0) return;
    this.transaction(() => {
      for (const key of keys) {
        this.execute('DELETE FROM artefacts WHERE item = ?', key);
        this.execute('DELETE FROM items WHERE key = ?', key);
      }
    });
  }

  /** All verdicts of a stage under a recipe (under any, if none is given), by item key. */
  items(stage: string, recipe?: string): Map<string, StoredItem> {
    const [where, values] =
      recipe === undefined ? ['stage = ?', [stage]] : ['stage = ? AND recipe = ?', [stage, recipe]];
    const files = new Map<string, StoredArtefact[]>();
    const select = `SELECT artefacts.* FROM artefacts JOIN items ON items.key = artefacts.item WHERE ${where} ORDER BY name`;
    for (const row of this.rows(select, ...values)) {
      const list = files.get(String(row['item'])) ?? [];
      files.set(String(row['item']), list);
      const { name, path: relative, bytes, sha256 } = row as unknown as StoredArtefact;
      list.push({ name, path: relative, bytes, sha256, volatile: row['volatile'] === 1 });
    }
    const items = new Map<string, StoredItem>();
    for (const row of this.rows(`SELECT * FROM items WHERE ${where}`, ...values)) {
      const {
        key,
        stage: name,
        recipe: made,
        content,
        label,
        status,
        seconds,
        executions,
      } = row as unknown as StoredItem;
      items.set(key, {
        ...{ key, stage: name, recipe: made, content, label, status, seconds, executions },
        reason: row['reason'] === null ? undefined : String(row['reason']),
        data: parse(row['data']),
        notes: parse(row['notes']),
        artefacts: files.get(key) ?? [],
        seal: row['seal'] as string | null,
      });
    }
    return items;
  }
}

const toStageRun = (row: Row): StoredStageRun => ({
  ...(row as unknown as Pick<
    StoredStageRun,
    'id' | 'run' | 'stage' | 'recipe' | 'version' | 'outcome' | 'digest' | 'seconds'
  >),
  stageKey: String(row['stage_key']),
  itemRecipe: String(row['item_recipe']),
  params: parse(row['params']),
  inputs: parse(row['inputs']) as StoredStageRun['inputs'],
  contents: textsOf(parse(row['contents'])),
});

const foreign = (what: string): RunError =>
  new RunError(`The ledger holds something else than this program writes: ${what}`);

/** Does something with tables and columns that a ledger of this program has. */
const known = <T>(query: () => T): T => {
  try {
    return query();
  } catch (error) {
    const { message } = error as Error;
    throw /^no such (table|column)/.test(message) ? foreign(message) : error;
  }
};

const textsOf = (value: Json): string[] => {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value as string[];
  throw foreign('a list of texts is none');
};

const parse = (text: string | number | null | undefined): Json => {
  try {
    return parseForeignJson(String(text), 'a row of the ledger') as Json;
  } catch (error) {
    throw foreign((error as Error).message);
  }
};

const firstValue = (database: Database.Database, sql: string): unknown =>
  Object.values((database.prepare(sql).all()[0] ?? {}) as object)[0];

const hasTables = (database: Database.Database): boolean =>
  Number(firstValue(database, `SELECT count(*) FROM sqlite_master WHERE type = 'table'`)) > 0;

const versionOf = (database: Database.Database): number => Number(firstValue(database, 'PRAGMA user_version'));
