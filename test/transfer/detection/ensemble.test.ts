import assert from 'node:assert/strict';
import { detectionsOf, ensembleDetections, type ProposalScores } from '../../../src/transfer/detection/ensemble.js';

const boxes = Float32Array.of(0, 0, 10, 10, 1, 0, 11, 10, 30, 30, 40, 40);
/** Three proposals, two classes. */
const picture = (...scores: number[]): ProposalScores => ({ boxes, scores: Float32Array.from(scores) });

describe('detections', () => {
  it('are the best of each heap, class by class, best first', () => {
    const found = detectionsOf([picture(0.5, 0.125, 0.75, 0.0625, 0.25, 1)]);
    assert.deepEqual(
      found.map(({ label, score, box }) => [label, score, box.x, box.width]),
      [
        [1, 1, 30, 10],
        [0, 0.75, 1, 10],
        [0, 0.25, 30, 10],
        [1, 0.125, 0, 10],
      ],
    );
    assert.deepEqual(detectionsOf([picture(1, 1, 1, 1, 1, 1)], { maxDetections: 2 }).length, 2);
    // The first two overlap by 9 / 11.
    assert.equal(detectionsOf([picture(1, 1, 1, 1, 1, 1)], { nmsIou: 0.9 }).length, 6);
  });

  it('lie where regression moved the boxes for their class', () => {
    const regressed = new Float32Array(24);
    regressed.set([5, 5, 9, 9], 4);
    const found = detectionsOf([{ ...picture(0, 1, 0, 0, 0, 0), regressed }]);
    assert.deepEqual(found[0], { image: 0, label: 1, score: 1, box: { x: 5, y: 5, width: 4, height: 4 } });
  });

  it('of several networks rest on the mean of their scores, and the order of networks has no part', () => {
    const [a, b] = [picture(1, 0, 0, 0, 0, 0), picture(0, 0, 0.5, 0, 0.25, 0)];
    const together = ensembleDetections([
      [a, b],
      [b, b],
    ]);
    assert.deepEqual(
      together.filter(({ image, label }) => image === 0 && label === 0).map(({ score, box }) => [score, box.x]),
      [
        [0.5, 0],
        [0.125, 30],
      ],
    );
    assert.deepEqual(
      ensembleDetections([
        [b, b],
        [a, b],
      ]),
      together,
    );
    assert.deepEqual(
      ensembleDetections([
        [a, b],
        [a, b],
      ]),
      detectionsOf([a, b]),
    );
    const moved = (x: number): ProposalScores => ({
      ...a,
      regressed: new Float32Array(24).fill(x).map((v, i) => (i % 4 < 2 ? v : v + 10)),
    });
    assert.equal(ensembleDetections([[moved(2)], [moved(4)]])[0]!.box.x, 3);
  });

  it('of networks that saw other things are refused', () => {
    const a = picture(1, 0, 0, 0, 0, 0);
    const elsewhere = { ...a, boxes: boxes.map((side) => side + 1) };
    assert.throws(() => ensembleDetections([[a], [elsewhere]]), /same proposals of picture 0/);
    assert.throws(() => ensembleDetections([[a], [a, a]]), /same pictures, got 1 and 2/);
    assert.throws(() => ensembleDetections([[a], [{ ...a, regressed: new Float32Array(24) }]]), /picture 0/);
    assert.throws(() => ensembleDetections([]), /at least one network/);
    assert.throws(() => detectionsOf([a], { nmsIou: 2 }), /`nmsIou`/);
    assert.throws(() => detectionsOf([a], { maxDetections: 0 }), /`maxDetections`/);
  });
});
