import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { area, intersect } from '../../src/numeric/box.js';
import { brightnessGain, withGain } from '../../src/tracking/brightness.js';
import type { GreyImage } from '../../src/tracking/grey-image.js';
import { MinedLooks } from '../../src/tracking/mined-looks.js';
import { changeScore, pairChange } from '../../src/tracking/pair-change.js';
import { PairCap, type CappedEntry } from '../../src/tracking/pair-cap.js';
import { likeness, PatchLooker } from '../../src/tracking/patch-look.js';
import { chooseRegionWindows } from '../../src/tracking/region-windows.js';
import { renderLuma, texture } from './rendered.js';

const imageOf = (at: (x: number, y: number) => number, width = 96, height = 96): GreyImage => ({
  ...{ width, height },
  data: renderLuma(width, height, at),
});

describe('A cap on the pairs of a video', () => {
  const fill = (size: number, entries: readonly CappedEntry<number>[]) => {
    const cap = new PairCap<number>(size);
    const gone = entries.flatMap((entry) => cap.offer(entry) ?? []);
    return { kept: cap.kept, gone };
  };

  it('keeps all while there are few, and never more than its size, whatever comes', () => {
    const entries = Array.from({ length: 1000 }, (_, i) => ({ time: i, quality: 1, value: i }));
    assert.equal(fill(20, entries.slice(0, 20)).kept.length, 20);
    const { kept, gone } = fill(20, entries);
    assert.equal(kept.length, 20);
    assert.equal(gone.length, 980);
    assert.deepEqual(new Set([...kept, ...gone].map(({ value }) => value)).size, 1000);
  });

  it('spreads what it keeps over the whole time, not over the first of it', () => {
    const entries = Array.from({ length: 1000 }, (_, i) => ({ time: i, quality: 1, value: i }));
    const times = fill(20, entries).kept.map(({ time }) => time);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    for (let quarter = 0; quarter < 4; quarter++) {
      const count = times.filter((time) => time >= 250 * quarter && time < 250 * (quarter + 1)).length;
      assert.ok(count >= 3 && count <= 8, `${count} in quarter ${quarter}: ${times.join(' ')}`);
    }
  });

  it('prefers what is worth more among neighbours', () => {
    const random = RandomStream.of(4, 'quality');
    const entries = Array.from({ length: 600 }, (_, i) => ({ time: i, quality: random.uniform(0.2, 1), value: i }));
    const { kept } = fill(30, entries);
    const mean = kept.reduce((sum, { quality }) => sum + quality, 0) / kept.length;
    assert.ok(mean > 0.75, `mean quality ${mean}`);
  });

  it('says which one went', () => {
    const entries = [0, 10, 11, 20].map((time) => ({ time, quality: time === 11 ? 0.5 : 1, value: time }));
    assert.deepEqual(
      fill(3, entries).gone.map(({ value }) => value),
      [11],
    );
  });
});

describe('How a patch looks', () => {
  const looker = new PatchLooker();
  const box = { x: 10, y: 10, width: 60, height: 60 };
  const sharp = texture(7, 5);

  it('correlates with itself and with itself under other light, not with another', () => {
    const look = looker.look(imageOf(sharp), box);
    const dim = looker.look(
      imageOf((x, y) => 40 + 0.4 * sharp(x, y)),
      box,
    );
    const other = looker.look(imageOf(texture(8, 5)), box);
    assert.ok(Math.abs(likeness(look, look) - 1) < 1e-5);
    assert.ok(likeness(look, dim) > 0.99);
    assert.ok(Math.abs(likeness(look, other)) < 0.4);
    const blank = looker.look(
      imageOf(() => 90),
      box,
    );
    assert.equal(likeness(look, blank), 0);
    assert.equal(blank.sharpness, 0);
  });

  it('has the variance of the Laplacian of a plain loop where a sample is a pixel', () => {
    const image = imageOf(sharp);
    const { sharpness } = looker.look(image, { x: 20, y: 24, width: 48, height: 48 });
    const values: number[] = [];
    for (let y = 25; y < 71; y++) {
      for (let x = 21; x < 67; x++) {
        const at = (i: number, j: number): number => image.data[j * 96 + i];
        values.push(4 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1));
      }
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(sharpness - variance) < 1e-6 * variance, `${sharpness} for ${variance}`);
  });

  it('is less sharp out of focus', () => {
    const blurred = looker.look(imageOf(texture(7, 20)), box);
    assert.ok(blurred.sharpness < looker.look(imageOf(sharp), box).sharpness / 4);
  });
});

describe('How the ends of a pair differ', () => {
  const looker = new PatchLooker();
  const image = imageOf(texture(7, 5));
  const first = { x: 10, y: 10, width: 40, height: 40 };
  const look = looker.look(image, first);
  const options = { minTravelShare: 0.1, minScaleChange: 1.1, minAppearanceChange: 0.15 };

  it('is measured as travel, scale and look, any of which is enough', () => {
    const still = pairChange(first, first, look, look);
    assert.ok(still.travelPx === 0 && still.scaleChange === 1 && still.appearanceChange < 1e-5);
    assert.ok(changeScore(still, 40, options) < 0.01);
    const moved = pairChange(first, { ...first, x: 14, y: 13 }, look, look);
    assert.equal(moved.travelPx, 5);
    assert.equal(changeScore(moved, 40, options), 5 / 40 / 0.1);
    const smaller = pairChange(first, { x: 14, y: 14, width: 32, height: 32 }, look, look);
    assert.equal(smaller.scaleChange, 0.8);
    assert.ok(changeScore(smaller, 40, options) > 1);
    const other = pairChange(first, first, look, looker.look(image, { ...first, x: 50, y: 50 }));
    assert.ok(other.appearanceChange > 0.5 && changeScore(other, 40, options) > 1);
  });

  it('is always enough where nothing is asked for', () => {
    const still = pairChange(first, first, look, look);
    assert.equal(changeScore(still, 40, { minTravelShare: 0, minScaleChange: 1, minAppearanceChange: 0 }), Infinity);
  });

  it('between two pairs is the likeness of both ends, of those in the same place and not long ago', () => {
    const looks = new MinedLooks(30);
    const other = looker.look(image, { ...first, x: 50, y: 50 });
    const pair = { frame: 0, first, last: first, a: look, b: other };
    assert.equal(looks.nearest(pair), undefined);
    looks.add(pair);
    const again = looks.nearest({ ...pair, frame: 8 });
    assert.equal(again?.frame, 0);
    assert.ok(again.likeness > 0.999);
    assert.ok(looks.nearest({ ...pair, frame: 8, b: look })!.likeness < 0.5);
    assert.equal(looks.nearest({ ...pair, frame: 8, last: { ...first, x: 45 } }), undefined);
    assert.equal(looks.nearest({ ...pair, frame: 31 }), undefined);
  });
});

describe('Windows that follow regions', () => {
  const options = { width: 160, height: 120, margin: 1.2, paddingPx: 6, minSide: 24, maxSide: 80, maxWindows: 4 };
  const region = (x: number, y: number, width: number, height: number) => {
    const xs: number[] = [];
    const ys: number[] = [];
    for (let i = 0; i <= 4; i++) {
      for (let j = 0; j <= 4; j++) {
        xs.push(x + (width * i) / 4);
        ys.push(y + (height * j) / 4);
      }
    }
    return { box: { x, y, width, height }, points: { x: xs, y: ys } };
  };

  it('are squares around their middle, as large as the longer side and a margin, within bounds', () => {
    const [small, middling] = chooseRegionWindows([region(20, 20, 4, 6), region(80, 50, 40, 20)], options);
    assert.deepEqual(small.box, { x: 10, y: 11, width: 24, height: 24 });
    assert.equal(small.count, 25);
    assert.deepEqual(middling.box, { x: 73, y: 33, width: 54, height: 54 });
    assert.deepEqual([small.region, middling.region], [0, 1]);
  });

  it('stay inside the frame', () => {
    const [{ box }] = chooseRegionWindows([region(140, 2, 18, 10)], options);
    assert.ok(box.y === 0 && Math.abs(box.x + box.width - 160) < 1e-9, JSON.stringify(box));
  });

  it('do not overlap, and are no more than asked for', () => {
    const regions = [region(20, 20, 20, 20), region(30, 30, 20, 20), region(90, 20, 20, 20), region(90, 90, 20, 10)];
    const chosen = chooseRegionWindows(regions, options);
    assert.deepEqual(
      chosen.map((window) => window.region),
      [0, 2, 3],
    );
    for (const [i, a] of chosen.entries())
      for (const b of chosen.slice(i + 1)) assert.equal(area(intersect(a.box, b.box)), 0);
    assert.equal(chooseRegionWindows(regions, { ...options, maxWindows: 2 }).length, 2);
  });

  it('of a region beyond the bounds have the largest size, where most of it moves', () => {
    const chosen = chooseRegionWindows([region(2, 2, 150, 100)], options);
    assert.ok(chosen.length >= 1);
    for (const { box, count } of chosen) {
      assert.deepEqual([box.width, box.height], [80, 80]);
      assert.ok(count >= 25 / 4);
    }
  });
});

describe('A change of brightness', () => {
  const base = texture(3, 8);
  const lit = (gain: number, dx = 0): GreyImage => imageOf((x, y) => 16 + (base(x + dx, y) - 16) * gain);

  it('is found where the whole picture has it, and taken out', () => {
    const before = lit(1);
    for (const gain of [0.5, 0.8, 1.2]) {
      assert.ok(Math.abs(brightnessGain(before, lit(gain)) - gain) < 0.02);
      const mended = withGain(lit(gain), 1 / gain);
      const off = mended.data.reduce((sum, value, i) => sum + Math.abs(value - before.data[i]), 0) / mended.data.length;
      assert.ok(off < 1.5, `gain ${gain}: off by ${off}`);
    }
  });

  it('is not taken for one where a bright thing comes, or the camera moves', () => {
    const came = imageOf((x, y) => (x < 30 ? 230 : base(x, y)));
    assert.equal(brightnessGain(lit(1), came), 1);
    assert.equal(brightnessGain(lit(1), lit(1, 9)), 1);
  });
});
