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
    assert.equal(controlOf('encoder-x'), 'encoder');
    assert.equal(controlOf('random, small-half'), 'random');
    assert.equal(controlOf('jigsaw, 500 pictures, small'), undefined);
    assert.deepEqual(
      ['random-ensemble', 'shuffled-iterative', 'self-iterative-ensemble', 'triplet-ensemble', 'ensemble'].map(
        controlOf,
      ),
      ['random', 'shuffled', 'self', undefined, undefined],
    );
  });

  it('have a spread over seeds unless neither the features nor the protocol draw anything', () => {
    const seedless = (protocol: string): string[] =>
      ['no-image', 'hog', 'colour', 'imported-x', 'random', 'triplet'].filter((method) => isSeedless(method, protocol));
    for (const protocol of ['knn/hog', 'linear/hog', 'svm/hog', 'low-shot/hog, k = 1', 'ridge/hog', 'ridge']) {
      assert.deepEqual(seedless(protocol), ['no-image', 'hog', 'colour'], protocol);
    }
    for (const protocol of ['rcnn', 'codebook', 'multi-layer/hog', 'fast-rcnn', 'codebook-finetuned']) {
      assert.deepEqual(seedless(protocol), ['no-image'], protocol);
    }
  });

  it('stand after the methods, in their own order, each once', () => {
    const given = ['imported-b', 'no-image', 'self', 'b', 'imported-a', 'random', 'a', 'b'];
    assert.deepEqual(orderMethods(given), ['b', 'a', 'random', 'self', 'no-image', 'imported-b', 'imported-a']);
  });
});
