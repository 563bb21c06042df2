import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { useFolder } from './fixtures.js';
import { allMutants, examineAll, leftBehind, makeSeeds, setTrap, shortLimits } from './mutations.js';
import type { Trap, Verdict } from './mutations.js';

const awkward = path.resolve('..', 'shared', 'data', 'video', 'awkward');
const more = [
  ...['ax_3gp_bbb_176x144_128kbps_15fps_h263.3gp', 'ax_mp4_sample_sef_slow_motion.mp4', 'ax_ts_sample_h264.ts'],
  ...['ax_vp9_bear-vp9-odd-dimensions.webm', 'made_gray.mp4', 'made_hevc_10bit.mkv', 'made_no_index.avi'],
  ...['ax_mp4_sample_with_it35_track.mp4'],
].map((name) => path.join(awkward, name));

const tableOf = (verdicts: readonly Verdict[]): string => {
  const kinds = [...new Set(verdicts.map(({ kind }) => kind))];
  const count = (kind: string, status: Verdict['status']): number =>
    verdicts.filter((verdict) => verdict.kind === kind && verdict.status === status).length;
  const rows = kinds.map((kind) => {
    const slowest = Math.max(...verdicts.filter((verdict) => verdict.kind === kind).map(({ seconds }) => seconds));
    const cells = [
      count(kind, 'decoded'),
      count(kind, 'decoded with warnings'),
      count(kind, 'rejected'),
      slowest.toFixed(1),
    ];
    return [kind.padEnd(30), ...cells.map((cell) => String(cell).padStart(9))].join('');
  });
  return [`${'kind'.padEnd(30)}  decoded  warnings rejected slowest s`, ...rows]
    .map((row) => `      ${row}`)
    .join('\n');
};

describe('three hundred files that are out for harm', () => {
  const folder = useFolder();
  let trap: Trap;
  before(async () => {
    trap = await setTrap(folder.path);
  });
  after(() => trap.close());

  it('hang nothing, crash nothing, read no other file, call nobody, leave nobody behind, and have each a reason', async () => {
    const mutants = allMutants(
      await makeSeeds(
        folder.path,
        more.filter((file) => existsSync(file)),
      ),
      trap.bait,
    );
    assert.ok(mutants.length >= 300);
    assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
    const verdicts = await examineAll(mutants, trap.bait, 3);
    console.log(tableOf(verdicts));
    const reasons = new Map<string, number>();
    for (const { reason } of verdicts.filter(({ status }) => status === 'rejected'))
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1])) console.log(`      ${count} x ${reason}`);
    assert.notEqual(await trap.wasRead(), true, 'another file was read');
    assert.equal(trap.connections(), 0);
    assert.deepEqual(await leftBehind(), []);
    const bound = shortLimits.timeoutSeconds * 2 + shortLimits.waitSeconds + 10;
    for (const { name, seconds } of verdicts) assert.ok(seconds < bound, `${name} took ${seconds} s`);
    for (const { name, kind, status } of verdicts)
      if (kind === 'script' && !/^(gab2|alias)/.test(name)) assert.equal(status, 'rejected', name);
  });
});
