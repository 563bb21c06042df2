import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LoadedImage } from '../../../src/images/detection-dataset.js';
import { loadProposals, proposeRegions, recallOf, saveProposals } from '../../../src/transfer/detection/proposals.js';

/** A bright square on a dark ground. */
const square = (
  x: number,
  y: number,
  side: number,
  flags: { difficult?: boolean; crowd?: boolean } = {},
): LoadedImage => {
  const [width, height] = [96, 64];
  const data = new Uint8Array(width * height * 3).fill(30);
  for (let row = y; row < y + side; row++) data.fill(220, (row * width + x) * 3, (row * width + x + side) * 3);
  return {
    name: `${x}-${y}`,
    scale: 1,
    raster: { width, height, channels: 3, data },
    objects: [{ label: 0, box: { x, y, width: side, height: side }, difficult: false, crowd: false, ...flags }],
  };
};

describe('proposals of a target', () => {
  it('find a plain object in every picture, at most as many as asked for, and report their progress', async () => {
    const data = { train: [square(10, 8, 30), square(50, 20, 24)], test: [square(30, 30, 26)] };
    const seen: string[] = [];
    const { train, test } = await proposeRegions(data, {
      ...{ mode: 'fast', maxBoxes: 20 },
      onProgress: (done, total) => seen.push(`${done}/${total}`),
    });
    assert.deepEqual([train.length, test.length], [2, 1]);
    for (const boxes of [...train, ...test])
      assert.ok(boxes.length % 4 === 0 && boxes.length <= 80 && boxes.length > 0);
    assert.equal(recallOf(data.train, train, 0.7), 1);
    assert.equal(recallOf(data.test, test, 0.7), 1);
    assert.deepEqual(seen, ['1/3', '2/3', '3/3']);
  });

  it('end when they are told to', async () => {
    const reason = new Error('enough');
    const asked = proposeRegions(
      { train: [square(10, 8, 30)], test: [] },
      { mode: 'fast', maxBoxes: 5, signal: AbortSignal.abort(reason) },
    );
    await assert.rejects(asked, reason);
  });

  it('recall counts an object once, at the overlap asked for, and neither difficult ones nor crowds', () => {
    const image = square(0, 0, 10);
    // Twice 0.6 of the object, nothing else.
    const boxes = [Float32Array.of(0, 0, 6, 10, 0, 0, 10, 6)];
    assert.equal(recallOf([image], boxes, 0.5), 1);
    assert.equal(recallOf([image], boxes, 0.7), 0);
    assert.equal(recallOf([image, square(0, 0, 20, { difficult: true })], [...boxes, ...boxes], 0.5), 1);
    assert.ok(Number.isNaN(recallOf([square(0, 0, 10, { crowd: true })], boxes, 0.5)));
  });

  it('come back from their files as they were, pictures without any included', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'proposals-'));
    try {
      const proposals = {
        train: [Float32Array.of(0, 1, 2, 3.5), new Float32Array()],
        test: [Float32Array.of(4, 4, 8, 8, 1, 1, 2, 2)],
      };
      await saveProposals(dir, proposals);
      const { train, test } = await loadProposals(dir);
      assert.deepEqual(
        { train: train.map((b) => [...b]), test: test.map((b) => [...b]) },
        {
          train: [[0, 1, 2, 3.5], []],
          test: [[4, 4, 8, 8, 1, 1, 2, 2]],
        },
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
