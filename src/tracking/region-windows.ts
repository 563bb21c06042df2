import { area, intersect, moveInside, type Box } from '../numeric/box.js';
import { chooseWindows } from './windows.js';

/** A group of moving points: their extent and where they are. */
export type MovingRegion = {
  readonly box: Box;
  readonly points: { readonly x: readonly number[]; readonly y: readonly number[] };
};

/** How windows follow regions; lengths in pixels. */
export type RegionWindowOptions = {
  readonly width: number;
  readonly height: number;
  /** Side of a window over the longer side of its region, and what is added to it. */
  readonly margin: number;
  readonly paddingPx: number;
  readonly minSide: number;
  readonly maxSide: number;
  readonly maxWindows: number;
};

/** A square window on one of the regions, and how many of its points it holds. */
export type RegionWindow = { readonly box: Box; readonly region: number; readonly count: number };

/**
 * Square windows that follow the size of what moves: `margin` times the longer side of a region and `paddingPx`, within bounds, around its middle,
 * moved inside the frame. A region larger than the largest window gets the windows of that size that hold most of its points.
 * Regions are served in order; no window overlaps another.
 */
export const chooseRegionWindows = (regions: readonly MovingRegion[], options: RegionWindowOptions): RegionWindow[] => {
  const { width, height, maxWindows } = options;
  const maxSide = Math.min(options.maxSide, width, height);
  const chosen: RegionWindow[] = [];
  regions.forEach(({ box, points }, region) => {
    const wanted = options.margin * Math.max(box.width, box.height) + options.paddingPx;
    const side = Math.min(maxSide, Math.max(options.minSide, wanted));
    const middle = { x: box.x + box.width / 2 - side / 2, y: box.y + box.height / 2 - side / 2 };
    const candidates =
      wanted <= maxSide
        ? [moveInside({ ...middle, width: side, height: side }, width, height)]
        : largest(points, Math.floor(maxSide), options);
    for (const candidate of candidates) {
      if (chosen.length >= maxWindows) return;
      if (chosen.some((other) => area(intersect(other.box, candidate)) > 0)) continue;
      chosen.push({ box: candidate, region, count: countInside(points, candidate) });
    }
  });
  return chosen;
};

/** Share of the points of a large region that each of its windows must hold. */
const LARGE_SHARE = 0.25;

const largest = (points: MovingRegion['points'], side: number, options: RegionWindowOptions): Box[] =>
  chooseWindows(points, {
    ...{ width: options.width, height: options.height, side },
    ...{ minCount: Math.ceil(LARGE_SHARE * points.x.length), maxWindows: options.maxWindows },
  }).map(({ x, y }) => ({ x, y, width: side, height: side }));

const countInside = ({ x, y }: MovingRegion['points'], box: Box): number => {
  let count = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] >= box.x && x[i] < box.x + box.width && y[i] >= box.y && y[i] < box.y + box.height) count++;
  }
  return count;
};
