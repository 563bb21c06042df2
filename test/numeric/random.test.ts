import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';

describe('RandomStream', () => {
  it('gives the published xoshiro128** sequence from the state 1, 2, 3, 4', () => {
    const stream = new RandomStream([1, 2, 3, 4]);
    assert.deepEqual(
      Array.from({ length: 6 }, () => stream.bits()),
      [11520, 0, 5927040, 70819200, 2031721883, 1637235492],
    );
  });

  it('continues exactly from a saved state', () => {
    const stream = RandomStream.of(7, 'augment', 700);
    for (let i = 0; i < 100; i++) stream.normal();
    const again = new RandomStream(stream.save());
    assert.deepEqual(
      Array.from({ length: 50 }, () => stream.uniform()),
      Array.from({ length: 50 }, () => again.uniform()),
    );
  });

  it('gives unrelated streams for labels that differ or are split differently', () => {
    const first = (stream: RandomStream): string => stream.save().join();
    const streams = [
      RandomStream.of(1, 'a', 'b'),
      RandomStream.of(1, 'ab'),
      RandomStream.of(1, 'b', 'a'),
      RandomStream.of(2, 'a', 'b'),
      RandomStream.of(1, 'a', 'b', 0),
    ];
    assert.equal(new Set(streams.map(first)).size, streams.length);
  });

  it('draws uniform numbers, integers and normals with the right moments', () => {
    const stream = RandomStream.of(3, 'moments');
    const count = 20000;
    let sum = 0;
    let square = 0;
    const bins = new Array<number>(7).fill(0);
    for (let i = 0; i < count; i++) {
      const value = stream.normal(2, 3);
      sum += value;
      square += value * value;
      const bin = stream.integer(7);
      bins[bin] = (bins[bin] ?? 0) + 1;
      const uniform = stream.uniform(-1, 1);
      assert.ok(uniform >= -1 && uniform < 1);
    }
    assert.ok(Math.abs(sum / count - 2) < 0.1);
    assert.ok(Math.abs(square / count - 13) < 0.5);
    for (const bin of bins) assert.ok(Math.abs(bin - count / 7) < 5 * Math.sqrt(count / 7));
  });

  it('shuffles to a permutation and samples without repeats', () => {
    const stream = RandomStream.of(4);
    const order = stream.shuffle(Int32Array.from({ length: 50 }, (_, i) => i));
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.notDeepEqual(
      [...order],
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.equal(new Set(stream.sample(20, 20)).size, 20);
  });

  it('refuses an impossible count and says what came', () => {
    assert.throws(() => RandomStream.of(1).integer(0), /Expected `count` to be an integer from 1 .* got `0`/);
    assert.throws(() => RandomStream.of(1).sample(3, 4), /at most `total` = 3, got `4`/);
  });
});
