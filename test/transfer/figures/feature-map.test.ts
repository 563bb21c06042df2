import assert from 'node:assert/strict';
import { createRaster } from '../../../src/drawing/primitives.js';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { featureMap, snapToGrid } from '../../../src/transfer/figures/feature-map.js';
import { principalComponents } from '../../../src/transfer/figures/principal-components.js';
import { divergence, jointAffinities, tsne } from '../../../src/transfer/figures/t-sne.js';

/** `groups` clusters of `each` points around far places, `[groups * each, dim]`. */
const clusters = (groups: number, each: number, dim: number): Float32Array => {
  const random = RandomStream.of(7, 'clusters');
  const centres = Array.from({ length: groups * dim }, () => random.normal(0, 10));
  return Float32Array.from({ length: groups * each * dim }, (_, i) => {
    const group = Math.floor(i / dim / each);
    return centres[group * dim + (i % dim)]! + random.normal();
  });
};

describe('principal components', () => {
  it('of points on tilted axes are their coordinates along them, largest variance first', () => {
    // Along (3, 4) / 5 with spread 10, along (-4, 3) / 5 with spread 1; a constant third value.
    const along = [[-10, 1], [10, 1], [-10, -1], [10, -1]] as const; // prettier-ignore
    const data = Float32Array.from(along.flatMap(([a, b]) => [(3 * a - 4 * b) / 5 + 2, (4 * a + 3 * b) / 5, 9]));
    const scores = principalComponents({ rows: 4, dim: 3, data }, 3);
    for (const [i, [a, b]] of along.entries()) {
      assert.ok(Math.abs(Math.abs(scores[3 * i]!) - Math.abs(a)) < 1e-4);
      assert.ok(Math.abs(Math.abs(scores[3 * i + 1]!) - Math.abs(b)) < 1e-4);
      // The rank is two: the third component is none.
      assert.ok(Math.abs(scores[3 * i + 2]!) < 1e-4);
    }
    assert.ok(Math.sign(scores[0]!) === Math.sign(scores[6]!) && Math.sign(scores[0]!) !== Math.sign(scores[3]!));
  });

  it('keep all distances where all components are kept', () => {
    const data = clusters(2, 6, 5);
    const scores = principalComponents({ rows: 12, dim: 5, data }, 5);
    const distance = (values: ArrayLike<number>, i: number, j: number): number =>
      Math.hypot(...Array.from({ length: 5 }, (_, k) => values[i * 5 + k]! - values[j * 5 + k]!));
    for (let i = 1; i < 12; i++) assert.ok(Math.abs(distance(data, 0, i) - distance(scores, 0, i)) < 1e-3);
  });
});

describe('t-SNE', () => {
  const points = Float64Array.from(clusters(3, 8, 4));

  it('gives every point the perplexity that was asked for, and affinities that sum to one', () => {
    const n = 24;
    const affinities = jointAffinities(points, n, 4, 5);
    assert.ok(Math.abs(affinities.reduce((sum, value) => sum + value, 0) - 1) < 1e-9);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) assert.equal(affinities[i * n + j], affinities[j * n + i]);
    // Points at equal distances share alike: the perplexity of a regular figure is all of its others.
    const square = jointAffinities(Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]), 3, 3, 1.9999);
    assert.ok(Math.abs(square[1]! - 1 / 6) < 1e-3);
    // A row's entropy, computed anew from one far pair and one near: with perplexity near 1 only the nearest counts.
    const line = jointAffinities(Float64Array.from([0, 0, 1, 0, 10, 0, 11, 0]), 4, 2, 1.01);
    assert.ok(line[1]! > 0.2 && line[2]! < 0.01);
  });

  it('descends along the gradient of the divergence', () => {
    const n = 24;
    const affinities = jointAffinities(points, n, 4, 5);
    const random = RandomStream.of(3, 'layout');
    const layout = Float64Array.from({ length: 2 * n }, () => random.normal());
    const gradient = new Float64Array(2 * n);
    divergence(affinities, layout, gradient);
    const scratch = new Float64Array(2 * n);
    const step = 1e-5;
    for (const i of [0, 7, 20, 47]) {
      const moved = (by: number): number => {
        const copy = layout.slice();
        copy[i]! += by;
        return divergence(affinities, copy, scratch);
      };
      const numeric = (moved(step) - moved(-step)) / (2 * step);
      assert.ok(Math.abs(numeric - gradient[i]!) < 1e-7, `${numeric} for ${gradient[i]}`);
    }
  });

  it('keeps clusters together, and comes out the same each time', () => {
    const layout = tsne(points, 24, { perplexity: 5, iterations: 300 });
    assert.deepEqual(layout, tsne(points, 24, { perplexity: 5, iterations: 300 }));
    for (let i = 0; i < 24; i++) {
      let [nearest, least] = [-1, Infinity];
      for (let j = 0; j < 24; j++) {
        const distance = Math.hypot(layout[2 * i]! - layout[2 * j]!, layout[2 * i + 1]! - layout[2 * j + 1]!);
        if (j !== i && distance < least) [nearest, least] = [j, distance];
      }
      assert.equal(Math.floor(nearest / 8), Math.floor(i / 8));
    }
  });

  it('stays finite where points coincide', () => {
    assert.ok(tsne(new Float64Array(20).fill(1), 10, { iterations: 100 }).every(Number.isFinite));
    assert.throws(() => tsne(new Float64Array(6), 3), /at least 4 points/);
  });
});

describe('the map of features', () => {
  it('puts every point on a cell of its own, near where it lies', () => {
    const cells = snapToGrid(Float64Array.from([0, 0, 9, 0, 0, 9, 9, 9, 9, 9]), 4);
    assert.equal(new Set(cells).size, 5);
    assert.deepEqual(cells.slice(0, 4), [0, 3, 12, 15]);
    assert.ok([11, 14].includes(cells[4]!));
    assert.throws(() => snapToGrid(new Float64Array(20), 3), /Expected at most 9 points, got 10/);
  });

  it('shows each picture once, in its class’s frame, and tells how often neighbours agree', () => {
    const features = { rows: 24, dim: 4, data: clusters(3, 8, 4) };
    const pictures = pixelCacheOf(Array.from({ length: 24 }, (_, k) => createRaster(6, 6, [10 * k, 3, 5])));
    const labels = Array.from({ length: 24 }, (_, k) => Math.floor(k / 8));
    const map = featureMap(features, pictures, labels, { thumbnail: 10, perplexity: 5 });
    assert.equal(map.raster.width, 6 * 12);
    for (let k = 0; k < 24; k++) {
      let found = 0;
      for (let at = 0; at < map.raster.data.length; at += 3) {
        if (map.raster.data[at] === 10 * k && map.raster.data[at + 1] === 3) found++;
      }
      assert.equal(found, 36, `picture ${k}`);
    }
    assert.ok(map.agreement!.share > 0.9);
    assert.ok(Math.abs(map.agreement!.chance - 7 / 23) < 1e-12);
    assert.deepEqual(featureMap(features, pictures, labels, { thumbnail: 10, perplexity: 5 }), map);
  });

  it('draws by seed from more pictures than it can show, and refuses what does not belong together', () => {
    const features = { rows: 24, dim: 4, data: clusters(3, 8, 4) };
    const pictures = pixelCacheOf(Array.from({ length: 24 }, () => createRaster(4, 4)));
    const { shown, agreement } = featureMap(features, pictures, undefined, { most: 10, perplexity: 3 });
    assert.equal(new Set(shown).size, 10);
    assert.equal(agreement, undefined);
    assert.throws(() => featureMap(features, pictures, [1, 2]), /got 24 rows, 24 pictures, 2 labels/);
  });
});
