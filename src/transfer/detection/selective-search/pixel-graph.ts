/** Steps of a weight: `weight = distance in colour * weightScale`, rounded, so that it fits 16 bits (three channels: at most 442). */
export const weightScale = 128;

/**
 * The pixels of an image as a graph with an edge to each of the eight neighbours, its edges sorted by weight. An edge is
 * `pixel * 4 + direction` (0 right, 1 below, 2 below right, 3 below left); `edges` holds those of weight w (times `weightScale`)
 * from `starts[w]` to `starts[w + 1]`.
 */
export type PixelGraph = {
  readonly width: number;
  readonly height: number;
  readonly edges: Int32Array;
  readonly starts: Int32Array;
};

/** How far the pixel at the other end of an edge lies in memory, by direction. */
export const edgeSteps = (width: number): readonly [number, number, number, number] => [1, width, width + 1, width - 1];

const noEdge = 65535;

/**
 * Builds the graph of Felzenszwalb & Huttenlocher 2004, 6: the weight of an edge is the Euclidean distance of the two (smoothed)
 * colours, `sqrt(sum over channels (p - q)^2)`. Weights are rounded to 1/128 of a grey level, which makes sorting a count and
 * a distribution; edges of equal weight keep the order of the scan. `planes`: each `width * height` values from 0 to 255.
 */
export const buildPixelGraph = (planes: readonly Float32Array[], width: number, height: number): PixelGraph => {
  const weights = new Uint16Array(width * height * 4).fill(noEdge);
  const starts = new Int32Array(noEdge + 1);
  const [p] = planes;
  const q = planes[1] ?? p;
  const r = planes[2] ?? p;
  const colours = planes.length > 1;
  const steps = edgeSteps(width);
  for (let direction = 0; direction < 4; direction++) {
    const step = steps[direction];
    const firstX = direction === 3 ? 1 : 0;
    const endX = direction === 1 || direction === 3 ? width : width - 1;
    const endY = direction === 0 ? height : height - 1;
    for (let y = 0; y < endY; y++) {
      for (let i = y * width + firstX, end = y * width + endX; i < end; i++) {
        let squared = (p[i] - p[i + step]) ** 2;
        if (colours) squared += (q[i] - q[i + step]) ** 2 + (r[i] - r[i + step]) ** 2;
        const weight = (Math.sqrt(squared) * weightScale + 0.5) | 0;
        weights[i * 4 + direction] = weight;
        starts[weight]++;
      }
    }
  }
  let total = 0;
  for (let weight = 0; weight < starts.length; weight++) {
    const count = starts[weight];
    starts[weight] = total;
    total += count;
  }
  const edges = new Int32Array(total);
  const next = starts.slice();
  for (let edge = 0; edge < weights.length; edge++) {
    const weight = weights[edge];
    if (weight !== noEdge) edges[next[weight]++] = edge;
  }
  return { width, height, edges, starts };
};
