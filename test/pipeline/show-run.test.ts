import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatRate } from '../../src/pipeline/rate.js';
import { showRun } from '../../src/pipeline/show-run.js';

describe('how far a run is', () => {
  it('is said as a rate and a time left; what takes long, by the time that one takes', () => {
    assert.equal(formatRate(50, 330, 20, 'steps'), '2.5 steps/s, 2 min left');
    assert.equal(formatRate(8, 4, 10), '0.80/s, 5 s left');
    assert.equal(formatRate(1, 2, 240), '4 min each, 8 min left');
    assert.equal(formatRate(3, 297, 90, 'steps'), '30 s each, 2 h 29 min left');
    assert.equal(formatRate(0, 10, 5), '');
  });

  const stageLines = (total: number, already: number, options: { readonly everyMs?: number } = { everyMs: 0 }) => {
    const written: string[] = [];
    const display = showRun(false, { ...options, write: (line) => void written.push(line) });
    return { written, meter: display.stage('pretrain', total, already) };
  };

  it('stands in a log line, an item with its own rate and time left before what it tells', async () => {
    const { written, meter } = stageLines(3, 0);
    const step = (done: number) =>
      meter.item('triplet, seed 1', { done, total: 100, unit: 'steps', text: 'loss 0.4123 (uniform 0.6931)' });
    step(1);
    await sleep(40);
    step(21);
    assert.match(
      written.at(-1)!,
      /^pretrain: 0\/3, [\d.]+\/s, \d+ s left; triplet, seed 1 21\/100 steps [\d.]+ steps\/s, \d+ s left, loss 0\.4123 \(uniform 0\.6931\)$/,
    );
  });

  it('counts what is done of an item under way, and of one that goes on only what is done now', async () => {
    /** Items a second: of 2, one of which was done before, the other stood at `from` of 100. */
    const rateFrom = async (from: number): Promise<readonly number[]> => {
      const began = performance.now();
      const { written, meter } = stageLines(2, 1);
      meter.item('a', { done: from, total: 100 });
      await sleep(50);
      meter.item('a', { done: 60, total: 100 });
      const rate = Number(/^pretrain: 1\/2, ([\d.]+)\/s/.exec(written.at(-1)!)![1]);
      return [rate, (performance.now() - began) / 1000];
    };
    for (const from of [10, 50]) {
      const [rate, seconds] = (await rateFrom(from)) as [number, number];
      const expected = (60 - from) / 100 / seconds;
      assert.ok(rate > expected * 0.9 && rate < expected * 1.8, `${rate}, expected ${expected}`);
    }
  });

  it('is said at most as often as asked for', async () => {
    const { written, meter } = stageLines(3, 0, { everyMs: 40 });
    for (let done = 1; done <= 20; done++) {
      meter.item('a', { done, total: 20 });
      await sleep(1);
    }
    assert.ok(written.length < 20, `${written.length}`);
    await sleep(50);
    meter.item('a', { done: 20, total: 20 });
    assert.match(written.at(-1)!, /a 20\/20/);
  });
});
