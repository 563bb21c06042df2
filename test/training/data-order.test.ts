import assert from 'node:assert/strict';
import { batchesPerEpoch, epochOrder, epochOrderByVideo } from '../../src/training/data-order.js';

describe('data order', () => {
  it('without weights visits every sample once', () => {
    assert.deepEqual(
      [...epochOrder(100, 1, 0)].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it('depends on seed and epoch alone', () => {
    assert.deepEqual(epochOrder(50, 3, 7), epochOrder(50, 3, 7));
    assert.notDeepEqual(epochOrder(50, 3, 7), epochOrder(50, 3, 8));
    assert.notDeepEqual(epochOrder(50, 3, 7), epochOrder(50, 4, 7));
  });

  it('with weights draws in proportion to them', () => {
    const counts = [0, 0, 0, 0];
    const weights = Float64Array.of(0, 1, 0, 3);
    for (let epoch = 0; epoch < 1000; epoch++) for (const i of epochOrder(4, 5, epoch, weights)) counts[i]!++;
    assert.equal(counts[0], 0);
    assert.equal(counts[2], 0);
    // 4000 draws at 1/4: standard deviation 27.
    assert.ok(Math.abs(counts[1]! - 1000) < 140, `${counts[1]} of 4000`);
  });

  it('refuses weights that are no distribution over the samples', () => {
    assert.throws(() => epochOrder(2, 1, 0, Float64Array.of(1)), /Expected 2 sampling weights, got 1/);
    assert.throws(() => epochOrder(2, 1, 0, Float64Array.of(1, -1)), /got `-1` for sample 1/);
    assert.throws(() => epochOrder(2, 1, 0, Float64Array.of(0, 0)), /above 0, got none/);
  });

  it('by video visits every sample once, so many of a video beside each other, and is another order each epoch', () => {
    const videos = Int32Array.from([0, 1, 0, 1, 0, 2, 1, 1, 0]);
    const order = epochOrderByVideo(videos, 2, 1, 0);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...videos.keys()],
    );
    // Pieces of two, but for the one sample of video 2.
    const labels = [...order].map((sample) => videos[sample]);
    const alone = labels.indexOf(2);
    const rest = labels.filter((_, i) => i !== alone);
    for (let i = 0; i < rest.length; i += 2) assert.equal(rest[i], rest[i + 1], labels.join());
    assert.ok(new Set([0, 1, 2, 3, 4].map((epoch) => epochOrderByVideo(videos, 2, 1, epoch).join())).size > 1);
    assert.deepEqual(epochOrderByVideo(videos, 2, 1, 3), epochOrderByVideo(videos, 2, 1, 3));
  });

  it('counts full batches, and says what sizes there can be', () => {
    assert.equal(batchesPerEpoch(10, 3), 3);
    assert.equal(batchesPerEpoch(10, 10), 1);
    assert.throws(() => batchesPerEpoch(10, 11), /from 1 to the 10 samples there are, got `11`/);
    assert.throws(() => batchesPerEpoch(10, 0), /Expected `batchSize`/);
  });
});
