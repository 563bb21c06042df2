import { brightnessGain, withGain } from './brightness.js';
import { fitCamera, mapPoint, type CameraFit, type CameraFrame } from './camera-model.js';
import type { GreyImage } from './grey-image.js';
import { findHomography } from './homography.js';
import { OpticalFlow } from './optical-flow.js';
import type { PointList } from './point-list.js';
import { callOpenCv, openCv, type Mat, type OpenCv } from './opencv.js';

/** How motion between two frames is measured; lengths in pixels of the images given to `measure`. */
export type CameraMotionOptions = {
  /** Interest points looked for at most. */
  readonly maxPoints: number;
  /** Lowest corner strength, as a share of the strongest corner's. */
  readonly quality: number;
  readonly minDistancePx: number;
  /** Side of the window that flow is computed in, and levels of its pyramid above the image; see `FlowOptions`. */
  readonly flowWindowPx: number;
  readonly pyramidLevels: number;
  /** A point whose flow, followed back, ends farther than this from where it began is dropped. */
  readonly maxReturnPx: number;
  /** Distance from the camera's homography up to which a point agrees with it. */
  readonly homographyPx: number;
};

/** Points that could be followed from one frame to the next, and how far each moved once the camera's motion is taken out. */
export type PointMotion = {
  readonly count: number;
  /** Position in the first frame, pixels. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Position in the second. */
  readonly toX: Float32Array;
  readonly toY: Float32Array;
  /** `|p' - H p|`, pixels a frame; empty where no homography could be found. */
  readonly residual: Float32Array;
  /** `H`, row by row, from the first frame to the second; empty where none could be found. */
  readonly homography: Float64Array;
};

/** Interest points in each of several images, in the same order; both coordinates are NaN from where a point was lost. */
export type PointTraces = {
  readonly positions: readonly PointList[];
  /** How far from where they began some of the points come to when they are followed in reverse from position `last`, or from the last one before it that they have; NaN where lost on the way. */
  readonly returns: (points: readonly number[], last: number) => Float32Array;
  /** Brightness of the last image over that of the first. */
  readonly gain: number;
};

/** Fewest points a homography is fitted to: with the four it needs, every residual would be 0. */
const MIN_FOR_HOMOGRAPHY = 8;

/**
 * Interest points (Shi & Tomasi, by OpenCV), their pyramidal Lucas-Kanade flow with a forward-backward check, and the camera's motion as a
 * RANSAC homography: the affordable reading of "SURF + improved dense trajectories" (Wang & Gupta 2015, section 3). Images must not
 * change once given: their pyramids are kept. Holds a matrix outside JavaScript's memory: call `dispose`.
 */
export class CameraMotion {
  readonly #options: CameraMotionOptions;
  readonly #cv: OpenCv;
  readonly #flow: OpticalFlow;
  #uploaded: Mat | undefined;

  constructor(options: CameraMotionOptions) {
    this.#options = options;
    this.#cv = openCv();
    this.#flow = new OpticalFlow({ windowPx: options.flowWindowPx, levels: options.pyramidLevels });
  }

  /** Follows the interest points of `first` into `second`, an image of the same size. */
  measure(first: GreyImage, second: GreyImage): PointMotion {
    const corners = this.#corners(first);
    const there = this.#flow.follow(first, second, corners);
    const back = this.#flow.follow(second, first, there);
    const followed: number[] = [];
    for (let i = 0; i < corners.x.length; i++) {
      if (!isInside(first, there.x[i], there.y[i])) continue;
      const miss = Math.hypot(back.x[i] - corners.x[i], back.y[i] - corners.y[i]);
      if (miss <= this.#options.maxReturnPx) followed.push(i);
    }
    const from = pointsAt(corners, followed);
    const to = pointsAt(there, followed);
    const points = { ...nothing, count: followed.length, ...from, toX: to.x, toY: to.y };
    if (followed.length < MIN_FOR_HOMOGRAPHY) return points;
    const homography = findHomography(from, to, { px: this.#options.homographyPx });
    if (homography === undefined) return points;
    const residual = from.x.map((x, i) => {
      const [px, py] = mapPoint(homography, x, from.y[i]);
      return Math.hypot(to.x[i] - px, to.y[i] - py);
    });
    return { ...points, residual, homography };
  }

  /** Follows points of the first image through all others, image by image. A point that is lost becomes NaN. Positions in the last image, pixels. */
  follow(images: readonly GreyImage[], points: PointList): PointList {
    return images.slice(1).reduce((at, image, k) => this.#flow.follow(images[k], image, at), points);
  }

  /**
   * Follows the interest points of the first image through all others, image by image. A change of brightness of the whole
   * picture is taken out first, since the flow would read it as motion.
   */
  trace(images: readonly GreyImage[]): PointTraces {
    const gains = images.map((image) => brightnessGain(images[0], image));
    const alike = images.map((image, k) => withGain(image, 1 / gains[k]));
    const positions: PointList[] = [this.#corners(images[0])];
    for (let k = 1; k < images.length; k++) {
      const next = this.#flow.follow(alike[k - 1], alike[k], positions[k - 1]);
      for (let i = 0; i < next.x.length; i++) {
        if (!isInside(images[k], next.x[i], next.y[i])) next.x[i] = next.y[i] = NaN;
      }
      positions.push(next);
    }
    const returns = (points: readonly number[], last: number): Float32Array => {
      const chosen = positions.slice(0, last + 1).map((all) => pointsAt(all, points));
      const back = this.#followBack(alike, chosen);
      return chosen[0].x.map((x, i) => Math.hypot(back.x[i] - x, back.y[i] - chosen[0].y[i]));
    };
    return { positions, returns, gain: gains[images.length - 1] };
  }

  /** The camera between two positions of the same points, as `fitCamera` has it. */
  fit(from: PointList, to: PointList, frame: CameraFrame): CameraFit | undefined {
    return fitCamera(from, to, frame);
  }

  /** Frees the matrix and lets go of the images; the object can be used no more. */
  dispose(): void {
    this.#uploaded?.delete();
    this.#uploaded = undefined;
    this.#flow.clear();
  }

  #corners(image: GreyImage): PointList {
    const cv = this.#cv;
    const { maxPoints, quality, minDistancePx } = this.#options;
    const mat = this.#upload(image);
    const corners = new cv.Mat();
    try {
      callOpenCv(cv, () => cv.goodFeaturesToTrack(mat, corners, maxPoints, quality, minDistancePx));
      const flat = corners.rows === 0 ? new Float32Array(0) : corners.data32F;
      const points = { x: new Float32Array(corners.rows), y: new Float32Array(corners.rows) };
      for (let i = 0; i < corners.rows; i++) {
        points.x[i] = flat[2 * i];
        points.y[i] = flat[2 * i + 1];
      }
      return points;
    } finally {
      corners.delete();
    }
  }

  /** Where the points come to when they are followed from the last position that they have back to the first. */
  #followBack(images: readonly GreyImage[], positions: readonly PointList[]): PointList {
    const last = positions.length - 1;
    let back: PointList = { x: positions[last].x.slice(), y: positions[last].y.slice() };
    for (let k = last; k > 0; k--) {
      // Those lost on the way out join here.
      for (let i = 0; i < back.x.length; i++) {
        if (Number.isNaN(positions[k].x[i]) || (k < last && !Number.isNaN(positions[k + 1].x[i]))) continue;
        back.x[i] = positions[k].x[i];
        back.y[i] = positions[k].y[i];
      }
      back = this.#flow.follow(images[k], images[k - 1], back);
    }
    return back;
  }

  #upload(image: GreyImage): Mat {
    let mat = this.#uploaded;
    if (mat === undefined || mat.rows !== image.height || mat.cols !== image.width) {
      mat?.delete();
      this.#uploaded = mat = new this.#cv.Mat(image.height, image.width, this.#cv.CV_8UC1);
    }
    mat.data.set(image.data);
    return mat;
  }
}

/** False for a point that was lost. */
const isInside = ({ width, height }: GreyImage, x: number, y: number): boolean =>
  x >= 0 && y >= 0 && x < width && y < height;

const pointsAt = ({ x, y }: PointList, places: readonly number[]): PointList => ({
  x: Float32Array.from(places, (i) => x[i]),
  y: Float32Array.from(places, (i) => y[i]),
});

const nothing: PointMotion = {
  count: 0,
  x: new Float32Array(0),
  y: new Float32Array(0),
  toX: new Float32Array(0),
  toY: new Float32Array(0),
  residual: new Float32Array(0),
  homography: new Float64Array(0),
};
