import type { OpenCv } from './opencv.js';
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
export const fitCamera = (cv: OpenCv, from: PointList, to: PointList, frame: CameraFrame): CameraFit | undefined => {
  const followed: number[] = [];
  for (let i = 0; i < to.x.length; i++) if (!Number.isNaN(to.x[i])) followed.push(i);
  if (followed.length < MIN_POINTS) return undefined;
  const still = followed.filter((i) => Math.hypot(to.x[i] - from.x[i], to.y[i] - from.y[i]) <= frame.stillPx);
  const standing = still.length >= STILL_SHARE * followed.length && partsWith(still, from, frame) >= STILL_PARTS;
  // A tripod: nearly everything stands still, and a fit could only tell noise.
  if (standing && still.length >= 0.5 * followed.length) return describe('still', IDENTITY, followed, from, to, frame);
  const homography = ransac(cv, followed, from, to, frame.homographyPx);
  const fit = homography && describe('homography', homography, followed, from, to, frame);
  if (standing && (fit === undefined || STILL_WORTH * still.length >= fit.inlierShare * followed.length)) {
    return describe('still', IDENTITY, followed, from, to, frame);
  }
  return fit === undefined || fit.inlierShare < MIN_INLIER_SHARE ? undefined : fit;
};

/** In how many of the frame's 4 x 4 parts the points lie. */
const partsWith = (points: readonly number[], { x, y }: PointList, { width, height }: CameraFrame): number =>
  new Set(points.map((i) => 4 * Math.floor((4 * y[i]) / height) + Math.floor((4 * x[i]) / width))).size;

const ransac = (
  cv: OpenCv,
  followed: readonly number[],
  from: PointList,
  to: PointList,
  px: number,
): Float64Array | undefined => {
  // RANSAC seeds its own generator; should any step draw from the shared one, it must not remember other videos.
  cv.setRNGSeed(1);
  const source = new cv.Mat(followed.length, 1, cv.CV_32FC2);
  const target = new cv.Mat(followed.length, 1, cv.CV_32FC2);
  const mask = new cv.Mat();
  try {
    followed.forEach((i, k) => {
      source.data32F.set([from.x[i], from.y[i]], 2 * k);
      target.data32F.set([to.x[i], to.y[i]], 2 * k);
    });
    const found = cv.findHomography(source, target, cv.RANSAC, px, mask);
    const homography = found.rows === 3 ? Float64Array.from(found.data64F) : undefined;
    found.delete();
    return homography;
  } finally {
    for (const mat of [source, target, mask]) mat.delete();
  }
};

const describe = (
  model: CameraFit['model'],
  homography: ArrayLike<number>,
  followed: readonly number[],
  from: PointList,
  to: PointList,
  { homographyPx }: CameraFrame,
): CameraFit => {
  const left: number[] = [];
  const motion: number[] = [];
  for (const i of followed) {
    const [x, y] = mapPoint(homography, from.x[i], from.y[i]);
    const residual = Math.hypot(to.x[i] - x, to.y[i] - y);
    if (!(residual <= homographyPx)) continue;
    left.push(residual);
    motion.push(Math.hypot(x - from.x[i], y - from.y[i]));
  }
  return {
    model,
    homography,
    inlierShare: left.length / followed.length,
    motionPx: sortedMedian(Float64Array.from(motion)),
    noisePx: sortedMedian(Float64Array.from(left)) / RAYLEIGH_MEDIAN,
  };
};
