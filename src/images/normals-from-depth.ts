import type { Camera, DepthMap } from './camera.js';

/**
 * Unit normals of visible surfaces on a grid of pixels: x right, y down, z into the scene, so that a surface that faces the
 * camera has `n_z < 0`, and `n . p < 0` for every visible point p. Where `valid` is 0 the normal is not known and is (0, 0, 0).
 */
export type NormalMap = {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`. */
  readonly normals: Float32Array;
  /** `[height, width]`, 1 or 0. */
  readonly valid: Uint8Array;
};

/** Settings of the plane fit. */
export type NormalFitOptions = {
  /**
   * Every how many pixels a normal is wanted, in both directions; the first at `stride / 2`.
   * @default 4
   */
  readonly stride?: number;
  /**
   * Half the side of the window, px; it is sampled at every second pixel.
   * @default 8
   */
  readonly radius?: number;
  /**
   * Points whose depth differs by more than this share of the centre's are another surface.
   * @default 0.1
   */
  readonly maxDepthStep?: number;
  /**
   * Share of the window's samples that must lie on the plane.
   * @default 0.5
   */
  readonly minInliers?: number;
};

/** Inliers stay within this many robust standard deviations (1.4826 MAD), and always within the relative error below. */
const inlierSpread = 2.5;
/** Relative error of a measured depth that no fit should be blamed for (quantisation to mm at 0.5 m). */
const depthError = 0.002;

/**
 * Normals from depth by a robust local plane fit. A plane `a x + b y + c z = 1` seen through a pinhole has inverse depth linear
 * in the ray, `1 / z = a (u - cx) / fx + b (v - cy) / fy + c`, and noise of a triangulating sensor is even in inverse depth:
 * so each window is a least-squares fit of three numbers, exact for planes. Two rounds of rejection by the median absolute
 * residual follow. The normal is `-(a, b, c) / |(a, b, c)|`, which faces the camera since `1 / z > 0`.
 *
 * A pixel is left out where its depth is unknown, where the window holds too few points of one surface, or where the centre
 * does not lie on the plane that its surroundings make.
 */
export const normalsFromDepth = (
  depth: DepthMap,
  camera: Camera,
  { stride = 4, radius = 8, maxDepthStep = 0.1, minInliers = 0.5 }: NormalFitOptions = {},
): NormalMap => {
  for (const [name, value] of Object.entries({ stride, radius })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be an integer from 1, got \`${value}\` (${typeof value})`);
    }
  }
  const [width, height] = gridSize(depth.width, depth.height, stride);
  const normals = new Float32Array(width * height * 3);
  const valid = new Uint8Array(width * height);
  const side = 2 * Math.floor(radius / 2) + 1;
  const window = new PlaneWindow(side * side);
  const reach = Math.floor(radius / 2) * 2;
  for (let row = 0; row < height; row++) {
    const v = gridPixel(row, stride, depth.height);
    for (let column = 0; column < width; column++) {
      const u = gridPixel(column, stride, depth.width);
      const centre = depth.data[v * depth.width + u] as number;
      if (!(centre > 0)) continue;
      window.clear();
      for (let y = Math.max(v - reach, v % 2); y <= Math.min(v + reach, depth.height - 1); y += 2) {
        for (let x = Math.max(u - reach, u % 2); x <= Math.min(u + reach, depth.width - 1); x += 2) {
          const z = depth.data[y * depth.width + x] as number;
          if (z > 0 && Math.abs(z - centre) <= maxDepthStep * centre) {
            window.add((x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, 1 / z);
          }
        }
      }
      const plane = window.fit(minInliers * side * side, 1 / centre);
      if (!plane) continue;
      const [a, b, c] = plane;
      const there = a * ((u - camera.cx) / camera.fx) + b * ((v - camera.cy) / camera.fy) + c;
      if (Math.abs(there * centre - 1) > 5 * depthError) continue;
      const length = Math.hypot(a, b, c);
      const at = row * width + column;
      normals.set([-a / length, -b / length, -c / length], at * 3);
      valid[at] = 1;
    }
  }
  return { width, height, normals, valid };
};

/** Columns and rows of the grid over a picture. */
export const gridSize = (width: number, height: number, stride: number): [width: number, height: number] => [
  Math.ceil(width / stride),
  Math.ceil(height / stride),
];

/** The pixel that stands for cell i of the grid: the middle of its stride. */
export const gridPixel = (i: number, stride: number, size: number): number =>
  Math.min(i * stride + Math.floor(stride / 2), size - 1);

/** The points of one window and their robust plane; buffers are kept from window to window. */
class PlaneWindow {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #inverse: Float64Array;
  readonly #residual: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#x = new Float64Array(capacity);
    this.#y = new Float64Array(capacity);
    this.#inverse = new Float64Array(capacity);
    this.#residual = new Float64Array(capacity);
  }

  clear(): void {
    this.#count = 0;
  }

  add(x: number, y: number, inverse: number): void {
    this.#x[this.#count] = x;
    this.#y[this.#count] = y;
    this.#inverse[this.#count] = inverse;
    this.#count++;
  }

  /** `(a, b, c)`, or nothing where fewer than `least` points agree. `scale` is the inverse depth to which errors are relative. */
  fit(least: number, scale: number): [number, number, number] | undefined {
    let limit = Infinity;
    let plane: [number, number, number] | undefined;
    for (let round = 0; round < 3; round++) {
      const next = this.#solve(plane, limit, least);
      if (!next) return undefined;
      plane = next;
      if (round < 2) limit = Math.max(inlierSpread * 1.4826 * this.#medianResidual(plane), depthError * scale);
    }
    return plane;
  }

  #error([a, b, c]: readonly [number, number, number], i: number): number {
    return Math.abs(a * (this.#x[i] as number) + b * (this.#y[i] as number) + c - (this.#inverse[i] as number));
  }

  #medianResidual(plane: readonly [number, number, number]): number {
    for (let i = 0; i < this.#count; i++) this.#residual[i] = this.#error(plane, i);
    return this.#residual.subarray(0, this.#count).sort()[this.#count >> 1] as number;
  }

  /** Least squares over the points within `limit` of the last plane, about their centre, which keeps the sums well scaled. */
  #solve(
    last: readonly [number, number, number] | undefined,
    limit: number,
    least: number,
  ): [number, number, number] | undefined {
    const originX = this.#x[0] as number;
    const originY = this.#y[0] as number;
    let n = 0;
    let sx = 0;
    let sy = 0;
    let sw = 0;
    let sxx = 0;
    let sxy = 0;
    let syy = 0;
    let sxw = 0;
    let syw = 0;
    for (let i = 0; i < this.#count; i++) {
      if (last && this.#error(last, i) > limit) continue;
      const x = (this.#x[i] as number) - originX;
      const y = (this.#y[i] as number) - originY;
      const w = this.#inverse[i] as number;
      n++;
      sx += x;
      sy += y;
      sw += w;
      sxx += x * x;
      sxy += x * y;
      syy += y * y;
      sxw += x * w;
      syw += y * w;
    }
    if (n < Math.max(3, least)) return undefined;
    const cxx = sxx - (sx * sx) / n;
    const cxy = sxy - (sx * sy) / n;
    const cyy = syy - (sy * sy) / n;
    const determinant = cxx * cyy - cxy * cxy;
    if (!(determinant > 1e-9 * cxx * cyy)) return undefined;
    const cxw = sxw - (sx * sw) / n;
    const cyw = syw - (sy * sw) / n;
    const a = (cyy * cxw - cxy * cyw) / determinant;
    const b = (cxx * cyw - cxy * cxw) / determinant;
    return [a, b, (sw - a * sx - b * sy) / n - a * originX - b * originY];
  }
}
