import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import { decodeScores, encodeScores } from '../../../src/transfer/statistics/encode-scores.js';
import { measure, type ImageScores } from '../../../src/transfer/statistics/image-scores.js';

const random = RandomStream.of(1);
const detections = Array.from({ length: 60 }, () => random.uniform());
const examples: readonly ImageScores[] = [
  { kind: 'mean', values: [100, 0, 33.333333333333336], groups: [0, 0, 1], most: 100 },
  { kind: 'ratio', hits: [1.25, 3], totals: [4, 8], scale: 1 },
  { kind: 'quantile', q: 0.5, edges: [0, 1, 2, 3, 4, 5, 6], counts: [[0, 0, 0, 5, 0, 2], [1, 0, 0, 0, 0, 0]] }, // prettier-ignore
  {
    kind: 'average-precision',
    images: 6,
    interpolation: '11-point',
    classes: [
      {
        score: detections,
        image: detections.map(() => random.integer(6)),
        tp: detections.map((score, k) => (k % 9 === 0 && score > 0.4 ? 1 : 0)),
        positives: [2, 2, 2, 2, 2, 2],
      },
    ],
  },
];

describe('encoded scores', () => {
  it('measure the same, whatever the weights', () => {
    for (const scores of examples) {
      const read = decodeScores(encodeScores(scores));
      assert.deepEqual(read.groups, scores.groups);
      if (scores.kind === 'mean') assert.equal((read as typeof scores).most, scores.most);
      for (let round = 0; round < 10; round++) {
        const weights = Array.from({ length: 6 }, () => 1 + random.integer(3)).slice(0, scores.kind === 'mean' ? 3 : scores.kind === 'average-precision' ? 6 : 2); // prettier-ignore
        assert.ok(Math.abs(measure(read, weights) - measure(scores, weights)) < 1e-6, scores.kind);
      }
    }
  });

  it('are the same when read and encoded again', () => {
    for (const scores of examples) {
      const read = decodeScores(encodeScores(scores));
      assert.deepEqual(decodeScores(encodeScores(read)), read);
    }
  });

  it('count runs of zeros, and leave out detections that no metric sees', () => {
    assert.match(encodeScores(examples[2]!), /"counts":\[\[-3,5,-1,2\],\[1,-5\]\]/);
    assert.ok(encodeScores(examples[3]!).length < JSON.stringify(examples[3]).length / 4);
  });

  it('are refused where they are something else', () => {
    assert.throws(() => decodeScores('{"kind":"mode","values":[1]}'), /Expected the scores of test images: /);
    assert.throws(() => decodeScores('{"kind":"mean","values":["1"]}'), /values\[0\]/);
    assert.throws(
      () => decodeScores('{"kind":"quantile","q":0.5,"edges":[0,1,2],"counts":[[-1000000000]]}'),
      /2 counts/,
    );
  });
});
