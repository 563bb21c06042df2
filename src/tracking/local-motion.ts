import type { Box } from '../numeric/box.js';
import { mapPoint, type CameraFit } from './camera-model.js';
import type { PointTraces } from './camera-motion.js';
import { sortedMedian, type PointList } from './point-list.js';

/** What the local rule decides by; lengths in pixels of the images that the points are of. */
export type LocalMotionOptions = {
  /** Frame numbers of the traced positions, from 0. */
  readonly frames: readonly number[];
  /** Smallest displacement beyond the camera's, over all the frames. */
  readonly minResidualPx: number;
  /** Multiple of the camera model's noise that a displacement must exceed. */
  readonly noiseFactor: number;
  /** A point whose flow, followed back, ends farther than this (and a twentieth of its way) from where it began does not count as moving. */
  readonly maxReturnPx: number;
  /** Fewest points of a cluster. */
  readonly minClusterPoints: number;
  /** Largest gap between two points of a cluster. */
  readonly linkPx: number;
  /** A cluster before a moving camera must move so many times as far as the lower quarter of the points around it. */
  readonly neighbourFactor: number;
  /** Displacement in the picture up to which something counts as standing still. */
  readonly stillPx: number;
};

/** Points that are close together and move alike; displacements are over all the frames, beyond the camera's. */
export type MotionCluster = {
  readonly outcome: 'moves' | 'like-neighbours' | 'overlay';
  /** Positions in the traces. */
  readonly points: readonly number[];
  /** Extent of the points in the first image, without the outermost twentieth at each side. */
  readonly box: Box;
  readonly residualPx: number;
  readonly imagePx: number;
  readonly neighboursPx?: number;
};

/** What moves beyond the camera. */
export type LocalMotion = {
  /** Points that could be followed, and those of them that move. */
  readonly followed: number;
  readonly moving: readonly number[];
  readonly thresholdPx: number;
  /** Largest first. */
  readonly clusters: readonly MotionCluster[];
};

/** Cosine up to which two displacements of one point have the same direction: 60 degrees. */
const SAME_DIRECTION = 0.5;
/** Two points move alike when their displacements differ by at most this share of the longer. */
const ALIKE = 0.35;
/** A point that moves far may miss its start by this share of its way: the flow's window holds some of what is behind. */
const RETURN_SHARE = 0.05;
/**
 * Share of the points around a cluster that must stay behind. Not half: what turns or bends falls into several clusters, and each is
 * around the others.
 */
const STANDING_SHARE = 0.25;
/** Fewer points around a cluster than this say nothing about it. */
const MIN_NEIGHBOURS = 4;

/** Before a moving camera a layer of the scene reaches over at least this share of what can be seen, along its motion. */
const LAYER_SHARE = 0.6;
/** It goes with the picture: at most this far aside, as a share of its residual, and not so much slower that the camera may be following it. */
const LAYER_ASIDE = 0.25;
const LAYER_SLOWEST = -0.7;

/** Displacements beyond the camera's, as if followed over all the frames; NaN for a point that was lost too soon. */
type Residuals = { readonly dx: Float64Array; readonly dy: Float64Array; readonly last: Int8Array };

/**
 * The local motion rule. A point moves when it leaves the place where the camera's motion takes it by more than the noise of the
 * camera model, and has done so in the same direction for several frames: compression noise, flicker and mistakes of the flow do not
 * last. Such points are joined into clusters of neighbours that move alike. Before a moving camera a cluster must stand out
 * from what lies around it, else it is parallax, a lens or a rolling shutter; it must not reach over most of the picture and go with it, faster or slower,
 * as a nearer or farther part of a scene does that the camera passes; and it must not stand still in the picture, as logos and subtitles do.
 * A still camera has no parallax and makes overlays stand still with everything else.
 *
 * Takes the place of the paper's rule that between 25 % and 75 % of all points move, which refuses every small mover.
 *
 * @param cameras the camera from the first image to each of the others
 */
export const findLocalMotion = (
  traces: PointTraces,
  cameras: readonly (CameraFit | undefined)[],
  options: LocalMotionOptions,
): LocalMotion => {
  const thresholds = cameras.map((camera, k) =>
    camera === undefined
      ? Infinity
      : Math.max(
          (options.minResidualPx * options.frames[k + 1]) / options.frames[cameras.length],
          options.noiseFactor * camera.noisePx,
        ),
  );
  const residuals = residualsOf(traces, cameras, options.frames);
  const followed: number[] = [];
  const leaving: number[] = [];
  for (let i = 0; i < residuals.last.length; i++) {
    if (residuals.last[i] < 2) continue;
    followed.push(i);
    if (persists(i, residuals.last[i], traces, cameras, thresholds)) leaving.push(i);
  }
  const returns = leaving.length > 0 ? traces.returns(leaving, cameras.length) : [];
  const moving = leaving.filter((i, k) => {
    const allowed = Math.max(options.maxReturnPx, RETURN_SHARE * Math.hypot(residuals.dx[i], residuals.dy[i]));
    return returns[k] <= allowed;
  });
  const lastCamera = cameras[cameras.length - 1];
  const stillCamera = lastCamera?.model === 'still';
  const clusters = clustersOf(moving, traces, residuals, options.linkPx)
    .filter((points) => points.length >= options.minClusterPoints)
    .map((points) => judge(points, followed, traces, residuals, stillCamera ? undefined : lastCamera, options))
    .sort((a, b) => b.points.length - a.points.length || a.box.y - b.box.y || a.box.x - b.box.x);
  return { followed: followed.length, moving, thresholdPx: thresholds[thresholds.length - 1], clusters };
};

const residualAt = (
  i: number,
  k: number,
  { positions }: PointTraces,
  camera: CameraFit,
): readonly [dx: number, dy: number] => {
  const [x, y] = mapPoint(camera.homography, positions[0].x[i], positions[0].y[i]);
  return [positions[k].x[i] - x, positions[k].y[i] - y];
};

const residualsOf = (
  traces: PointTraces,
  cameras: readonly (CameraFit | undefined)[],
  frames: readonly number[],
): Residuals => {
  const { positions } = traces;
  const count = positions[0].x.length;
  const result = {
    dx: new Float64Array(count).fill(NaN),
    dy: new Float64Array(count).fill(NaN),
    last: new Int8Array(count),
  };
  for (let i = 0; i < count; i++) {
    for (let k = positions.length - 1; k > 0; k--) {
      const camera = cameras[k - 1];
      if (camera === undefined || Number.isNaN(positions[k].x[i])) continue;
      const [dx, dy] = residualAt(i, k, traces, camera);
      const stretch = frames[positions.length - 1] / frames[k];
      result.dx[i] = dx * stretch;
      result.dy[i] = dy * stretch;
      result.last[i] = k;
      break;
    }
  }
  return result;
};

const persists = (
  i: number,
  last: number,
  traces: PointTraces,
  cameras: readonly (CameraFit | undefined)[],
  thresholds: readonly number[],
): boolean => {
  const camera = cameras[last - 1];
  const middle = Math.ceil(last / 2);
  const before = cameras[middle - 1];
  if (camera === undefined || before === undefined) return false;
  const [x, y] = residualAt(i, last, traces, camera);
  const [u, v] = residualAt(i, middle, traces, before);
  const [now, earlier] = [Math.hypot(x, y), Math.hypot(u, v)];
  if (!(now > thresholds[last - 1] && earlier > thresholds[middle - 1])) return false;
  return x * u + y * v > SAME_DIRECTION * now * earlier;
};

/** Single linkage: points belong together when a chain of near ones that move alike joins them. */
const clustersOf = (
  moving: readonly number[],
  { positions: [{ x, y }] }: PointTraces,
  { dx, dy }: Residuals,
  linkPx: number,
): number[][] => {
  const parent = moving.map((_, a) => a);
  const root = (a: number): number => {
    while (parent[a] !== a) a = parent[a] = parent[parent[a]];
    return a;
  };
  for (let a = 0; a < moving.length; a++) {
    const i = moving[a];
    const length = Math.hypot(dx[i], dy[i]);
    for (let b = a + 1; b < moving.length; b++) {
      const j = moving[b];
      if (Math.abs(x[i] - x[j]) > linkPx || Math.abs(y[i] - y[j]) > linkPx) continue;
      if (Math.hypot(x[i] - x[j], y[i] - y[j]) > linkPx) continue;
      const longer = Math.max(length, Math.hypot(dx[j], dy[j]));
      if (Math.hypot(dx[i] - dx[j], dy[i] - dy[j]) <= ALIKE * longer) parent[root(a)] = root(b);
    }
  }
  const groups = new Map<number, number[]>();
  moving.forEach((i, a) => {
    const key = root(a);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()];
};

const median = (points: readonly number[], value: (i: number) => number): number =>
  sortedMedian(Float64Array.from(points, value));

const judge = (
  points: readonly number[],
  followed: readonly number[],
  traces: PointTraces,
  residuals: Residuals,
  camera: CameraFit | undefined,
  options: LocalMotionOptions,
): MotionCluster => {
  const { positions } = traces;
  const [{ x, y }] = positions;
  const { dx, dy, last } = residuals;
  const box = extentOf(points, x, y);
  const residualPx = median(points, (i) => Math.hypot(dx[i], dy[i]));
  const imagePx = median(points, (i) => {
    const { x: endX, y: endY } = positions[last[i]];
    return Math.hypot(endX[i] - x[i], endY[i] - y[i]);
  });
  const cluster = { points, box, residualPx, imagePx };
  if (camera === undefined) return { ...cluster, outcome: 'moves' };
  if (imagePx <= options.stillPx) return { ...cluster, outcome: 'overlay' };
  // Along the cluster's own direction, so that what crosses beside it does not count.
  const [mx, my] = [median(points, (i) => dx[i]), median(points, (i) => dy[i])];
  const length = Math.hypot(mx, my);
  if (isLayer(points, box, [mx, my], followed, positions[0], camera)) return { ...cluster, outcome: 'like-neighbours' };
  const margin = Math.max(options.linkPx, Math.max(box.width, box.height) / 2);
  const own = new Set(points);
  const around = followed.filter(
    (i) =>
      !own.has(i) &&
      x[i] >= box.x - margin &&
      x[i] <= box.x + box.width + margin &&
      y[i] >= box.y - margin &&
      y[i] <= box.y + box.height + margin,
  );
  if (around.length < MIN_NEIGHBOURS || length === 0) return { ...cluster, outcome: 'moves' };
  const along = Float64Array.from(around, (i) => (dx[i] * mx + dy[i] * my) / length).sort();
  const neighboursPx = Math.max(0, along[Math.floor(STANDING_SHARE * along.length)]);
  const outcome = length >= options.neighbourFactor * neighboursPx ? 'moves' : 'like-neighbours';
  return { ...cluster, neighboursPx, outcome };
};

/** Whether a cluster is a part of a still scene that is nearer or farther than the rest, passed by the camera: parallax. */
const isLayer = (
  points: readonly number[],
  box: Box,
  [mx, my]: readonly [number, number],
  followed: readonly number[],
  { x, y }: PointList,
  camera: CameraFit,
): boolean => {
  const all = extentOf(followed, x, y);
  const reach = Math.abs(mx) > Math.abs(my) ? box.width / all.width : box.height / all.height;
  if (reach < LAYER_SHARE) return false;
  const cx = median(points, (i) => mapPoint(camera.homography, x[i], y[i])[0] - x[i]);
  const cy = median(points, (i) => mapPoint(camera.homography, x[i], y[i])[1] - y[i]);
  const square = cx * cx + cy * cy;
  if (square === 0) return false;
  const along = (mx * cx + my * cy) / square;
  const aside = Math.abs(mx * cy - my * cx) / Math.sqrt(square);
  return along > LAYER_SLOWEST && aside <= LAYER_ASIDE * Math.hypot(mx, my);
};

const extentOf = (points: readonly number[], x: ArrayLike<number>, y: ArrayLike<number>): Box => {
  const ends = (values: ArrayLike<number>): readonly [number, number] => {
    const sorted = Float64Array.from(points, (i) => values[i]).sort();
    const cut = Math.floor(0.05 * sorted.length);
    return [sorted[cut], sorted[sorted.length - 1 - cut]];
  };
  const [left, right] = ends(x);
  const [top, bottom] = ends(y);
  return { x: left, y: top, width: right - left, height: bottom - top };
};
