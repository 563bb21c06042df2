import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { z } from 'zod';
import { canonicalJson, sha256 } from '../../src/pipeline/canonical-json.js';
import { Ledger } from '../../src/pipeline/ledger/ledger.js';
import { effectiveParams, formatParams } from '../../src/pipeline/params.js';
import { RunFolder, recover } from '../../src/pipeline/run-folder.js';
import { formatStatus, runStatus } from '../../src/pipeline/run-status.js';
import { defineStage } from '../../src/pipeline/stage.js';
import { readManifest, tidyStage } from '../../src/pipeline/stage-manifest.js';
import { OUTSIDE, type CaseFiles, type FuzzedReader, type HandMade } from '../fuzzing/fuzzed-reader.js';

const params = z.strictObject({
  rate: z.number().default(1),
  names: z.array(z.string()).default([]),
  inner: z.strictObject({ steps: z.int().default(3) }).default({ steps: 3 }),
});
const stage = defineStage({
  name: 'train',
  version: 1,
  summary: 's',
  params,
  inputs: [],
  onFailure: 'stop',
  reduce: async () => ({}),
});
const pipeline = { presets: { small: {} }, defaultPreset: 'small' };

const config: FuzzedReader = {
  name: 'files of parameters',
  samples: async () => [
    { name: 'yaml', files: { 'c.yaml': 'train:\n  rate: 0.5 # half\n  names: [a, b]\n  inner:\n    steps: 4\n' } },
  ],
  dictionary: ['__proto__:', 'constructor:', '&a ', '*a', '!!js/function "x"', '!!binary ', '!!set ', '<<: ', '? ', '- ', '---\n', '...\n', '%YAML 1.1\n', '.nan', '.inf', '0x', '{', '[', '"', "'", '|\n', '\t', '\0'], // prettier-ignore
  handMade: async () => {
    const laughs = Array.from({ length: 20 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(10)}]`).join('\n');
    const cases: [string, string, HandMade['expected']?][] = [
      ['aliases that multiply', `l0: &l0 [x]\n${laughs}\ntrain: {names: *l20}\n`],
      ['a value that holds itself', 'train: &t\n  inner: *t\n'],
      ['a list that holds itself', 'train:\n  names: &n [*n]\n'],
      ['a prototype', 'train:\n  __proto__: {rate: 3}\n'],
      ['a prototype of stages', '__proto__:\n  rate: 3\n'],
      ['a constructor', 'constructor: {prototype: {rate: 3}}\n'],
      ['lists a hundred thousand deep', `train: {names: ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
      ['maps a hundred deep', `train: {inner: ${'{a: '.repeat(100)}1${'}'.repeat(100)}}`],
      ['a tag of JavaScript', 'train: {rate: !!js/function "function () {}"}\n'],
      ['a tag of Python', 'train: !!python/object/apply:os.system ["id"]\n'],
      ['no number', 'train: {rate: .nan}\n'],
      ['several documents', 'train: {}\n---\ntrain: {}\n', 'either'],
      ['an empty file', '', 'read'],
      ['2 MB', `# ${'x'.repeat(2_000_000)}\n`],
      ['thousands of keys', Array.from({ length: 6000 }, (_, i) => `k${i}: {}`).join('\n')],
      ['fifty thousand letters in one key', `${'k'.repeat(50_000)}: {}`],
    ];
    return [
      ...cases.map(([name, text, expected]): HandMade => ({
        name,
        files: { 'c.yaml': text },
        slow: name.startsWith('thousands'),
        ...(expected ? { expected } : {}),
      })),
      { name: 'a pipe', pipes: ['c.yaml'] },
      { name: 'a device', links: { 'c.yaml': '/dev/zero' } },
      { name: 'a folder', without: ['c.yaml'], files: { 'c.yaml/x': 'x' } },
      { name: 'a hole of 3 GB', holes: { 'c.yaml': 3e9 } },
    ];
  },
  read: async (folder) => {
    formatParams(effectiveParams(pipeline, [stage], { config: path.join(folder, 'c.yaml') }));
  },
};

const [itemKey, stageKey, content] = ['item', 'stage', 'content'].map((word) => sha256(word)) as [
  string,
  string,
  string,
];
const itemFile = `train/${itemKey.slice(0, 2)}/${itemKey}/a.txt`;
const reduced = `train/${stageKey}/reduced-00aa`;

const manifest = {
  ...{
    stage: 'train',
    version: 1,
    key: stageKey,
    itemsDigest: content,
    digest: content,
    data: {},
    notes: {},
    seconds: 1,
  },
  items: [itemKey],
  artefacts: [{ name: 'report.md', path: `${reduced}/report.md`, bytes: 1, sha256: sha256('r'), volatile: false }],
};

const inLedger = (folder: string, change: (database: Database.Database) => void): void => {
  const database = new Database(path.join(folder, 'ledger.sqlite'));
  change(database);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
};

/** The bytes of a ledger with a run, a stage and an item, changed by SQL. */
const ledgerOf = (sql = ''): Buffer => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ledger-'));
  try {
    const ledger = Ledger.open(folder);
    const run = ledger.beginRun({ pipeline: 'toy', command: 'toy', config: {}, argv: ['toy'], directory: '/tmp' });
    const recipe = sha256('recipe');
    const artefacts = [{ name: 'a.txt', path: itemFile, bytes: 1, sha256: sha256('a'), volatile: false }];
    ledger.recordItem({
      ...{
        key: itemKey,
        stage: 'train',
        recipe,
        content,
        label: 'a',
        status: 'done',
        reason: undefined,
        data: {},
        notes: {},
        seconds: 1,
      },
      artefacts,
    });
    const row = ledger.beginStage({
      ...{ run, stage: 'train', position: 0, stageKey, recipe, itemRecipe: recipe, version: 1, params: {}, inputs: {} },
      contents: [content],
    });
    ledger.endStage(row, 'done', 1, content);
    ledger.endRun(run, 'done');
    ledger.close();
    inLedger(folder, (database) => void (sql === '' ? 0 : database.exec(sql)));
    return readFileSync(path.join(folder, 'ledger.sqlite'));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const runFiles = (): CaseFiles => ({
  'ledger.sqlite': ledgerOf(),
  [itemFile]: 'a',
  [`${reduced}/report.md`]: 'r',
  [`train/${stageKey}/manifest.json`]: canonicalJson(manifest),
});

/** A rollback journal that names `victim`, which SQLite would remove after it has rolled back. */
export const journalNaming = (victim: string): Buffer => {
  const folder = mkdtempSync(path.join(tmpdir(), 'journal-'));
  try {
    const file = path.join(folder, 'x.sqlite');
    const database = new Database(file);
    database.exec('CREATE TABLE t (a); PRAGMA cache_size = 1; BEGIN IMMEDIATE;');
    database.exec('INSERT INTO t SELECT randomblob(3000) FROM (WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200) SELECT x FROM c)'); // prettier-ignore
    const journal = readFileSync(`${file}-journal`);
    database.exec('ROLLBACK');
    database.close();
    const name = Buffer.from(victim);
    const tail = Buffer.alloc(20);
    tail.writeUInt32BE(name.length, 4);
    tail.writeUInt32BE(name.reduce((sum, byte) => sum + byte, 0), 8); // prettier-ignore
    Buffer.from('d9d505f920a163d7', 'hex').copy(tail, 12);
    return Buffer.concat([journal, tail.subarray(0, 4), name, tail.subarray(4)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const endless = 'WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)';

/** A folder with a ledger, an item and a folded result, as a status and a run begin with it. */
const runFolders: FuzzedReader = {
  name: 'run folders',
  samples: async () => [
    { name: 'toy', files: runFiles(), changed: ['ledger.sqlite', `train/${stageKey}/manifest.json`] },
  ],
  dictionary: ['SQLite format 3\0', 'CREATE TRIGGER', 'CREATE VIEW', '../../outside', '/etc/passwd', '"artefacts":null', '"path":"../x"', '{}', 'null', '\x02\x02', '\x00\x00\x00\x00'], // prettier-ignore
  handMade: async () => {
    const sql: [string, string, HandMade['expected']?][] = [
      ['an artefact that leads up', `UPDATE artefacts SET path = '../outside/${itemFile}'`, 'read'],
      ['an artefact that is absolute', `UPDATE artefacts SET path = '/etc/passwd'`, 'read'],
      [
        'a stage that leads up',
        `UPDATE stage_runs SET stage = '../outside/train'; UPDATE items SET stage = '../outside/train'`,
      ],
      ['a stage key that leads up', `UPDATE stage_runs SET stage_key = '../../outside/train/${stageKey}'`],
      ['a stage of bytes', `UPDATE stage_runs SET stage = x'00ff'`],
      ['a label of bytes', `UPDATE items SET label = x'00ff'`],
      ['a label that is no UTF-8', `UPDATE items SET label = CAST(x'61ff62' AS TEXT)`],
      ['a label that is no UTF-8 behind a zero', `UPDATE items SET label = CAST(x'6100ff62' AS TEXT)`],
      ['a label of other letters', `UPDATE items SET label = 'é ü 日本'`, 'read'],
      ['a size of words', `UPDATE artefacts SET bytes = 'many'`],
      ['data that are no JSON', `UPDATE items SET data = '{'`],
      ['data a million deep', `UPDATE items SET data = '${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}'`],
      ['contents that are no list', `UPDATE stage_runs SET contents = '5'`, 'either'],
      ['contents of others', `UPDATE stage_runs SET contents = '[null, {}]'`, 'either'],
      [
        'a command of control characters',
        `UPDATE runs SET command = char(27) || '[2J' || char(10) || 'rm -rf x'`,
        'read',
      ],
      ['a trigger', `CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM items; END`],
      ['a view in a table’s place', `DROP TABLE file_hashes; CREATE VIEW file_hashes AS ${endless} SELECT x FROM c`],
      ['another table', 'CREATE TABLE other (a)'],
      ['a virtual table', 'CREATE VIRTUAL TABLE other USING fts5 (a)'],
      ['a computed column', `ALTER TABLE file_hashes ADD COLUMN a GENERATED ALWAYS AS (length(zeroblob(1000000000)))`],
      ['a table that is gone', 'DROP TABLE artefacts', 'either'],
      ['a lock of strange children', `INSERT INTO lock VALUES (1, 1, 'x', 'elsewhere', '[{"pid":-1},null,5]')`, 'read'],
      ['another version', 'PRAGMA user_version = 99'],
      ['a version below nothing', 'PRAGMA user_version = -1'],
      ['a database of another program', ['lock', 'runs', 'stage_runs', 'items', 'artefacts', 'file_hashes'].map((table) => `DROP TABLE ${table}`).reverse().join('; ') + '; CREATE TABLE bookmarks (a); PRAGMA user_version = 0'], // prettier-ignore
    ];
    const put = (name: string, value: unknown, expected: HandMade['expected'] = 'read'): HandMade => ({
      name: `manifest: ${name}`,
      files: { [`train/${stageKey}/manifest.json`]: typeof value === 'string' ? value : JSON.stringify(value) },
      expected,
    });
    const artefact = manifest.artefacts[0]!;
    const away = (place: unknown): object => ({ ...manifest, artefacts: [{ ...artefact, path: place }] });
    const folder = `train/${itemKey.slice(0, 2)}`;
    return [
      ...sql.map(([name, statement, expected]): HandMade => ({
        name,
        files: { 'ledger.sqlite': ledgerOf(statement) },
        ...(expected ? { expected } : {}),
      })),
      put('null', 'null'),
      put('no JSON', '{'),
      put('a million deep', '['.repeat(1_000_000)),
      put('no artefacts', { ...manifest, artefacts: [null] }),
      put('a file that leads up', away(`../outside/${itemFile}`)),
      put('a file that leads up by way of its folder', away(`train/${stageKey}/../../../outside/${itemFile}`)),
      put('a file that is absolute', away('/etc/passwd')),
      put('a file that is a number', away(5)),
      put('a folder in the place of a file', away(`train/${stageKey}/..`)),
      put('of another stage', { ...manifest, stage: '../outside/train' }),
      { name: 'the ledger is a link out', links: { 'ledger.sqlite': `${OUTSIDE}/ledger.sqlite` } },
      { name: 'the ledger is a device', links: { 'ledger.sqlite': '/dev/zero' } },
      { name: 'the ledger is a pipe', pipes: ['ledger.sqlite'] },
      { name: 'the log of the ledger is a link out', links: { 'ledger.sqlite-wal': `${OUTSIDE}/ledger.sqlite` } },
      {
        name: 'a journal that names another file',
        files: { 'ledger.sqlite-journal': journalNaming('/tmp/video-ssl-fuzz-victim') },
      },
      { name: 'an item is a link out', links: { [itemFile]: `${OUTSIDE}/${itemFile}` }, expected: 'read' },
      { name: 'items are a link out', without: [itemFile], links: { [folder]: `${OUTSIDE}/${folder}` } },
      {
        name: 'a stage is a link out',
        without: [itemFile, `${reduced}/report.md`, `train/${stageKey}/manifest.json`],
        links: { train: `${OUTSIDE}/train` },
      },
      { name: 'what is kept meanwhile is a link out', links: { 'train/.scratch': OUTSIDE } },
      { name: 'nothing', files: { 'ledger.sqlite': '' } },
    ];
  },
  read: async (work) => {
    const kept = path.join(path.dirname(work), 'outside', itemFile);
    const ledger = Ledger.open(work);
    try {
      const folder = new RunFolder(work);
      const lines = formatStatus(await runStatus(ledger, folder));
      await recover(ledger, folder, ['train'], true);
      const stored = await readManifest(folder, 'train', stageKey);
      if (stored) tidyStage(folder, stored);
      if (lines.length === 0) throw new TypeError('a status of nothing');
    } finally {
      ledger.close();
      // Reading is not all: nothing beside the folder may go.
      if (!existsSync(kept)) throw new TypeError('a file outside is gone');
    }
  },
};

/** The readers of this room that take what strangers made. */
export const readers: readonly FuzzedReader[] = [config, runFolders];
