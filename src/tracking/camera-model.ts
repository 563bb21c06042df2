import { findHomography } from './homography.js';
import { sortedMedian, type PointList } from './point-list.js';

/** What a camera is fitted with; lengths in pixels of the images that the points are of. */
export type CameraFrame = {
  readonly width: number;
  readonly height: number;
  /** Distance up to which a point agrees with the homography. */
  readonly homographyPx: number;
  /** Displacement up to which a point counts as standing still. */
  readonly stillPx: number;
};

/** A camera's motion between two frames, as a homography in row order, and how well the points agree with it. */
export type CameraFit = {
  readonly model: 'still' | 'homography';
  readonly homography: ArrayLike<number>;
  readonly inlierShare: number;
  /** Median displacement of the points that agree, pixels. */
  readonly motionPx: number;
  /** Standard deviation, a coordinate, of what is left of them: `median |p' - H p| / 1.177` (Rayleigh). */
  readonly noisePx: number;
};

/** Fewest points a homography is fitted to, and smallest share of them that must agree with it. */
const MIN_POINTS = 8;
const MIN_INLIER_SHARE = 0.3;
/** The camera stands still where at least this share of the points does, in so many of the frame's 4 x 4 parts. */
const STILL_SHARE = 0.1;
const STILL_PARTS = 6;
/** More points than stand still, by this factor, must agree with a homography that says otherwise. */
const STILL_WORTH = 2;
const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const RAYLEIGH_MEDIAN = Math.sqrt(2 * Math.LN2);

/** Where a homography takes a point. */
export const mapPoint = (h: ArrayLike<number>, x: number, y: number): readonly [number, number] => {
  const w = h[6] * x + h[7] * y + h[8];
  return [(h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w];
};

/**
 * The camera's motion from points followed between two frames (those with NaN in `to` were lost). A homography by RANSAC follows
 * what most points do, and that may be one large object before an empty wall; so where a fair share of the points stands still
 * all over the frame (a caption or a logo does not), the camera is taken to stand still. Undefined where no camera explains
 * enough of the points.
 */
export const fitCamera = (from: PointList, to: PointList, frame: CameraFrame): CameraFit | undefined => {
  const followed = onlyFollowed(from, to);
  const count = followed.from.x.length;
  if (count < MIN_POINTS) return undefined;
  const still = pointsStanding(followed, frame);
  const standing = still.length >= STILL_SHARE * count && partsWith(still, followed.from, frame) >= STILL_PARTS;
  // A tripod: nearly everything stands still, and a fit could only tell noise.
  if (standing && still.length >= 0.5 * count) return describe('still', IDENTITY, followed, frame);
  const homography = findHomography(followed.from, followed.to, { px: frame.homographyPx });
  const fit = homography && describe('homography', homography, followed, frame);
  if (standing && (fit === undefined || STILL_WORTH * still.length >= fit.inlierShare * count)) {
    return describe('still', IDENTITY, followed, frame);
  }
  return fit === undefined || fit.inlierShare < MIN_INLIER_SHARE ? undefined : fit;
};

/** The same points in two frames. */
type Followed = { readonly from: PointList; readonly to: PointList };

const onlyFollowed = (from: PointList, to: PointList): Followed => {
  let count = 0;
  for (let i = 0; i < to.x.length; i++) if (!Number.isNaN(to.x[i])) count++;
  const kept = [from.x, from.y, to.x, to.y].map((values) => {
    const those = new Float32Array(count);
    for (let i = 0, k = 0; i < values.length; i++) if (!Number.isNaN(to.x[i])) those[k++] = values[i];
    return those;
  });
  return { from: { x: kept[0], y: kept[1] }, to: { x: kept[2], y: kept[3] } };
};

const pointsStanding = ({ from, to }: Followed, { stillPx }: CameraFrame): number[] => {
  const still: number[] = [];
  for (let i = 0; i < from.x.length; i++) {
    if (Math.hypot(to.x[i] - from.x[i], to.y[i] - from.y[i]) <= stillPx) still.push(i);
  }
  return still;
};

/** In how many of the frame's 4 x 4 parts the points lie. */
const partsWith = (points: readonly number[], { x, y }: PointList, { width, height }: CameraFrame): number =>
  new Set(points.map((i) => 4 * Math.floor((4 * y[i]) / height) + Math.floor((4 * x[i]) / width))).size;

const describe = (
  model: CameraFit['model'],
  homography: ArrayLike<number>,
  { from, to }: Followed,
  { homographyPx }: CameraFrame,
): CameraFit => {
  const count = from.x.length;
  const left = new Float64Array(count);
  const motion = new Float64Array(count);
  let agreeing = 0;
  for (let i = 0; i < count; i++) {
    const [x, y] = mapPoint(homography, from.x[i], from.y[i]);
    const residual = Math.hypot(to.x[i] - x, to.y[i] - y);
    if (!(residual <= homographyPx)) continue;
    left[agreeing] = residual;
    motion[agreeing] = Math.hypot(x - from.x[i], y - from.y[i]);
    agreeing++;
  }
  return {
    model,
    homography,
    inlierShare: agreeing / count,
    motionPx: sortedMedian(motion.subarray(0, agreeing)),
    noisePx: sortedMedian(left.subarray(0, agreeing)) / RAYLEIGH_MEDIAN,
  };
};
