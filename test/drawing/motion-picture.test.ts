import assert from 'node:assert/strict';
import { drawArrow, drawPath, drawStroke, fadeRaster, fillDisc, markBox } from '../../src/drawing/marks.js';
import {
  drawFlow,
  drawResidual,
  keptColour,
  magnification,
  refusedColour,
  vectorLengths,
  type MotionMarks,
} from '../../src/drawing/motion-picture.js';
import { createRaster, markColours, type Rgb } from '../../src/drawing/primitives.js';
import type { Raster } from '../../src/numeric/raster.js';

const black: Rgb = [0, 0, 0];
const at = (raster: Raster, x: number, y: number): number[] => [
  ...raster.data.subarray((y * raster.width + x) * 3, (y * raster.width + x) * 3 + 3),
];
const has = (raster: Raster, colour: Rgb): boolean => {
  for (let i = 0; i < raster.data.length; i += 3) {
    if (colour.every((value, k) => raster.data[i + k] === value)) return true;
  }
  return false;
};
const sketch = (raster: Raster): string[] =>
  Array.from({ length: raster.height }, (_, y) =>
    Array.from({ length: raster.width }, (_, x) => (at(raster, x, y)[0] === 0 ? '#' : '.')).join(''),
  );

describe('marks on pictures', () => {
  it('fill discs around a place between pixels, and at least the pixel it lies on', () => {
    const raster = createRaster(5, 5);
    fillDisc(raster, [2.5, 2.5], 1.5, black);
    assert.deepEqual(sketch(raster), ['.....', '.###.', '.###.', '.###.', '.....']);
    const dot = createRaster(3, 3);
    fillDisc(dot, [1.2, 1.9], 0.1, black);
    assert.deepEqual(sketch(dot), ['...', '.#.', '...']);
  });

  it('draw strokes of a thickness, flat and steep', () => {
    const flat = createRaster(4, 4);
    drawStroke(flat, [0.5, 2], [3.5, 2], black, 2);
    assert.deepEqual(sketch(flat), ['....', '####', '####', '....']);
    const steep = createRaster(4, 3);
    drawStroke(steep, [2, 0.5], [2, 2.5], black, 2);
    assert.deepEqual(sketch(steep), ['.##.', '.##.', '.##.']);
  });

  it('do not walk to an end that lies beyond all bounds', () => {
    const raster = createRaster(20, 10);
    const began = performance.now();
    for (let k = 0; k < 50; k++) drawStroke(raster, [0.5, 5.5], [1e9, 5.5], black);
    assert.ok(performance.now() - began < 1000);
    assert.deepEqual(sketch(raster)[5], '#'.repeat(20));
  });

  it('give an arrow a head at its end, and none to one too short for it', () => {
    const short = createRaster(12, 9);
    drawArrow(short, [2.5, 4.5], [5.5, 4.5], black);
    assert.deepEqual(new Set(sketch(short).filter((_, y) => y !== 4)), new Set(['.'.repeat(12)]));
    const long = createRaster(14, 9);
    drawArrow(long, [1.5, 4.5], [11.5, 4.5], black);
    const beside = sketch(long)
      .filter((_, y) => y === 3 || y === 5)
      .join('');
    assert.ok(beside.includes('#') && sketch(long)[3]!.lastIndexOf('#') > 7, sketch(long).join('\n'));
  });

  it('join the places of a path, and leave a single one alone', () => {
    const raster = createRaster(3, 3);
    drawPath(raster, [[0.5, 0.5]], black);
    assert.deepEqual(sketch(raster), ['...', '...', '...']);
    drawPath(
      raster,
      [
        [0.5, 0.5],
        [2.5, 0.5],
        [2.5, 2.5],
      ],
      black,
    );
    assert.deepEqual(sketch(raster), ['###', '..#', '..#']);
  });

  it('outline a box so that it is seen on its own colour, too', () => {
    const raster = createRaster(12, 12, markColours[0]);
    markBox(raster, { x: 3, y: 3, width: 6, height: 6 }, markColours[0]!, 1);
    assert.deepEqual(at(raster, 2, 2), [0, 0, 0]);
    assert.deepEqual(at(raster, 3, 3), [...markColours[0]!]);
    assert.deepEqual(at(raster, 4, 4), [0, 0, 0]);
  });

  it('fade a picture towards dark grey, and leave the original', () => {
    const raster = createRaster(1, 1, [200, 100, 0]);
    const grey = 0.299 * 200 + 0.587 * 100;
    const faded = fadeRaster(raster, { colour: 0.5, light: 0.8 });
    assert.deepEqual(
      at(faded, 0, 0),
      [200, 100, 0].map((value) => Math.round(0.8 * (grey + 0.5 * (value - grey)))),
    );
    assert.deepEqual(at(raster, 0, 0), [200, 100, 0]);
  });
});

describe('pictures of motion', () => {
  /** Three points of a camera that pans by (4, 0); the last one moves by itself. */
  const marks: MotionMarks = {
    from: [
      [30, 30],
      [70, 30],
      [32, 56],
    ],
    to: [
      [34, 30],
      [74, 30],
      [36, 62],
    ],
    moving: [false, false, true],
    camera: ([x, y]) => [x + 4, y],
  };
  const frame = createRaster(96, 72, [120, 120, 120]);

  it('measure vectors with and without the camera', () => {
    const { flow, residual } = vectorLengths(marks);
    assert.deepEqual(flow, [4, 4, Math.hypot(4, 6)]);
    assert.deepEqual(residual, [0, 0, 6]);
    const { from, to, moving } = marks;
    assert.deepEqual(vectorLengths({ from, to, moving }).residual, flow);
  });

  it('draw vectors so much longer that all but the longest tenth stay within bounds', () => {
    assert.equal(magnification([1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 500], 18), 6);
    assert.equal(magnification([40, 50], 18), 1);
    assert.equal(magnification([0.1], 18, 20), 20);
    assert.equal(magnification([], 18, 20), 20);
  });

  it('show the flow of each point in the colour of what it was taken for, and where the camera goes', () => {
    const picture = drawFlow(frame, marks, 2);
    assert.deepEqual(at(picture, 36, 30), at(picture, 30, 30), 'the vector of a still point');
    assert.deepEqual(at(picture, 36, 62), [...markColours[0]!], 'half way along the vector of the moving point');
    assert.ok(has(picture, [255, 90, 190]), 'the lattice of the camera');
    const { from, to, moving } = marks;
    assert.ok(!has(drawFlow(frame, { from, to, moving }, 2), [255, 90, 190]), 'a lattice without a model');
    assert.deepEqual(at(frame, 36, 30), [120, 120, 120], 'the frame itself was painted on');
  });

  it('show only what the camera does not explain, with windows and tracks in the colour of their end', () => {
    const box = { x: 20, y: 40, width: 24, height: 24 };
    const draw = (kept?: boolean): Raster =>
      drawResidual(frame, marks, 1, [
        { box, label: '0', ...(kept !== undefined && { kept, track: [box, { ...box, x: 50 }] }) },
      ]);
    const ground = at(draw(), 70, 5);
    assert.deepEqual(at(draw(), 34, 30), ground, 'a vector at a point that the camera explains');
    assert.deepEqual(at(draw(), 32, 60), [...markColours[0]!], 'the residual of the moving point');
    assert.ok(has(draw(), [255, 255, 255]), 'a window that was not followed is white');
    assert.deepEqual(at(draw(true), 55, 51), [...keptColour], 'the path of a pair');
    assert.ok(has(draw(false), refusedColour) && !has(draw(false), keptColour));
  });
});
