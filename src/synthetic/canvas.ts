import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import { RandomStream } from '../numeric/random.js';
import { backgroundTone, type BackgroundLook, type Plane } from './background.js';
import { invertMap, mapPoint, type Homography } from './homography.js';
import type { Sprite } from './sprite.js';

/** A wave along which an object bends: rows shift sideways by `amplitude * sin(frequency * y + phase)`, in object units. */
export type Bend = { readonly amplitude: number; readonly frequency: number; readonly phase: number };

/** Light over a frame: `gain * (1 + slopeX * (x / width - 1/2) + slopeY * (y / height - 1/2))`. */
export type Light = { readonly gain: number; readonly slopeX: number; readonly slopeY: number };

/**
 * A frame under construction: light intensities as floats, and which object is seen at each pixel (`owner`, 0 = background,
 * k = object k - 1). The loops below are the renderer's whole cost, hence typed arrays and no calls inside them.
 */
export type Canvas = {
  readonly width: number;
  readonly height: number;
  readonly light: Float32Array;
  readonly owner: Uint8Array;
};

/** An empty canvas. */
export const createCanvas = (width: number, height: number): Canvas => ({
  width,
  height,
  light: new Float32Array(width * height * 3),
  owner: new Uint8Array(width * height),
});

/** Fills the canvas with a plane seen through `planeToFrame` (pixel centres at whole numbers, both sides), bilinear. */
export const drawPlane = (canvas: Canvas, plane: Plane, planeToFrame: Homography): void => {
  const { width, height, light } = canvas;
  const { size, data } = plane;
  const mask = size - 1;
  const m = invertMap(planeToFrame);
  canvas.owner.fill(0);
  for (let y = 0, at = 0; y < height; y++) {
    let px = m[1] * y + m[2];
    let py = m[4] * y + m[5];
    let w = m[7] * y + m[8];
    for (let x = 0; x < width; x++, at += 3) {
      const u = px / w;
      const v = py / w;
      const u0 = Math.floor(u);
      const v0 = Math.floor(v);
      const fx = u - u0;
      const fy = v - v0;
      const left = (u0 & mask) * 3;
      const right = ((u0 + 1) & mask) * 3;
      const top = (v0 & mask) * size * 3;
      const bottom = ((v0 + 1) & mask) * size * 3;
      for (let k = 0; k < 3; k++) {
        const above = data[top + left + k]! + (data[top + right + k]! - data[top + left + k]!) * fx;
        const below = data[bottom + left + k]! + (data[bottom + right + k]! - data[bottom + left + k]!) * fx;
        light[at + k] = above + (below - above) * fy;
      }
      px += m[0];
      py += m[3];
      w += m[6];
    }
  }
};

/** Fills the canvas with a background straight from its look: for a single small picture, where painting a whole plane would cost more. */
export const drawBackgroundOnce = (canvas: Canvas, look: BackgroundLook, planeToFrame: Homography): void => {
  const tone = backgroundTone(look);
  const m = invertMap(planeToFrame);
  const [first, second] = look.colours;
  canvas.owner.fill(0);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++, at += 3) {
      const [u, v] = mapPoint(m, x, y);
      const blend = Math.min(1, Math.max(0, tone(u, v)));
      for (let k = 0; k < 3; k++) canvas.light[at + k] = first[k]! + (second[k]! - first[k]!) * blend;
    }
  }
};

/**
 * Lays a sprite over the canvas. `unitsToFrame` maps object units to pixels. Returns the box of the pixels that the object
 * covers at least half (inside the frame, not counting what lies over it), or null if it covers none.
 */
export const drawSprite = (
  canvas: Canvas,
  sprite: Sprite,
  unitsToFrame: Homography,
  owner: number,
  bend: Bend = { amplitude: 0, frequency: 0, phase: 0 },
): Box | null => {
  const { width, height, light } = canvas;
  const { size, data } = sprite;
  const half = size / 2;
  const reach = 1 + Math.abs(bend.amplitude);
  let x0 = Infinity;
  let x1 = -Infinity;
  let y0 = Infinity;
  let y1 = -Infinity;
  for (const [cx, cy] of [
    [-reach, -1],
    [reach, -1],
    [-reach, 1],
    [reach, 1],
  ] as const) {
    const [px, py] = mapPoint(unitsToFrame, cx, cy);
    x0 = Math.min(x0, px);
    x1 = Math.max(x1, px);
    y0 = Math.min(y0, py);
    y1 = Math.max(y1, py);
  }
  x0 = Math.max(0, Math.floor(x0));
  y0 = Math.max(0, Math.floor(y0));
  x1 = Math.min(width - 1, Math.ceil(x1));
  y1 = Math.min(height - 1, Math.ceil(y1));
  const m = invertMap(unitsToFrame);
  let left = Infinity;
  let right = -1;
  let top = Infinity;
  let bottom = -1;
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const w = m[6] * x + m[7] * y + m[8];
      const uy = (m[3] * x + m[4] * y + m[5]) / w;
      let ux = (m[0] * x + m[1] * y + m[2]) / w;
      if (bend.amplitude !== 0) ux -= bend.amplitude * Math.sin(bend.frequency * uy + bend.phase);
      const u = ux * half + half - 0.5;
      const v = uy * half + half - 0.5;
      const u0 = Math.floor(u);
      const v0 = Math.floor(v);
      if (u0 < 0 || v0 < 0 || u0 >= size - 1 || v0 >= size - 1) continue;
      const fx = u - u0;
      const fy = v - v0;
      const a = (v0 * size + u0) * 4;
      const b = a + size * 4;
      const wa = (1 - fx) * (1 - fy);
      const wb = fx * (1 - fy);
      const wc = (1 - fx) * fy;
      const wd = fx * fy;
      const coverage = data[a + 3]! * wa + data[a + 7]! * wb + data[b + 3]! * wc + data[b + 7]! * wd;
      if (coverage <= 0) continue;
      const pixel = y * width + x;
      const at = pixel * 3;
      for (let k = 0; k < 3; k++) {
        const colour = data[a + k]! * wa + data[a + 4 + k]! * wb + data[b + k]! * wc + data[b + 4 + k]! * wd;
        light[at + k] = light[at + k]! * (1 - coverage) + colour;
      }
      if (coverage >= 0.5) {
        canvas.owner[pixel] = owner;
        if (x < left) left = x;
        if (x > right) right = x;
        if (y < top) top = y;
        if (y > bottom) bottom = y;
      }
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
};

/** Sensor noise: a table of normal deviates, entered at a random place every frame. */
export type SensorNoise = { readonly table: Float32Array; readonly sigma: number };

/** Prepares sensor noise of standard deviation `sigma` grey levels. */
export const sensorNoise = (seed: number, sigma: number): SensorNoise => {
  const random = RandomStream.of(seed, 'sensor');
  return { sigma, table: Float32Array.from({ length: sigma > 0 ? 1 << 16 : 0 }, () => random.normal(0, sigma)) };
};

/** Develops the canvas into an 8-bit RGB raster under `light`, with noise entered at `random`. */
export const exposeCanvas = (canvas: Canvas, light: Light, noise: SensorNoise, random: RandomStream): Raster => {
  const { width, height } = canvas;
  const data = new Uint8ClampedArray(width * height * 3);
  const noisy = noise.sigma > 0;
  const mask = noise.table.length - 1;
  for (let y = 0, at = 0; y < height; y++) {
    // A fresh entry a row, or the table's rows would line up with the picture's.
    const entry = noisy ? random.integer(1 << 16) : 0;
    let gain = light.gain * (1 + light.slopeY * (y / height - 0.5) - light.slopeX * 0.5);
    const change = (light.gain * light.slopeX) / width;
    for (let x = 0; x < width; x++, gain += change) {
      for (let k = 0; k < 3; k++, at++) {
        const value = canvas.light[at]! * gain;
        data[at] = noisy ? value + noise.table[(entry + x * 3 + k) & mask]! : value;
      }
    }
  }
  return { width, height, channels: 3, data: new Uint8Array(data.buffer) };
};
