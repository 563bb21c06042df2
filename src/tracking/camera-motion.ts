import { brightnessGain, withGain } from './brightness.js';
import { fitCamera, type CameraFit, type CameraFrame } from './camera-model.js';
import type { GreyImage } from './grey-image.js';
import type { PointList } from './point-list.js';
import { callOpenCv, openCv, type Mat, type OpenCv } from './opencv.js';

/** How motion between two frames is measured; lengths in pixels of the images given to `measure`. */
export type CameraMotionOptions = {
  /** Interest points looked for at most. */
  readonly maxPoints: number;
  /** Lowest corner strength, as a share of the strongest corner's. */
  readonly quality: number;
  readonly minDistancePx: number;
  /** Side of the window that flow is computed in. */
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
 * Interest points (Shi & Tomasi), their pyramidal Lucas-Kanade flow with a forward-backward check, and the camera's motion as a
 * RANSAC homography: the affordable reading of "SURF + improved dense trajectories" (Wang & Gupta 2015, section 3). Holds
 * matrices outside JavaScript's memory: call `dispose`.
 */
export class CameraMotion {
  readonly #options: CameraMotionOptions;
  readonly #cv: OpenCv;
  readonly #mats: Mat[] = [];
  #first: Mat | undefined;
  #second: Mat | undefined;

  constructor(options: CameraMotionOptions) {
    this.#options = options;
    this.#cv = openCv();
  }

  /** Follows the interest points of `first` into `second`, an image of the same size. */
  measure(first: GreyImage, second: GreyImage): PointMotion {
    return callOpenCv(this.#cv, () => this.#measure(first, second));
  }

  /**
   * Follows points of the first image through all others, image by image. A point that is lost stays NaN. Positions in the last
   * image, pixels.
   */
  follow(images: readonly GreyImage[], points: PointList): PointList {
    return callOpenCv(this.#cv, () => this.#follow(images, points));
  }

  /**
   * Follows the interest points of the first image through all others, image by image. A change of brightness of the whole
   * picture is taken out first, since the flow would read it as motion.
   */
  trace(images: readonly GreyImage[]): PointTraces {
    return callOpenCv(this.#cv, () => this.#trace(images));
  }

  /** The camera between two positions of the same points, as `fitCamera` has it. */
  fit(from: PointList, to: PointList, frame: CameraFrame): CameraFit | undefined {
    return callOpenCv(this.#cv, () => fitCamera(this.#cv, from, to, frame));
  }

  /** Frees the matrices; the object can be used no more. */
  dispose(): void {
    for (const mat of this.#mats.splice(0)) mat.delete();
  }

  #measure(first: GreyImage, second: GreyImage): PointMotion {
    const cv = this.#cv;
    const options = this.#options;
    // RANSAC seeds its own generator; should any step draw from the shared one, it must not remember other videos.
    cv.setRNGSeed(1);
    this.#first = this.#upload(first, this.#first);
    this.#second = this.#upload(second, this.#second);
    const scope: Mat[] = [];
    const mat = (...size: [] | [number, number, number]): Mat => {
      const made = size.length === 0 ? new cv.Mat() : new cv.Mat(...size);
      scope.push(made);
      return made;
    };
    try {
      const corners = mat();
      cv.goodFeaturesToTrack(this.#first, corners, options.maxPoints, options.quality, options.minDistancePx);
      if (corners.rows === 0) return nothing;
      const there = mat();
      const back = mat();
      const thereStatus = mat();
      const backStatus = mat();
      const error = mat();
      const size = new cv.Size(options.flowWindowPx, options.flowWindowPx);
      const criteria = new cv.TermCriteria(cv.TermCriteria_COUNT + cv.TermCriteria_EPS, 20, 0.01);
      const levels = options.pyramidLevels;
      cv.calcOpticalFlowPyrLK(this.#first, this.#second, corners, there, thereStatus, error, size, levels, criteria);
      cv.calcOpticalFlowPyrLK(this.#second, this.#first, there, back, backStatus, error, size, levels, criteria);

      const total = corners.rows;
      const from = new Float32Array(2 * total);
      const to = new Float32Array(2 * total);
      const start = corners.data32F;
      const end = there.data32F;
      const again = back.data32F;
      const followed = thereStatus.data;
      const returned = backStatus.data;
      let count = 0;
      for (let i = 0; i < total; i++) {
        if (followed[i] !== 1 || returned[i] !== 1) continue;
        const x = end[2 * i];
        const y = end[2 * i + 1];
        if (!(x >= 0 && y >= 0 && x < first.width && y < first.height)) continue;
        if (!(Math.hypot(again[2 * i] - start[2 * i], again[2 * i + 1] - start[2 * i + 1]) <= options.maxReturnPx))
          continue;
        from.set([start[2 * i], start[2 * i + 1]], 2 * count);
        to.set([x, y], 2 * count);
        count++;
      }
      const x = new Float32Array(count);
      const y = new Float32Array(count);
      const toX = new Float32Array(count);
      const toY = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        x[i] = from[2 * i];
        y[i] = from[2 * i + 1];
        toX[i] = to[2 * i];
        toY[i] = to[2 * i + 1];
      }
      const points = { ...nothing, count, x, y, toX, toY };
      if (count < MIN_FOR_HOMOGRAPHY) return points;

      const source = mat(count, 1, cv.CV_32FC2);
      const target = mat(count, 1, cv.CV_32FC2);
      source.data32F.set(from.subarray(0, 2 * count));
      target.data32F.set(to.subarray(0, 2 * count));
      const homography = cv.findHomography(source, target, cv.RANSAC, options.homographyPx, mat());
      scope.push(homography);
      if (homography.rows !== 3) return points;
      const h = homography.data64F;
      const residual = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const w = h[6] * x[i] + h[7] * y[i] + h[8];
        const px = (h[0] * x[i] + h[1] * y[i] + h[2]) / w;
        const py = (h[3] * x[i] + h[4] * y[i] + h[5]) / w;
        residual[i] = Math.hypot(to[2 * i] - px, to[2 * i + 1] - py);
      }
      return { ...points, residual, homography: Float64Array.from(h) };
    } finally {
      for (const made of scope) made.delete();
    }
  }

  #follow(images: readonly GreyImage[], { x, y }: PointList): PointList {
    const cv = this.#cv;
    const count = x.length;
    const end = { x: Float32Array.from(x), y: Float32Array.from(y) };
    if (count === 0 || images.length < 2) return end;
    const scope: Mat[] = [];
    const mat = (...size: [] | [number, number, number]): Mat => {
      const made = size.length === 0 ? new cv.Mat() : new cv.Mat(...size);
      scope.push(made);
      return made;
    };
    try {
      let from = mat(count, 1, cv.CV_32FC2);
      let to = mat();
      // Lost points go along as a corner of the image, and stay lost.
      for (let i = 0; i < count; i++) from.data32F.set(Number.isNaN(x[i]) ? [0, 0] : [x[i], y[i]], 2 * i);
      const status = mat();
      const error = mat();
      const size = new cv.Size(this.#options.flowWindowPx, this.#options.flowWindowPx);
      const criteria = new cv.TermCriteria(cv.TermCriteria_COUNT + cv.TermCriteria_EPS, 10, 0.03);
      for (let k = 1; k < images.length; k++) {
        this.#first = this.#upload(images[k - 1], this.#first);
        this.#second = this.#upload(images[k], this.#second);
        const levels = this.#options.pyramidLevels;
        cv.calcOpticalFlowPyrLK(this.#first, this.#second, from, to, status, error, size, levels, criteria);
        for (let i = 0; i < count; i++) if (status.data[i] !== 1) end.x[i] = NaN;
        [from, to] = [to, from];
      }
      for (let i = 0; i < count; i++) {
        end.x[i] = Number.isNaN(end.x[i]) ? NaN : from.data32F[2 * i];
        end.y[i] = from.data32F[2 * i + 1];
      }
      return end;
    } finally {
      for (const made of scope) made.delete();
    }
  }

  #trace(images: readonly GreyImage[]): PointTraces {
    const cv = this.#cv;
    this.#first = this.#upload(images[0], this.#first);
    const corners = new cv.Mat();
    const { maxPoints, quality, minDistancePx } = this.#options;
    let start: PointList;
    try {
      cv.goodFeaturesToTrack(this.#first, corners, maxPoints, quality, minDistancePx);
      const flat = corners.rows === 0 ? new Float32Array(0) : corners.data32F;
      start = {
        x: Float32Array.from({ length: corners.rows }, (_, i) => flat[2 * i]),
        y: Float32Array.from({ length: corners.rows }, (_, i) => flat[2 * i + 1]),
      };
    } finally {
      corners.delete();
    }
    const gains = images.map((image) => brightnessGain(images[0], image));
    const alike = images.map((image, k) => withGain(image, 1 / gains[k]));
    const positions: PointList[] = [start];
    for (let k = 1; k < images.length; k++) {
      const next = this.#follow([alike[k - 1], alike[k]], positions[k - 1]);
      for (let i = 0; i < next.x.length; i++) {
        const inside = next.x[i] >= 0 && next.y[i] >= 0 && next.x[i] < images[k].width && next.y[i] < images[k].height;
        if (!inside) next.x[i] = next.y[i] = NaN;
      }
      positions.push(next);
    }
    const returns = (points: readonly number[], last: number): Float32Array => {
      const chosen = positions.slice(0, last + 1).map(({ x, y }) => ({
        x: Float32Array.from(points, (i) => x[i]),
        y: Float32Array.from(points, (i) => y[i]),
      }));
      const back = callOpenCv(cv, () => this.#followBack(alike, chosen));
      return chosen[0].x.map((x, i) => Math.hypot(back.x[i] - x, back.y[i] - chosen[0].y[i]));
    };
    return { positions, returns, gain: gains[images.length - 1] };
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
      back = this.#follow([images[k], images[k - 1]], back);
    }
    return back;
  }

  #upload(image: GreyImage, into: Mat | undefined): Mat {
    let mat = into;
    if (mat === undefined || mat.rows !== image.height || mat.cols !== image.width) {
      mat = new this.#cv.Mat(image.height, image.width, this.#cv.CV_8UC1);
      this.#mats.push(mat);
    }
    mat.data.set(image.data);
    return mat;
  }
}

const nothing: PointMotion = {
  count: 0,
  x: new Float32Array(0),
  y: new Float32Array(0),
  toX: new Float32Array(0),
  toY: new Float32Array(0),
  residual: new Float32Array(0),
  homography: new Float64Array(0),
};
