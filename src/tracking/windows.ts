/** A square window and the points in it. */
export type MotionWindow = { readonly x: number; readonly y: number; readonly count: number };

/**
 * The positions of a sliding `side` x `side` window that hold most of the given points (Wang & Gupta 2015, section 3): the best
 * one, then the best that does not overlap it, and so on up to `maxWindows`, each with at least `minCount` points. Counted with
 * integral images over whole pixels. Many positions hold the same points; the one whose centre is nearest to their mean
 * wins, so that what moves is in the middle, and among those the first in reading order.
 */
export const chooseWindows = (
  points: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  { width, height, side, minCount, maxWindows }: WindowSearch,
): MotionWindow[] => {
  const stride = width + 1;
  const counts = new Float64Array(stride * (height + 1));
  const sumX = new Float64Array(counts.length);
  const sumY = new Float64Array(counts.length);
  for (let i = 0; i < points.x.length; i++) {
    const column = Math.min(width - 1, Math.max(0, Math.floor(points.x[i])));
    const row = Math.min(height - 1, Math.max(0, Math.floor(points.y[i])));
    const at = (row + 1) * stride + column + 1;
    counts[at] += 1;
    sumX[at] += column + 0.5;
    sumY[at] += row + 0.5;
  }
  for (const table of [counts, sumX, sumY]) {
    for (let row = 1; row <= height; row++) {
      for (let column = 1, at = row * stride + 1; column <= width; column++, at++) {
        table[at] += table[at - 1] + table[at - stride] - table[at - stride - 1];
      }
    }
  }
  const within = (table: Float64Array, x: number, y: number): number => {
    const top = y * stride + x;
    const bottom = (y + side) * stride + x;
    return table[bottom + side] - table[bottom] - table[top + side] + table[top];
  };
  const chosen: MotionWindow[] = [];
  while (chosen.length < maxWindows) {
    let best: MotionWindow | undefined;
    let bestOffset = Infinity;
    for (let y = 0; y + side <= height; y++) {
      for (let x = 0; x + side <= width; x++) {
        const count = within(counts, x, y);
        if (count < minCount || count < (best?.count ?? 0)) continue;
        if (chosen.some((other) => Math.abs(other.x - x) < side && Math.abs(other.y - y) < side)) continue;
        const offset =
          (within(sumX, x, y) / count - x - side / 2) ** 2 + (within(sumY, x, y) / count - y - side / 2) ** 2;
        if (best === undefined || count > best.count || offset < bestOffset) {
          best = { x, y, count };
          bestOffset = offset;
        }
      }
    }
    if (best === undefined) break;
    chosen.push(best);
  }
  return chosen;
};

/** Where and for what `chooseWindows` looks; lengths in whole pixels. */
export type WindowSearch = {
  readonly width: number;
  readonly height: number;
  readonly side: number;
  readonly minCount: number;
  readonly maxWindows: number;
};
