import { NeighbourLists } from './neighbour-lists.js';
import { PairHeap } from './pair-heap.js';
import type { Regions } from './regions.js';
import { fillSimilarity, rowDistance, sizeSimilarity, type SimilarityTerms } from './similarity.js';

/**
 * All regions of a grouping, the segments first, then the merged ones as they came into being; the last covers the image. `boxes`: 4 a
 * region (x0, y0, x1, y1); `children`: the two regions, smaller number first, that merged region `segments + i` was made of, from `2 i` on.
 */
export type Hierarchy = { readonly count: number; readonly boxes: Int32Array; readonly children: Int32Array };

/** The regions while they merge: numbers go on where the segments end, histograms of a new region overwrite its first child's. */
class GroupedRegions {
  readonly boxes: Int32Array;
  readonly children: Int32Array;
  readonly #sizes: Int32Array;
  readonly #rows: Int32Array;
  readonly #alive: Uint8Array;
  readonly #histograms: Float32Array;
  readonly #regions: Regions;
  readonly #terms: SimilarityTerms;
  #count: number;

  constructor(regions: Regions, terms: SimilarityTerms) {
    const total = 2 * regions.count - 1;
    this.#regions = regions;
    this.#terms = terms;
    this.#count = regions.count;
    this.boxes = new Int32Array(total * 4);
    this.boxes.set(regions.boxes);
    this.children = new Int32Array(2 * (regions.count - 1));
    this.#sizes = new Int32Array(total);
    this.#sizes.set(regions.sizes);
    this.#rows = Int32Array.from({ length: total }, (_, i) => i * regions.rowLength);
    this.#alive = new Uint8Array(total).fill(1);
    this.#histograms = terms.colour || terms.texture ? regions.histograms.slice() : regions.histograms;
  }

  get count(): number {
    return this.#count;
  }

  isAlive(region: number): boolean {
    return this.#alive[region] === 1;
  }

  /** The sum of the strategy's measures (equation 6). */
  similarity(a: number, b: number): number {
    const { colourLength, rowLength, imageSize } = this.#regions;
    const { colour, texture, size, fill } = this.#terms;
    const sizeA = this.#sizes[a];
    const sizeB = this.#sizes[b];
    let sum = 0;
    if (colour || texture) {
      const from = colour ? 0 : colourLength;
      const length = (texture ? rowLength : colourLength) - from;
      const distance = rowDistance(this.#histograms, this.#rows[a] + from, this.#rows[b] + from, length);
      sum += (colour && texture ? 2 : 1) - distance / 2;
    }
    if (size) sum += sizeSimilarity(sizeA, sizeB, imageSize);
    if (fill) sum += fillSimilarity(this.boxes, a, b, sizeA, sizeB, imageSize);
    return sum;
  }

  /** Merges two regions and returns the number of the new one. */
  merge(a: number, b: number): number {
    const merged = this.#count++;
    const sizeA = this.#sizes[a];
    const sizeB = this.#sizes[b];
    this.children[2 * (merged - this.#regions.count)] = a;
    this.children[2 * (merged - this.#regions.count) + 1] = b;
    this.#alive[a] = 0;
    this.#alive[b] = 0;
    this.#sizes[merged] = sizeA + sizeB;
    const boxes = this.boxes;
    boxes[4 * merged] = Math.min(boxes[4 * a], boxes[4 * b]);
    boxes[4 * merged + 1] = Math.min(boxes[4 * a + 1], boxes[4 * b + 1]);
    boxes[4 * merged + 2] = Math.max(boxes[4 * a + 2], boxes[4 * b + 2]);
    boxes[4 * merged + 3] = Math.max(boxes[4 * a + 3], boxes[4 * b + 3]);
    this.#rows[merged] = this.#rows[a];
    if (this.#terms.colour || this.#terms.texture) {
      this.#mergeHistograms(this.#rows[a], this.#rows[b], sizeA / (sizeA + sizeB));
    }
    return merged;
  }

  /** The mean of two histograms, weighted by size: the histogram of all pixels of both. */
  #mergeHistograms(a: number, b: number, shareOfA: number): void {
    const histograms = this.#histograms;
    const from = this.#terms.colour ? 0 : this.#regions.colourLength;
    const end = this.#terms.texture ? this.#regions.rowLength : this.#regions.colourLength;
    for (let i = from; i < end; i++) {
      histograms[a + i] = shareOfA * histograms[a + i] + (1 - shareOfA) * histograms[b + i];
    }
  }
}

/**
 * Hierarchical grouping (Uijlings et al. 2013, algorithm 1): the most similar pair of touching regions merges, the new region's
 * similarities to the neighbours of both are computed, and so on until one region is left. A priority queue holds the
 * pairs; those of regions that are gone are dropped when they come up, so that a merge costs its neighbours only. Equal
 * similarities go by the regions' numbers.
 */
export const groupRegions = (regions: Regions, terms: SimilarityTerms): Hierarchy => {
  const grouped = new GroupedRegions(regions, terms);
  const { count, pairs } = regions;
  const neighbours = new NeighbourLists(2 * count - 1, 4 * pairs.length);
  const heap = new PairHeap(2 * pairs.length);
  for (let i = 0; i < pairs.length; i += 2) {
    neighbours.link(pairs[i], pairs[i + 1]);
    heap.push(grouped.similarity(pairs[i], pairs[i + 1]), pairs[i], pairs[i + 1]);
  }
  const linkedTo = new Int32Array(2 * count - 1);
  while (heap.length > 0) {
    const { first, second } = heap;
    heap.pop();
    if (!grouped.isAlive(first) || !grouped.isAlive(second)) continue;
    const merged = grouped.merge(first, second);
    for (let side = 0; side < 2; side++) {
      let entry = neighbours.firstEntry(side === 0 ? first : second);
      for (; entry >= 0; entry = neighbours.entryAfter(entry)) {
        const neighbour = neighbours.neighbourAt(entry);
        if (!grouped.isAlive(neighbour) || linkedTo[neighbour] === merged) continue;
        linkedTo[neighbour] = merged;
        neighbours.link(merged, neighbour);
        heap.push(grouped.similarity(neighbour, merged), neighbour, merged);
      }
    }
  }
  return { count: grouped.count, boxes: grouped.boxes, children: grouped.children };
};
