import assert from 'node:assert/strict';
import { RandomStream } from '../../../../src/numeric/random.js';
import { toColourSpace } from '../../../../src/transfer/detection/selective-search/colour-spaces.js';
import { gaussianBlur } from '../../../../src/transfer/detection/selective-search/gaussian-blur.js';
import { segmentGraph } from '../../../../src/transfer/detection/selective-search/graph-segmentation.js';
import { groupRegions } from '../../../../src/transfer/detection/selective-search/hierarchical-grouping.js';
import { PairHeap } from '../../../../src/transfer/detection/selective-search/pair-heap.js';
import { buildPixelGraph } from '../../../../src/transfer/detection/selective-search/pixel-graph.js';
import { codeRegions } from '../../../../src/transfer/detection/selective-search/region-codes.js';
import { describeRegions, type Regions } from '../../../../src/transfer/detection/selective-search/regions.js';
import type { SimilarityTerms } from '../../../../src/transfer/detection/selective-search/similarity.js';
import { clutter } from './made-images.js';

const regionsOf = (seed: number, k: number): Regions => {
  const image = clutter(64, 48, seed);
  const colour = toColourSpace(image, 'hsv');
  const smoothed = colour.planes.map((plane) => gaussianBlur(plane, 64, 48, 0.8));
  return describeRegions(
    segmentGraph(buildPixelGraph(smoothed, 64, 48), { k, minSizePx: 10 }),
    codeRegions(colour, smoothed),
  );
};

const measures: SimilarityTerms[] = [
  { colour: true, texture: true, size: true, fill: true },
  { colour: false, texture: true, size: true, fill: true },
  { colour: true, texture: false, size: false, fill: false },
  { colour: false, texture: false, size: false, fill: true },
  { colour: false, texture: false, size: true, fill: false },
];

type Slow = { size: number; box: number[]; histogram: number[]; neighbours: Set<number> };

/** Algorithm 1 of the paper: before every merge all pairs are compared anew, with everything computed from scratch. */
const groupSlowly = (regions: Regions, terms: SimilarityTerms): { boxes: number[]; children: number[] } => {
  const { count, imageSize, rowLength, colourLength } = regions;
  const nodes: Slow[] = Array.from({ length: count }, (_, i) => ({
    size: regions.sizes[i]!,
    box: [...regions.boxes.subarray(4 * i, 4 * i + 4)],
    histogram: [...regions.histograms.subarray(i * rowLength, (i + 1) * rowLength)],
    neighbours: new Set<number>(),
  }));
  for (let i = 0; i < regions.pairs.length; i += 2) {
    nodes[regions.pairs[i]!]!.neighbours.add(regions.pairs[i + 1]!);
    nodes[regions.pairs[i + 1]!]!.neighbours.add(regions.pairs[i]!);
  }
  const around = (a: number[], b: number[]): number[] => [
    Math.min(a[0]!, b[0]!),
    Math.min(a[1]!, b[1]!),
    Math.max(a[2]!, b[2]!),
    Math.max(a[3]!, b[3]!),
  ];
  const similarity = (a: Slow, b: Slow): number => {
    const common = a.histogram.map((value, i) => Math.min(value, b.histogram[i]!));
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    const [x0, y0, x1, y1] = around(a.box, b.box);
    let total = 0;
    if (terms.colour) total += sum(common.slice(0, colourLength));
    if (terms.texture) total += sum(common.slice(colourLength));
    if (terms.size) total += 1 - (a.size + b.size) / imageSize;
    if (terms.fill) total += 1 - ((x1! - x0!) * (y1! - y0!) - a.size - b.size) / imageSize;
    return total;
  };
  const alive = new Set(nodes.keys());
  const children: number[] = [];
  while (alive.size > 1) {
    let best = { value: -Infinity, a: -1, b: -1 };
    for (const a of alive) {
      for (const b of alive) {
        if (a >= b || !nodes[a]!.neighbours.has(b)) continue;
        const value = similarity(nodes[a]!, nodes[b]!);
        if (value > best.value) best = { value, a, b };
      }
    }
    const [a, b] = [nodes[best.a]!, nodes[best.b]!];
    const size = a.size + b.size;
    const neighbours = new Set([...a.neighbours, ...b.neighbours].filter((i) => alive.has(i)));
    neighbours.delete(best.a);
    neighbours.delete(best.b);
    for (const neighbour of neighbours) nodes[neighbour]!.neighbours.add(nodes.length);
    alive.delete(best.a);
    alive.delete(best.b);
    alive.add(nodes.length);
    const histogram = a.histogram.map((value, i) => (a.size * value + b.size * b.histogram[i]!) / size);
    nodes.push({ size, box: around(a.box, b.box), histogram, neighbours });
    children.push(best.a, best.b);
  }
  return { boxes: nodes.flatMap(({ box }) => box), children };
};

describe('Hierarchical grouping', () => {
  it('merges as the all-pairs search does, for every sum of similarities', () => {
    for (const seed of [1, 2]) {
      const regions = regionsOf(seed, 60);
      assert.ok(regions.count > 15, `${regions.count} regions`);
      for (const terms of measures) {
        const fast = groupRegions(regions, terms);
        const slow = groupSlowly(regions, terms);
        assert.deepEqual([...fast.children], slow.children, JSON.stringify(terms));
        assert.deepEqual([...fast.boxes], slow.boxes);
      }
    }
  });

  it('ends with the whole image, after one merge fewer than there are segments', () => {
    const regions = regionsOf(4, 40);
    const { count, boxes, children } = groupRegions(regions, measures[0]!);
    assert.equal(count, 2 * regions.count - 1);
    assert.deepEqual([...boxes.subarray(-4)], [0, 0, 64, 48]);
    assert.equal(new Set(children).size, count - 1);
  });

  it('gives a merged region the box around its two', () => {
    const regions = regionsOf(5, 40);
    const { boxes, children } = groupRegions(regions, measures[1]!);
    for (let i = 0; i < regions.count - 1; i++) {
      const [own, a, b] = [regions.count + i, children[2 * i]!, children[2 * i + 1]!].map((region) =>
        boxes.subarray(4 * region, 4 * region + 4),
      );
      const union = [Math.min(a[0]!, b[0]!), Math.min(a[1]!, b[1]!), Math.max(a[2]!, b[2]!), Math.max(a[3]!, b[3]!)];
      assert.deepEqual([...own], union);
    }
  });

  it('leaves the segments as they were', () => {
    const regions = regionsOf(6, 40);
    const before = regions.histograms.slice();
    const first = groupRegions(regions, measures[0]!);
    assert.deepEqual(regions.histograms, before);
    assert.deepEqual(groupRegions(regions, measures[0]!), first);
  });
});

describe('The queue of pairs', () => {
  it('hands out the most similar first, equal ones by number, also when it has grown', () => {
    const random = RandomStream.of(1, 'queue');
    const pairs = Array.from({ length: 500 }, () => [random.integer(20), random.integer(50), random.integer(50)]);
    const heap = new PairHeap(4);
    for (const [similarity, a, b] of pairs) heap.push(similarity!, a!, b!);
    pairs.sort(([s, a, b], [t, c, d]) => t! - s! || a! - c! || b! - d!);
    for (const pair of pairs) {
      assert.deepEqual([heap.similarity, heap.first, heap.second], pair);
      heap.pop();
    }
    assert.equal(heap.length, 0);
  });
});
