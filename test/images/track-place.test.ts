import assert from 'node:assert/strict';
import { placeOf, tracksApart } from '../../src/images/track-place.js';
import type { PairRecord } from '../../src/shards/pair-record.js';

/** A track of a box of 10 x 10 that moves evenly. */
const track = (startFrame: number, from: [number, number], to: [number, number]): readonly number[] =>
  placeOf({
    startFrame,
    endFrame: startFrame + 30,
    boxes: [from, to].map(([x, y]) => ({ x, y, width: 10, height: 10 })),
  } as unknown as PairRecord);

const apart = (...tracks: (readonly number[])[]): boolean => tracksApart(Float32Array.from(tracks.flat()), 0, 1);

describe('tracks of one video', () => {
  it('are apart where both are there and never meet', () => {
    assert.ok(apart(track(0, [0, 0], [0, 0]), track(0, [40, 0], [60, 0])));
    assert.ok(apart(track(0, [0, 0], [0, 0]), track(30, [40, 0], [60, 0])), 'in one frame');
  });

  it('are not apart where they meet at the start, in the middle or at the end', () => {
    assert.ok(!apart(track(0, [0, 0], [0, 0]), track(0, [5, 0], [60, 0])));
    assert.ok(!apart(track(0, [0, 0], [100, 0]), track(0, [100, 0], [0, 0])));
    assert.ok(!apart(track(0, [0, 0], [50, 0]), track(0, [100, 0], [55, 0])));
  });

  it('are not apart where they are there at different times: they may show one thing', () => {
    assert.ok(!apart(track(0, [0, 0], [0, 0]), track(31, [40, 0], [60, 0])));
  });

  it('meet or not by where they are in the frames that both have', () => {
    // At frame 20 the first has moved to 40, where the second begins; at its own start it was far away.
    assert.ok(!apart(track(0, [0, 0], [60, 0]), track(20, [45, 0], [200, 0])));
    assert.ok(apart(track(0, [0, 0], [60, 0]), track(20, [0, 0], [0, 0])));
  });

  it('a track is never apart from itself', () => {
    assert.ok(!apart(track(0, [0, 0], [60, 0]), track(0, [0, 0], [60, 0])));
  });
});
