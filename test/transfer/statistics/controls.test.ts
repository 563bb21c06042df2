import assert from 'node:assert/strict';
import { controlOf, controls, isControl, isSeedless, orderMethods } from '../../../src/transfer/statistics/controls.js';

describe('controls', () => {
  it('say what they are', () => {
    assert.match(controls['untracked']!, /same place at the end of the track/);
    assert.match(controls['shuffled']!, /the video of its first end/);
  });

  it('are told from methods by their names, imported weights by the beginning of theirs', () => {
    assert.ok(['random', 'supervised', 'hog', 'imported-caffenet'].every(isControl));
    assert.ok(!['triplet', 'triplet-ensemble', 'toString'].some(isControl));
    assert.equal(controlOf('imported-x'), 'imported');
    assert.deepEqual(
      ['random-ensemble', 'shuffled-iterative', 'self-iterative-ensemble', 'triplet-ensemble', 'ensemble'].map(
        controlOf,
      ),
      ['random', 'shuffled', 'self', undefined, undefined],
    );
    assert.ok(['no-image', 'hog', 'colour', 'imported-x'].every(isSeedless));
    assert.ok(!['random', 'triplet'].some(isSeedless));
  });

  it('stand after the methods, in their own order, each once', () => {
    const given = ['imported-b', 'no-image', 'self', 'b', 'imported-a', 'random', 'a', 'b'];
    assert.deepEqual(orderMethods(given), ['b', 'a', 'random', 'self', 'no-image', 'imported-b', 'imported-a']);
  });
});
