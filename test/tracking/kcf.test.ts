import assert from 'node:assert/strict';
import { iou } from '../../src/numeric/box.js';
import { HOG_CHANNELS, HogExtractor } from '../../src/tracking/hog.js';
import { KcfTracker } from '../../src/tracking/kcf.js';
import { hannWindow, kcfGeometry, targetResponse } from '../../src/tracking/kcf-geometry.js';
import { PatchSampler } from '../../src/tracking/sample-patch.js';
import type { GreyImage } from '../../src/tracking/grey-image.js';
import { renderLuma, texture } from './rendered.js';

const width = 200;
const height = 160;
const scene = texture(1, 6);
const target = texture(2, 4);

/** A textured square of `side` around a centre, before a textured background. */
const image = (centreX: number, centreY: number, side = 40, scale = 1): GreyImage => ({
  width,
  height,
  data: renderLuma(width, height, (x, y) => {
    const half = (side * scale) / 2;
    const inside = Math.abs(x - centreX) < half && Math.abs(y - centreY) < half;
    return inside ? target((x - centreX) / scale, (y - centreY) / scale) : scene(x, y);
  }),
});

const boxAt = (centreX: number, centreY: number, side = 40) => ({
  x: centreX - side / 2,
  y: centreY - side / 2,
  width: side,
  height: side,
});

describe('Histograms of oriented gradients', () => {
  const features = (
    patch: (x: number, y: number) => number,
  ): { at: (row: number, column: number, channel: number) => number; energy: number } => {
    const hog = new HogExtractor(6, 6, 4);
    const data = new Float64Array(hog.patchWidth * hog.patchHeight);
    for (let i = 0; i < data.length; i++) data[i] = patch(i % hog.patchWidth, Math.floor(i / hog.patchWidth));
    const re = new Float64Array(36 * 16);
    const im = new Float64Array(36 * 16);
    const energy = hog.extract(data, new Float64Array(36).fill(1), re, im);
    return {
      energy,
      at: (row, column, channel) => (channel % 2 === 0 ? re : im)[(row * 6 + column) * 16 + (channel >> 1)],
    };
  };

  for (let bin = 0; bin < 18; bin++) {
    it(`votes for direction ${bin * 20} degrees, and for its unsigned twin`, () => {
      const angle = (bin * 20 * Math.PI) / 180;
      const { at } = features((x, y) => 5 * (x * Math.cos(angle) + y * Math.sin(angle)));
      for (let other = 0; other < 18; other++) assert.equal(at(2, 3, other) > 0.1, other === bin, `signed ${other}`);
      for (let other = 0; other < 9; other++)
        assert.equal(at(2, 3, 18 + other) > 0.1, other === bin % 9, `unsigned ${other}`);
      // One direction alone: each of four norms is the root of four equal cells, truncated at 0.2.
      assert.ok(Math.abs(at(2, 3, bin) - 0.4) < 1e-9);
    });
  }

  it('does not depend on contrast, and is nothing on a flat patch', () => {
    const wave = texture(9, 3);
    const [a, b] = [features(wave), features((x, y) => 0.5 * wave(x, y) + 20)];
    for (let channel = 0; channel < HOG_CHANNELS; channel++)
      assert.ok(Math.abs(a.at(3, 2, channel) - b.at(3, 2, channel)) < 1e-4);
    assert.equal(features(() => 77).energy, 0);
  });

  it('returns the sum of squares of what it wrote', () => {
    const { at, energy } = features(texture(4, 3));
    let sum = 0;
    for (let cell = 0; cell < 36; cell++)
      for (let channel = 0; channel < 32; channel++) sum += at(Math.floor(cell / 6), cell % 6, channel) ** 2;
    assert.ok(Math.abs(sum - energy) < 1e-9 * energy);
  });
});

describe('Kernelised correlation filter', () => {
  it('has the response of the definition: kernel correlation by shifting, coefficients and response by plain sums', () => {
    const [from, to] = [image(100, 80), image(106, 77)];
    const options = { padding: 2, templatePx: 40, cell: 4, bandwidthFactor: 0.125 };
    const geometry = kcfGeometry(40, 40, options);
    const { rows, columns } = geometry;
    const cells = rows * columns;
    const window = hannWindow(rows, columns);
    const read = (source: GreyImage): Float64Array[] => {
      const hog = new HogExtractor(rows, columns, 4);
      const sampler = new PatchSampler(hog.patchWidth, hog.patchHeight);
      sampler.read(source, 100, 80, geometry.step);
      const re = new Float64Array(cells * 16);
      const im = new Float64Array(cells * 16);
      hog.extract(sampler.patch, window, re, im);
      return Array.from({ length: HOG_CHANNELS }, (_, channel) =>
        Float64Array.from({ length: cells }, (_, cell) => (channel % 2 === 0 ? re : im)[cell * 16 + (channel >> 1)]),
      );
    };
    // k[d] = exp(-|x shifted by d - z|^2 / (N sigma^2)), for every cyclic shift d.
    const kernel = (x: Float64Array[], z: Float64Array[]): Float64Array => {
      const out = new Float64Array(cells);
      for (let d = 0; d < cells; d++) {
        const [dy, dx] = [Math.floor(d / columns), d % columns];
        let sum = 0;
        for (let channel = 0; channel < HOG_CHANNELS; channel++) {
          for (let cell = 0; cell < cells; cell++) {
            const row = (Math.floor(cell / columns) + dy) % rows;
            const column = ((cell % columns) + dx) % columns;
            sum += (x[channel][cell] - z[channel][row * columns + column]) ** 2;
          }
        }
        out[d] = Math.exp(-sum / (cells * HOG_CHANNELS * 0.36));
      }
      return out;
    };
    const dft = (values: Float64Array): [number, number][] =>
      Array.from({ length: cells }, (_, k) => {
        let [re, im] = [0, 0];
        for (let n = 0; n < cells; n++) {
          const turn =
            (Math.floor(k / columns) * Math.floor(n / columns)) / rows + ((k % columns) * (n % columns)) / columns;
          re += values[n] * Math.cos(-2 * Math.PI * turn);
          im += values[n] * Math.sin(-2 * Math.PI * turn);
        }
        return [re, im];
      });
    const [x, z] = [read(from), read(to)];
    const own = dft(kernel(x, x));
    const cross = dft(kernel(x, z));
    const wanted = dft(targetResponse(rows, columns, geometry.bandwidth));
    let best = -Infinity;
    for (let n = 0; n < cells; n++) {
      let sum = 0;
      for (let k = 0; k < cells; k++) {
        // Target and autocorrelation are even, their spectra real.
        const alpha = wanted[k][0] / (own[k][0] + 1e-4);
        const turn =
          (Math.floor(k / columns) * Math.floor(n / columns)) / rows + ((k % columns) * (n % columns)) / columns;
        sum += alpha * (cross[k][0] * Math.cos(2 * Math.PI * turn) - cross[k][1] * Math.sin(2 * Math.PI * turn));
      }
      best = Math.max(best, sum / cells);
    }
    const tracker = new KcfTracker({ ...options, scaleStep: 1 });
    tracker.start(from, boxAt(100, 80));
    const { peak } = tracker.update(to);
    assert.ok(Math.abs(peak - best) < 1e-6, `expected ${best}, got ${peak}`);
  });

  it('follows a translation to a fraction of a pixel', () => {
    const tracker = new KcfTracker();
    tracker.start(image(80, 70), boxAt(80, 70));
    for (let i = 1; i <= 20; i++) {
      const [x, y] = [80 + 2.3 * i, 70 - 0.8 * i];
      const { box, peak, peakToSidelobe } = tracker.update(image(x, y));
      assert.ok(
        Math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y) < 1,
        `frame ${i}: ${JSON.stringify(box)}`,
      );
      assert.ok(peak > 0.5 && peakToSidelobe > 8, `peak ${peak}, ratio ${peakToSidelobe}`);
    }
  });

  for (const [word, rate] of [
    ['grows', 1.012],
    ['shrinks', 1 / 1.012],
  ] as const) {
    it(`follows a target that ${word} as the camera moves`, () => {
      // All of the picture is magnified about the target, as when the camera comes nearer.
      const zoomed = (scale: number): GreyImage => ({
        width,
        height,
        data: renderLuma(width, height, (x, y) => target((x - 100) / scale, (y - 80) / scale)),
      });
      const tracker = new KcfTracker();
      const fixed = new KcfTracker({ scaleStep: 1 });
      tracker.start(zoomed(1), boxAt(100, 80));
      fixed.start(zoomed(1), boxAt(100, 80));
      let scale = 1;
      for (let i = 1; i <= 25; i++) {
        scale *= rate;
        tracker.update(zoomed(scale));
        assert.equal(fixed.update(zoomed(scale)).box.width, 40);
      }
      // The weight on rival scales makes the size lag behind: only part of the way is asked for.
      assert.ok(
        Math.abs(tracker.box.width - 40) > 4 && iou(tracker.box, boxAt(100, 80, 40 * scale)) > 0.7,
        JSON.stringify({ box: tracker.box, scale }),
      );
    });
  }

  it('loses confidence when the target is gone', () => {
    const tracker = new KcfTracker();
    tracker.start(image(100, 80), boxAt(100, 80));
    const seen = tracker.update(image(101, 80));
    const gone = tracker.update({ width, height, data: renderLuma(width, height, texture(77, 6)) });
    assert.ok(seen.peak > 0.6, `${seen.peak}`);
    assert.ok(gone.peak < 0.3 && gone.peak < 0.4 * seen.peak, `${gone.peak} after ${seen.peak}`);
  });

  it('gives the same track again, with an object used before and with a new one', () => {
    const run = (tracker: KcfTracker): string => {
      tracker.start(image(80, 70), boxAt(80, 70));
      return JSON.stringify([1, 2, 3, 4, 5].map((i) => tracker.update(image(80 + 2 * i, 70 + i))));
    };
    const used = new KcfTracker();
    const first = run(used);
    used.start(image(120, 60, 24), boxAt(120, 60, 24));
    used.update(image(121, 60, 24));
    assert.equal(run(used), first);
    assert.equal(run(new KcfTracker()), first);
  });

  it('says what is wrong with an option, a box, or the order of calls', () => {
    assert.throws(() => new KcfTracker({ lambda: 0 }), /Expected `lambda` to be a number above 0, got `0` \(number\)/);
    assert.throws(() => new KcfTracker({ cell: 6 }), /Expected `cell` to be a multiple of 4, got `6` \(number\)/);
    assert.throws(() => new KcfTracker({ scaleStep: 0.9 }), /Expected `scaleStep` to be a number of at least 1/);
    assert.throws(() => new KcfTracker().start(image(50, 50), { x: 0, y: 0, width: 0, height: 4 }), /size above 0/);
    assert.throws(
      () => new KcfTracker().start(image(50, 50), boxAt(NaN, 50)),
      /finite numbers, got `\[null,30,40,40\]`/,
    );
    assert.throws(() => new KcfTracker().update(image(50, 50)), /Expected `start`/);
  });
});
