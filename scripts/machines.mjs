// Tries this program on machines that lack something: a clone, `npm ci`, the demo (or a tiny pipeline, or set-up alone) and `doctor`
// under each condition of scripts/machines/conditions.mjs, one after the other, and writes down what came of it.
//
//   node scripts/machines.mjs --out results/machines.json            # all; plain first, which the others are compared with
//   node scripts/machines.mjs --only no-pip,one-core --out FILE      # some; rows of FILE that are not tried again stay
//   node scripts/machines.mjs --list | --table FILE
//
// It writes into one folder (--root, by default below the system's temporary folder), which stays for the next call: `plain`
// in it is the checkout and cache that conditions share which change nothing about them. Wants Linux; root for most conditions; a
// condition that cannot be tried here is listed with the reason.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { conditions } from './machines/conditions.mjs';
import { formatTable } from './machines/table.mjs';
import { tryCondition } from './machines/try-condition.mjs';

const repository = path.resolve(import.meta.dirname, '..');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    out: { type: 'string' },
    root: { type: 'string', default: path.join(os.tmpdir(), 'video-ssl-machines') },
    list: { type: 'boolean', default: false },
    table: { type: 'string' },
  },
});

const readRows = (file) => (file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : []);

if (options.list) {
  for (const { name, what } of conditions) console.log(`${name.padEnd(28)}${what}`);
} else if (options.table) {
  console.log(formatTable(readRows(options.table)));
} else {
  const names = options.only?.split(',') ?? conditions.map(({ name }) => name);
  for (const name of names) {
    if (!conditions.some((condition) => condition.name === name))
      throw new Error(`No condition \`${name}\`: see --list`);
  }
  mkdirSync(options.root, { recursive: true });
  const commit = execFileSync('git', ['-C', repository, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const rows = new Map(readRows(options.out).map((row) => [row.condition, row]));
  for (const condition of conditions.filter(({ name }) => names.includes(name))) {
    console.log(`${condition.name}: ${condition.what}`);
    const row = await tryCondition(condition, { repository, root: options.root, rows });
    rows.set(condition.name, { ...row, commit: commit.slice(0, 12) });
    console.log(`  ${row.ended}${row.asExpected ? '' : ' (NOT AS EXPECTED)'}, ${row.runtime ?? 'no runtime'}`);
    for (const line of row.said) console.log(`  | ${line}`);
    if (options.out) {
      const order = conditions.map(({ name }) => name);
      const sorted = [...rows.values()].sort((a, b) => order.indexOf(a.condition) - order.indexOf(b.condition));
      const machine = {
        cores: os.availableParallelism(),
        memoryGb: Math.round(os.totalmem() / 1e9),
        node: process.version,
      };
      const command = 'node scripts/machines.mjs --out results/machines.json';
      writeFileSync(options.out, `${JSON.stringify({ command, machine, rows: sorted }, undefined, 2)}\n`);
    }
  }
}
