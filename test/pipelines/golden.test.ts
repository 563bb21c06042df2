import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cpus } from 'node:os';
import { sha256 } from '../../src/pipeline/canonical-json.js';
import { itemDigestOf } from '../../src/pipeline/keys.js';
import { Ledger } from '../../src/pipeline/ledger/ledger.js';
import { demoRun, type DemoRun } from './fixtures/demo-run.js';

/*
 * Guards the promise that keys rest on: a stage whose output changes raises its `version`. Without that, a run folder would mix
 * results of the old code, reused, with results of the new, and call both by one key. The digests of the tiny demo are pinned:
 *
 * - `everywhere`: the rendered targets, which depend on neither ffmpeg nor TensorFlow;
 * - by machine (ffmpeg, runtime and threads, processor): every stage. A machine that is not listed skips this half.
 *
 * A recipe names the stage, its version, its parameters and the recipes of its inputs. As long as it is the one that was pinned,
 * the digest must be, too. After a change that is meant (raise `version` first, or change a parameter):
 *
 *   UPDATE_GOLDEN=1 npx mocha dist/test/pipelines/golden.test.js
 */

type Pin = { readonly version: number; readonly recipe: string; readonly digest: string };
type Pins = Readonly<Record<string, Pin>>;
type Golden = { readonly everywhere: Pins; readonly machines: Readonly<Record<string, Pins>> };

const howTo = 'after a change that is meant, raise the `version` of the stage and run this test with UPDATE_GOLDEN=1';

/** The file in the sources: this test may be built into any folder below the package. */
const goldenFile = (): string => {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) {
      return path.join(folder, 'test/pipelines/golden-digests.json');
    }
    if (folder === path.dirname(folder)) throw new Error('Expected a package.json above this test');
  }
};

/** What the bytes of decoded video and trained weights depend on, besides the code. */
const machineOf = (out: string): string => {
  const find = (pattern: RegExp): string => pattern.exec(out)?.[1] ?? 'unnamed';
  const flags = existsSync('/proc/cpuinfo')
    ? /^(?:flags|Features)\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
    : null;
  const processor = sha256(flags?.[1]?.split(' ').sort().join(' ') ?? cpus()[0]?.model ?? '').slice(0, 8);
  return `${find(/^(ffmpeg \S+)/m)}, ${find(/^runtime: (.*)$/m)}, ${process.platform}-${process.arch} ${processor}`;
};

const check = (pins: Pins, seen: Pins, where: string): void => {
  for (const [stage, now] of Object.entries(seen)) {
    const pinned = pins[stage];
    assert.ok(pinned, `${stage} is not pinned (${where}): ${howTo}`);
    assert.equal(
      now.recipe,
      pinned.recipe,
      `the version or parameters of ${stage}, or of a stage before it, changed (${where}): run this test with UPDATE_GOLDEN=1`,
    );
    assert.equal(
      now.digest,
      pinned.digest,
      `${stage} gives another output at version ${now.version} (${where}): ${howTo}`,
    );
  }
};

describe('The output of a stage', function () {
  this.timeout(300_000);
  const file = goldenFile();
  const update = process.env['UPDATE_GOLDEN'] === '1';
  let golden: Golden = { everywhere: {}, machines: {} };
  let demo: DemoRun;
  before(async () => {
    demo = await demoRun();
    if (existsSync(file)) golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  });

  const write = (next: Golden): void => {
    golden = next;
    writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`);
  };

  it('does not change at one version: rendered targets, on any machine', () => {
    const ledger = Ledger.open(demo.whole.work);
    const { version, recipe } = ledger.lastStageRun('synthesize')!;
    const items = [...ledger.items('synthesize').values()].filter(({ label }) => /^(scenes|objects)$/.test(label));
    ledger.close();
    assert.equal(items.length, 2);
    const seen = Object.fromEntries(
      items.map((item): [string, Pin] => [`synthesize ${item.label}`, { version, recipe, digest: itemDigestOf(item) }]),
    );
    if (update) write({ ...golden, everywhere: seen });
    check(golden.everywhere, seen, 'any machine');
  });

  it('does not change at one version: every stage, on a machine like one that is pinned', function () {
    const ledger = Ledger.open(demo.whole.work);
    // The first run that finished: tests that share the folder may have run more since.
    const run = ledger.runs().findLast(({ command, outcome }) => outcome === 'done' && !command.includes('--until'))!;
    const stages = ledger.stageRuns(run.id);
    ledger.close();
    const seen = Object.fromEntries(
      stages.map(({ stage, version, recipe, digest }): [string, Pin] => [stage, { version, recipe, digest: digest! }]),
    );
    assert.deepEqual(Object.keys(seen), [
      'synthesize',
      'targets',
      'index',
      'leaks',
      'mine',
      'pack',
      'pretrain',
      'transfer',
      'report',
    ]);
    const machine = machineOf(demo.out);
    if (update) write({ ...golden, machines: { ...golden.machines, [machine]: seen } });
    const pins = golden.machines[machine];
    if (!pins) {
      console.log(`      skipped: no digests for \`${machine}\`; to add them, run this test with UPDATE_GOLDEN=1`);
      this.skip();
    }
    check(pins, seen, machine);
  });
});
