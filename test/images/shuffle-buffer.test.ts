import assert from 'node:assert/strict';
import { bufferedOrder } from '../../src/images/shuffle-buffer.js';
import { SlotPlan, type SlotRead } from '../../src/images/slot-plan.js';
import { epochOrder } from '../../src/training/data-order.js';

const sizes = { bufferSize: 40, blockSize: 7 };
const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);
const all = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe('The order through a shuffle buffer', () => {
  it('is a function of seed and epoch, and another one for each', () => {
    const shown = (seed: number, epoch: number) => bufferedOrder(200, sizes, seed, epoch).shown.join();
    assert.equal(shown(3, 5), shown(3, 5));
    assert.equal(new Set([shown(3, 5), shown(3, 6), shown(4, 5)]).size, 3);
  });

  it('reads and shows every sample once, also where the last block is short', () => {
    for (const length of [41, 200, 203]) {
      const { read, shown } = bufferedOrder(length, sizes, 1, 0);
      assert.deepEqual(sorted(read), all(length));
      assert.deepEqual(sorted(shown), all(length));
    }
  });

  it('reads whole blocks from their first sample to their last', () => {
    const { read } = bufferedOrder(200, sizes, 1, 0);
    const steps = [...read].slice(1).map((sample, i) => sample - read[i]!);
    assert.ok(steps.filter((step) => step !== 1).length < Math.ceil(200 / 7));
    assert.notDeepEqual([...read], all(200));
  });

  it('shows what the buffer can hold: a sample of the first `bufferSize` + position that are read', () => {
    const { read, shown } = bufferedOrder(500, sizes, 2, 1);
    const readAt = new Map([...read].map((sample, at) => [sample, at]));
    shown.forEach((sample, position) => assert.ok(readAt.get(sample)! < sizes.bufferSize + position));
  });

  it('is the order of a set in memory where the buffer holds it', () => {
    assert.deepEqual(bufferedOrder(40, sizes, 9, 2).shown, epochOrder(40, 9, 2));
    assert.deepEqual(bufferedOrder(12, sizes, 9, 2).shown, epochOrder(12, 9, 2));
    assert.notDeepEqual(bufferedOrder(41, sizes, 9, 2).shown, epochOrder(41, 9, 2));
  });

  it('brings neighbours into one batch as often as a uniform order of twice the buffer', () => {
    const [length, bufferSize, blockSize, batch] = [40_000, 4000, 20, 64];
    let met = 0;
    let counted = 0;
    for (let epoch = 0; epoch < 4; epoch++) {
      const { shown } = bufferedOrder(length, { bufferSize, blockSize }, 5, epoch);
      for (let from = 0; from + batch <= length; from += batch) {
        const blocks = new Map<number, number>();
        for (const sample of shown.subarray(from, from + batch)) {
          const block = Math.floor(sample / blockSize);
          blocks.set(block, (blocks.get(block) ?? 0) + 1);
        }
        for (const count of blocks.values()) met += count * (count - 1);
        counted += batch;
      }
    }
    const expected = (blockSize - 1) * Math.tanh(batch / (2 * bufferSize));
    assert.ok(Math.abs(met / counted / expected - 1) < 0.1, `${met / counted}, expected ${expected}`);
  });

  it('is refused for sizes that are none', () => {
    assert.throws(() => bufferedOrder(10, { bufferSize: 0, blockSize: 1 }, 1, 0), /`bufferSize`.*got `0`/);
    assert.throws(() => bufferedOrder(10, { bufferSize: 4, blockSize: 1.5 }, 1, 0), /`blockSize`.*got `1.5`/);
  });
});

describe('The plan of slots', () => {
  const length = 200;
  const batch = 8;
  // Two batches more than are shuffled: the one that is shown and the one that is prepared.
  const slots = sizes.bufferSize + 2 * batch;
  const orderOf = (epoch: number) => bufferedOrder(length, sizes, 6, epoch);

  /** What lies in the slots, as whoever reads would leave it. */
  const carryOut = (held: Map<number, number>, reads: readonly SlotRead[]): void =>
    reads.forEach(({ slot, sample }) => held.set(slot, sample));

  /** Shows batches from `position` on, looking that each of its samples lies where the plan says; the reads. */
  const showFrom = (plan: SlotPlan, epoch: number, position: number, to: number, held: Map<number, number>) => {
    const { shown, reads } = plan.begin(epoch, position);
    const all = [...reads];
    carryOut(held, reads);
    for (let at = position; at + batch <= to; at += batch) {
      // The next batch is prepared before this one is given up.
      for (const sample of shown.subarray(at, Math.min(to, at + 2 * batch))) {
        const slot = plan.slotOf(sample);
        assert.ok(slot >= 0 && held.get(slot) === sample, `sample ${sample} at ${at}`);
      }
      const more = plan.release(shown.subarray(at, at + batch));
      all.push(...more);
      carryOut(held, more);
      assert.ok(plan.held <= slots);
    }
    return all;
  };

  it('holds every sample when it is shown and the batch after it, in never more slots, epoch after epoch', () => {
    const plan = new SlotPlan(slots, orderOf);
    const held = new Map<number, number>();
    const reads = [0, 1, 2].map((epoch) => showFrom(plan, epoch, 0, length, held));
    assert.ok(held.size <= slots && Math.max(...held.keys()) < slots);
    assert.equal(reads[0]!.length, length + slots, 'the end of an epoch reads the beginning of the next');
    assert.equal(reads[1]!.length, length);
  });

  it('gives up what an epoch leaves over', () => {
    const plan = new SlotPlan(slots, orderOf);
    const held = new Map<number, number>();
    for (let epoch = 0; epoch < 5; epoch++) showFrom(plan, epoch, 0, length - 3 * batch, held);
    assert.equal(plan.held, slots);
  });

  it('goes on from any position with what was read and not shown by then', () => {
    for (const position of [8, 96, 152, 192]) {
      const held = new Map<number, number>();
      const plan = new SlotPlan(slots, orderOf);
      const reads = showFrom(plan, 3, position, length, held);
      const early = new Set(orderOf(3).shown.subarray(0, position));
      const ofThisEpoch = reads.slice(0, length - position).map(({ sample }) => sample);
      assert.ok(ofThisEpoch.every((sample) => !early.has(sample)));
      showFrom(plan, 4, 0, length, held);
    }
  });

  it('does not read what was shown without it', () => {
    const plan = new SlotPlan(slots, orderOf);
    const { shown } = plan.begin(0, 0);
    const late = shown.subarray(length - batch);
    assert.ok(late.some((sample) => plan.slotOf(sample) < 0));
    const unread = [...late].filter((sample) => plan.slotOf(sample) < 0);
    plan.release(late);
    const reads: number[] = [];
    for (let at = 0; at + 2 * batch <= length; at += batch) {
      reads.push(...plan.release(shown.subarray(at, at + batch)).map(({ sample }) => sample));
    }
    assert.ok(unread.every((sample) => !reads.slice(0, length - slots - batch).includes(sample)));
  });
});
