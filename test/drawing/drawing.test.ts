import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { contactSheet, drawTrack } from '../../src/drawing/contact-sheet.js';
import { encodePng, encodePng16, writeRaster } from '../../src/drawing/image-file.js';
import { normalsPicture } from '../../src/drawing/normals-picture.js';
import { createRaster, drawLine, fillBox, outlineBox, pasteRaster, type Rgb } from '../../src/drawing/primitives.js';
import { resizeRaster } from '../../src/drawing/resize.js';
import { drawText, fitText, textWidth } from '../../src/drawing/text.js';
import { writeFigure } from '../../src/drawing/write-figure.js';
import type { Raster } from '../../src/numeric/raster.js';
import { sha256 } from '../../src/pipeline/canonical-json.js';

const black: Rgb = [0, 0, 0];
const red: Rgb = [255, 0, 0];
const at = (raster: Raster, x: number, y: number): number[] => [
  ...raster.data.subarray((y * raster.width + x) * 3, (y * raster.width + x) * 3 + 3),
];

/** The raster as rows of `#` (black) and `.`. */
const sketch = (raster: Raster): string[] =>
  Array.from({ length: raster.height }, (_, y) =>
    Array.from({ length: raster.width }, (_, x) => (at(raster, x, y)[0] === 0 ? '#' : '.')).join(''),
  );

describe('drawing', () => {
  it('fills, outlines and cuts boxes at the borders', () => {
    const raster = createRaster(6, 4);
    outlineBox(raster, { x: 1, y: 0, width: 4, height: 4 }, black, 1);
    assert.deepEqual(sketch(raster), ['.####.', '.#..#.', '.#..#.', '.####.']);
    fillBox(raster, { x: -5, y: 3, width: 100, height: 9 }, black);
    assert.equal(sketch(raster)[3], '######');
  });

  it('draws lines between both ends, and ends where an end lies outside', () => {
    const raster = createRaster(4, 4);
    drawLine(raster, [0, 0], [9, 9], black);
    assert.deepEqual(sketch(raster), ['#...', '.#..', '..#.', '...#']);
    assert.throws(() => drawLine(raster, [0, 0], [NaN, 1], black), /Expected the ends of a line to be finite/);
  });

  it('pastes grey and colour, cut at the borders', () => {
    const target = createRaster(3, 2);
    pasteRaster(target, { width: 2, height: 2, channels: 1, data: Uint8Array.of(10, 20, 30, 40) }, -1, 1);
    assert.deepEqual(at(target, 0, 1), [20, 20, 20]);
    assert.deepEqual(at(target, 1, 1), [255, 255, 255]);
  });

  it('writes letters one can read, and frames what it has no glyph for', () => {
    const raster = createRaster(17, 7);
    drawText(raster, 'T1\u2603', 0, 0);
    assert.deepEqual(sketch(raster), [
      '#####...#...#####',
      '..#....##...#...#',
      '..#.....#...#...#',
      '..#.....#...#...#',
      '..#.....#...#...#',
      '..#.....#...#...#',
      '..#....###..#####',
    ]);
    assert.equal(textWidth('abc'), 17);
    assert.equal(fitText('abcdef', 30), 'abc..');
  });

  it('gives every printable ASCII character a glyph of its own', () => {
    const seen = new Set<string>();
    for (let code = 32; code < 127; code++) {
      const raster = createRaster(5, 7);
      drawText(raster, String.fromCharCode(code), 0, 0);
      seen.add(sketch(raster).join());
    }
    assert.equal(seen.size, 95);
  });

  it('resizes by averaging, interpolating or repeating', () => {
    const grey = (width: number, values: number[]): Raster => ({
      width,
      height: values.length / width,
      channels: 1,
      data: Uint8Array.from(values),
    });
    assert.deepEqual([...resizeRaster(grey(2, [0, 100]), 4, 1).data], [0, 25, 75, 100]);
    assert.deepEqual([...resizeRaster(grey(2, [0, 100]), 4, 1, 'nearest').data], [0, 0, 100, 100]);
    const stripes = grey(8, [0, 200, 0, 200, 0, 200, 0, 200]);
    for (const value of resizeRaster(stripes, 2, 1).data) assert.ok(Math.abs(value - 100) < 26);
    assert.throws(() => resizeRaster(stripes, 0, 1), /Expected `width` to be an integer from 1, got `0`/);
  });

  it('lays sheets out in rows, pairs side by side, captions below', () => {
    const cell = createRaster(10, 8, red);
    const sheet = contactSheet([{ raster: [cell, cell], caption: 'x' }, { raster: cell }, { raster: cell }], {
      columns: 2,
    });
    assert.deepEqual([sheet.width, sheet.height], [6 + 2 * (22 + 6), 6 + 2 * (8 + 11 + 6)]);
    assert.deepEqual(at(sheet, 6, 6), red);
    assert.deepEqual(at(sheet, 16, 6), [255, 255, 255]);
    assert.deepEqual(at(sheet, 18, 6), red);
    assert.deepEqual(at(sheet, 34, 6), red);
    assert.deepEqual(at(sheet, 6, 31), red);
    assert.throws(() => contactSheet([]), /at least one picture/);
  });

  it('shows a track from its first to its last frame', () => {
    const frames = Array.from({ length: 31 }, (_, k) => createRaster(20, 20, [k, k, k]));
    const strip = drawTrack(
      frames,
      frames.map(() => ({ x: 4, y: 4, width: 8, height: 8 })),
      { most: 3 },
    );
    assert.equal(strip.width, 64);
    assert.deepEqual(
      [at(strip, 0, 0), at(strip, 22, 0), at(strip, 44, 0)].map(([v]) => v),
      [0, 15, 30],
    );
    assert.deepEqual(at(strip, 44 + 4, 4), [255, 176, 0]);
    assert.throws(() => drawTrack(frames, []), /as many `boxes` as `frames`/);
  });

  it('shows normals by the formula, and nothing where there is none', () => {
    const picture = normalsPicture(Float32Array.of(0, 0, -1, 1, -1, 0), 2, 1, Uint8Array.of(1, 0));
    assert.deepEqual([...picture.data], [128, 128, 0, 0, 0, 0]);
  });

  it('encodes 8 and 16 bits without loss', async () => {
    const raster = createRaster(3, 2, [1, 2, 3]);
    assert.deepEqual(
      [
        ...(await sharp(await encodePng(raster))
          .raw()
          .toBuffer()),
      ],
      [...raster.data],
    );
    const png = await encodePng16(Uint16Array.of(0, 1, 1234, 65535), 2, 2);
    const back = await sharp(png).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
    assert.deepEqual(
      [0, 2, 4, 6].map((offset) => back.readUInt16LE(offset)),
      [0, 1, 1234, 65535],
    );
    await assert.rejects(writeRaster('x.gif', raster), /to end in \.png or \.jpg/);
  });

  it('writes figures with the hash of what they show', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'figure-'));
    try {
      const about = { kind: 'contact-sheet', title: 'T', caption: 'C.' } as const;
      const figure = await writeFigure(dir, 'sheet', about, createRaster(2, 2));
      assert.equal(figure.image, 'sheet.png');
      assert.equal(figure.sha256, sha256(await readFile(path.join(dir, 'sheet.png'))));
      assert.deepEqual(JSON.parse(await readFile(path.join(dir, 'sheet.figure.json'), 'utf8')), figure);
      const bars = await writeFigure(dir, 'bars', { ...about, kind: 'bars', data: { bars: [] } });
      assert.equal(bars.sha256, sha256('{"bars":[]}'));
      await assert.rejects(writeFigure(dir, '../out', about, createRaster(2, 2)), /Expected `name` to be made of/);
      await assert.rejects(writeFigure(dir, 'none', about), /either data or a picture, got neither/);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
