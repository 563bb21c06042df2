import assert from 'node:assert/strict';
import { curveStrokes } from '../../src/report/curve-strokes.js';

const palette = ['red', 'green', 'blue'];
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

describe('the strokes of curves', () => {
  it('are those of the places among all names, so that charts agree', () => {
    assert.deepEqual(curveStrokes(['c', 'a'], names, palette), { colours: ['blue', 'red'] });
    assert.deepEqual(curveStrokes(['f', 'd'], names, palette), { colours: ['blue', 'red'] });
  });

  it('go by the places within the chart where two would be the same', () => {
    assert.deepEqual(curveStrokes(['b', 'e', 'c'], names, palette), { colours: ['red', 'green', 'blue'] });
    // Names that nobody listed would all be the first.
    assert.deepEqual(curveStrokes(['x', 'y'], names, palette), { colours: ['red', 'green'] });
  });

  it('are dashed beyond the palette, and never two the same', () => {
    const { colours, dashes } = curveStrokes(names, names, palette);
    assert.deepEqual(colours, ['red', 'green', 'blue', 'red', 'green', 'blue', 'red']);
    assert.equal(new Set(names.map((_, k) => `${colours[k]} ${dashes![k]!.join()}`)).size, names.length);
    // The first round is drawn through.
    assert.deepEqual(dashes!.slice(0, 3).map((dash) => dash[1]), [0, 0, 0]); // prettier-ignore
  });
});
