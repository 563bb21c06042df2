/** Raised whenever a table changes; `PRAGMA user_version` of the file. */
export const ledgerVersion = 3;

/** Statements that take a ledger from the version before to this one, by version. What older rows do not know stays null. */
export const ledgerMigrations: Readonly<Record<number, string>> = {
  2: 'ALTER TABLE runs ADD COLUMN argv TEXT; ALTER TABLE runs ADD COLUMN directory TEXT;',
  3: 'ALTER TABLE items ADD COLUMN seal TEXT; ALTER TABLE file_hashes ADD COLUMN seal TEXT;',
};

/** The ledger's tables. Paths are relative to the run folder, so that it may be moved; JSON is canonical. */
export const ledgerTables = `
CREATE TABLE lock (                    -- one row while a run holds the folder
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pid INTEGER NOT NULL, started TEXT NOT NULL, host TEXT NOT NULL,
  children TEXT NOT NULL               -- [{ pid, started }]: those that must not outlive a killed coordinator
);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, pipeline TEXT NOT NULL, command TEXT NOT NULL, config TEXT NOT NULL,
  started TEXT NOT NULL, ended TEXT,
  outcome TEXT NOT NULL,               -- running | done | failed | interrupted
  argv TEXT,                           -- [word]: the command, for \`verify\` to run again; since version 2
  directory TEXT                       -- where it was given: what its relative paths start from
);
CREATE TABLE stage_runs (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), stage TEXT NOT NULL, position INTEGER NOT NULL,
  stage_key TEXT NOT NULL, recipe TEXT NOT NULL, item_recipe TEXT NOT NULL,
  version INTEGER NOT NULL, params TEXT NOT NULL,
  inputs TEXT NOT NULL,                -- { stage: { recipe, digest } }
  contents TEXT NOT NULL,              -- [content], as listed
  outcome TEXT NOT NULL,               -- running | done | reused | failed | interrupted | gone (its result was damaged, and taken back)
  digest TEXT, seconds REAL NOT NULL DEFAULT 0
);
CREATE TABLE items (
  key TEXT PRIMARY KEY, stage TEXT NOT NULL, recipe TEXT NOT NULL, content TEXT NOT NULL, label TEXT NOT NULL,
  status TEXT NOT NULL,                -- done | rejected | failed
  reason TEXT, data TEXT NOT NULL, notes TEXT NOT NULL, seconds REAL NOT NULL,
  executions INTEGER NOT NULL,         -- how often a result was recorded
  finished TEXT NOT NULL,
  seal TEXT                            -- sha256 over the row and its files; since version 3
);
CREATE INDEX items_by_stage ON items (stage, recipe);
CREATE TABLE artefacts (
  item TEXT NOT NULL REFERENCES items (key) ON DELETE CASCADE, name TEXT NOT NULL, path TEXT NOT NULL,
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, volatile INTEGER NOT NULL,
  PRIMARY KEY (item, name)
);
CREATE TABLE file_hashes (
  device TEXT NOT NULL, inode TEXT NOT NULL, size TEXT NOT NULL, modified TEXT NOT NULL, sha256 TEXT NOT NULL,
  seal TEXT,                           -- sha256 over the row; since version 3
  PRIMARY KEY (device, inode, size, modified)
);
`;
