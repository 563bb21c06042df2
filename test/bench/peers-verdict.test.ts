import assert from 'node:assert/strict';
import { jointSpread, judgePeer, type PeerMeasurement } from '../../bench/peers-verdict.js';

const measured = (ours: number[], peer: number[], wall = 1, cpu = wall, lossDifference = 0): PeerMeasurement => ({
  method: 'simclr',
  ours,
  peer,
  stepRatio: { wall, cpu },
  lossDifference,
});

describe('verdict on a peer', () => {
  it('pools the spread over seeds of both sides and all methods, whatever their means', () => {
    // Sample variances 2, 0, 8, 2 of two seeds each: pooled 3, of a difference 6.
    const both = [measured([40, 42], [51, 51]), measured([30, 34], [61, 63])];
    assert.ok(Math.abs(jointSpread(both) - Math.sqrt(6)) < 1e-12);
  });

  it('knows no spread of single runs', () => {
    assert.equal(jointSpread([measured([40], [50])]), 0);
  });

  it('weighs a side by its seeds', () => {
    // Variances 1 (two degrees) and 4.5 (one degree): pooled (2 + 4.5) / 3.
    assert.ok(Math.abs(jointSpread([measured([9, 10, 11], [5, 8])]) - Math.sqrt((2 * 6.5) / 3)) < 1e-12);
  });

  it('fails an accuracy that is behind by more than the spread, and none that is above', () => {
    assert.deepEqual(judgePeer(measured([40, 42], [43, 43]), { spread: 2 }).failures, []);
    assert.deepEqual(judgePeer(measured([60, 62], [43, 43]), { spread: 0 }).failures, []);
    const [failure] = judgePeer(measured([40, 42], [43.2, 43]), { spread: 2 }).failures;
    assert.match(failure!, /simclr: k-NN is 2\.10 points below/);
  });

  it('fails a step that is slower in wall and in processor time, not in one of them alone', () => {
    assert.deepEqual(judgePeer(measured([1], [1], 1.3, 1.05), { spread: 0 }).failures, []);
    assert.match(judgePeer(measured([1], [1], 1.3, 1.2), { spread: 0 }).failures[0]!, /1\.20 of the peer's time/);
  });

  it('fails losses that lie apart', () => {
    assert.deepEqual(judgePeer(measured([1], [1], 1, 1, 1e-3), { spread: 0 }).failures, []);
    assert.match(judgePeer(measured([1], [1], 1, 1, 3e-3), { spread: 0 }).failures[0]!, /3\.0e-3 apart/);
  });

  it('fails what is not a number', () => {
    assert.equal(judgePeer(measured([NaN], [1], NaN, NaN, NaN), { spread: 1 }).failures.length, 3);
  });

  it('gives mean and sample standard deviation of either side', () => {
    const { ours, peer } = judgePeer(measured([1, 3], [2]), { spread: 9 });
    assert.deepEqual(
      [ours, peer],
      [
        { mean: 2, std: Math.SQRT2 },
        { mean: 2, std: 0 },
      ],
    );
  });
});
