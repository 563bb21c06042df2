import { edgeSteps, weightScale, type PixelGraph } from './pixel-graph.js';

/** A segmentation of an image: `labels[y * width + x]` from 0 to `count - 1`, numbered as the scan meets them. */
export type Segmentation = {
  readonly width: number;
  readonly height: number;
  readonly labels: Int32Array;
  readonly count: number;
};

/** What decides the size of segments: `k`, in grey levels times pixels (larger: fewer segments), and the least size in pixels. */
export type SegmentationOptions = { readonly k: number; readonly minSizePx: number };

/** The root of the tree that `i` stands in; the way there is halved. Roots hold minus their size, others their parent. */
const rootOf = (trees: Int32Array, i: number): number => {
  let node = i;
  let parent = trees[node];
  while (parent >= 0) {
    const above = trees[parent];
    if (above < 0) return parent;
    trees[node] = above;
    node = above;
    parent = trees[node];
  }
  return node;
};

/** Joins two trees, the smaller under the larger (the first where they are equal), and returns the root. */
const join = (trees: Int32Array, a: number, b: number): number => {
  const [root, child] = trees[b] < trees[a] ? [b, a] : [a, b];
  trees[root] += trees[child];
  trees[child] = root;
  return root;
};

const labelTrees = (trees: Int32Array): { labels: Int32Array; count: number } => {
  const labels = new Int32Array(trees.length);
  const labelOfRoot = new Int32Array(trees.length).fill(-1);
  let count = 0;
  for (let i = 0; i < trees.length; i++) {
    const root = rootOf(trees, i);
    if (labelOfRoot[root] < 0) labelOfRoot[root] = count++;
    labels[i] = labelOfRoot[root];
  }
  return { labels, count };
};

/**
 * Graph-based segmentation (Felzenszwalb & Huttenlocher 2004, algorithm 1): over the edges from the smallest weight w on, two
 * components A and B are joined where `w <= min(Int(A) + k / |A|, Int(B) + k / |B|)`; Int is the weight by which a component was last
 * joined. After that, over the same edges again, components below `minSizePx` are joined with a neighbour (their code).
 */
export const segmentGraph = (graph: PixelGraph, { k, minSizePx }: SegmentationOptions): Segmentation => {
  const { width, height, edges, starts } = graph;
  const steps = edgeSteps(width);
  const trees = new Int32Array(width * height).fill(-1);
  const scaledK = k * weightScale;
  const limits = new Float32Array(width * height).fill(scaledK);
  // An edge whose ends stay apart here is all that can join small components later.
  const apart = new Int32Array(edges.length);
  let apartCount = 0;
  for (let weight = 0; weight + 1 < starts.length; weight++) {
    for (let i = starts[weight], end = starts[weight + 1]; i < end; i++) {
      const edge = edges[i];
      const pixel = edge >> 2;
      const other = pixel + steps[edge & 3];
      // Most edges lie inside a component, both ends right under its root.
      if (trees[pixel] === trees[other] && trees[pixel] >= 0) continue;
      const a = rootOf(trees, pixel);
      const b = rootOf(trees, other);
      if (a === b) continue;
      if (weight <= limits[a] && weight <= limits[b]) {
        const root = join(trees, a, b);
        limits[root] = weight - scaledK / trees[root];
      } else {
        apart[apartCount++] = edge;
      }
    }
  }
  for (let i = 0; i < apartCount; i++) {
    const pixel = apart[i] >> 2;
    const a = rootOf(trees, pixel);
    const b = rootOf(trees, pixel + steps[apart[i] & 3]);
    if (a !== b && (trees[a] > -minSizePx || trees[b] > -minSizePx)) join(trees, a, b);
  }
  return { width, height, ...labelTrees(trees) };
};
