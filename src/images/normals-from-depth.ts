import { median } from '../numeric/statistics.js';
import type { Camera, DepthMap } from './camera.js';
import { PlaneWindow, type WindowPlane } from './plane-window.js';

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
   * Columns and rows of the grid, instead of `stride`: for pictures of different sizes on one raster.
   * @default the picture's size divided by `stride`
   */
  readonly grid?: readonly [width: number, height: number];
  /**
   * Half the side of the window, px; twice as much where the sensor's noise calls for it.
   * @default an eightieth of the picture's width, at least 4: 8 px at 640
   */
  readonly radius?: number;
  /**
   * Points whose depth differs by more than this share of the centre's are another surface.
   * @default 0.1
   */
  readonly maxDepthStep?: number;
  /**
   * Share of the window's samples that must lie on the plane.
   * @default 0.35
   */
  readonly minInliers?: number;
};

/** Every how many cells of the grid, in both directions, the sensor's noise is looked at. */
const noiseEvery = 5;
/** A window twice as wide serves where noise turns the plane by more, in radians. */
const wideAbove = 0.012;
/** Samples from the window's centre to its side. */
const samplesPerRadius = 4;

/**
 * Normals from depth by a robust local plane fit. A plane `a x + b y + c z = 1` seen through a pinhole has inverse depth linear
 * in the ray, `1 / z = a (u - cx) / fx + b (v - cy) / fy + c`, and noise of a triangulating sensor is even in inverse depth:
 * so each window is a fit of three numbers, exact for planes. {@link PlaneWindow} does it robustly. The normal is
 * `-(a, b, c) / |(a, b, c)|`, which faces the camera since `1 / z > 0`.
 *
 * A pixel is left out where its depth is unknown, where the window holds too few points of one surface, or where the centre
 * does not lie on the plane that its surroundings make.
 */
export const normalsFromDepth = (
  depth: DepthMap,
  camera: Camera,
  {
    stride = 4,
    grid,
    radius = Math.max(4, Math.round(depth.width / 80)),
    maxDepthStep = 0.1,
    minInliers = 0.35,
  }: NormalFitOptions = {},
): NormalMap => {
  for (const [name, value] of Object.entries({ stride, radius })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be an integer from 1, got \`${value}\` (${typeof value})`);
    }
  }
  const [width, height] = grid ?? gridSize(depth.width, depth.height, stride);
  const normals = new Float32Array(width * height * 3);
  const valid = new Uint8Array(width * height);
  const reach = Math.min(samplesPerRadius, radius);
  const window = new PlaneWindow(reach);
  const least = minInliers * (2 * reach + 1) ** 2;
  /** Fills the window of half a side of `reach * step` px round pixel (u, v). */
  const look = (u: number, v: number, step: number): void => {
    const centre = depth.data[v * depth.width + u] as number;
    const limit = maxDepthStep * centre;
    window.begin(1 / centre);
    for (let j = -reach; j <= reach; j++) {
      const y = v + j * step;
      if (y < 0 || y >= depth.height) continue;
      for (let i = -reach; i <= reach; i++) {
        const x = u + i * step;
        if (x < 0 || x >= depth.width) continue;
        const z = depth.data[y * depth.width + x] as number;
        if (z > 0 && Math.abs(z - centre) <= limit) {
          window.add(i, j, (i * step) / camera.fx, (j * step) / camera.fy, 1 / z);
        }
      }
    }
  };
  const near = Math.max(1, Math.round(radius / reach));
  const columns = Int32Array.from({ length: width }, (_, column) => gridPixel(column, width, depth.width));
  const noises: number[] = [];
  for (let row = noiseEvery >> 1; row < height; row += noiseEvery) {
    const v = gridPixel(row, height, depth.height);
    for (let column = noiseEvery >> 1; column < width; column += noiseEvery) {
      const u = columns[column] as number;
      if (!((depth.data[v * depth.width + u] as number) > 0)) continue;
      look(u, v, near);
      const noise = window.noise();
      if (noise < Infinity) noises.push(noise);
    }
  }
  const noise = noises.length > 0 ? median(noises) : 0;
  window.expectNoise(noise);
  // Angle by which noise turns a plane, times the inverse depth: the slope's error over samples that spread over the window.
  const turn = (noise * Math.sqrt(3) * camera.fx) / ((2 * reach + 1) * reach * near);
  for (let row = 0; row < height; row++) {
    const v = gridPixel(row, height, depth.height);
    for (let column = 0; column < width; column++) {
      const u = columns[column] as number;
      const centre = depth.data[v * depth.width + u] as number;
      if (!(centre > 0)) continue;
      let plane: WindowPlane | undefined;
      if (turn * centre > wideAbove) {
        look(u, v, 2 * near);
        plane = window.fit(least);
      }
      if (!plane) {
        look(u, v, near);
        plane = window.fit(least);
      }
      if (!plane) continue;
      // The window's rays count from the centre's: the plane's third number is that of the optical axis.
      const [a, b, there] = plane;
      const c = there - a * ((u - camera.cx) / camera.fx) - b * ((v - camera.cy) / camera.fy);
      const length = Math.hypot(a, b, c);
      const at = row * width + column;
      normals[at * 3] = -a / length;
      normals[at * 3 + 1] = -b / length;
      normals[at * 3 + 2] = -c / length;
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

/** The pixel of `size` that stands for cell `i` of `cells`: the one in the middle of it. */
export const gridPixel = (i: number, cells: number, size: number): number =>
  Math.min(Math.floor(((i + 0.5) * size) / cells), size - 1);
