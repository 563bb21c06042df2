import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import { buildGeometry, surfaceColour, type Hit } from './ray-cast.js';
import type { SceneSpec, Solid } from './scene-spec.js';

/** A solid that is seen. */
export type SolidTruth = {
  readonly class: Solid['class'];
  /** Index into the spec's solids. */
  readonly solid: number;
  /** Box of its visible pixels. */
  readonly box: Box;
  readonly pixels: number;
  /** It touches the picture's border. */
  readonly truncated: boolean;
};

/** A rendered scene with exact truth, `[height, width]` a plane. */
export type RenderedScene = {
  readonly color: Raster;
  /** Distance along the camera's z axis in metres (not along the ray). */
  readonly depth: Float32Array;
  /**
   * `[height, width, 3]` unit normals in camera axes (x right, y down, z into the scene) on the side that is seen: the product
   * with the pixel's ray is below 0. So `n_z < 0` nearly everywhere; under perspective a surface seen at a slant near the
   * border (a ceiling above a level camera) may have `n_z` just above 0.
   */
  readonly normals: Float32Array;
  /** 0 for the room, k + 1 for solid k. */
  readonly owner: Uint8Array;
  /** Solids of at least `minPixels` visible pixels. */
  readonly solids: readonly SolidTruth[];
};

const pxPerMetre = 110;

/** Renders a scene: colour with 2 x 2 rays a pixel and hard shadows, truth with one ray through the pixel's centre. A pure function of `spec`. */
export const renderScene = (
  spec: SceneSpec,
  { minPixels = 24 }: { readonly minPixels?: number } = {},
): RenderedScene => {
  const { width, height, fx, fy, cx, cy, position, turn, dip } = spec.camera;
  const [ox, oy, oz] = position;
  const geometry = buildGeometry(spec);
  const solidColours = spec.solids.map((solid) => surfaceColour(solid.look, 2 * pxPerMetre));
  const wallColours = spec.walls.map((look) => surfaceColour(look, pxPerMetre));
  // Rows are the camera's axes in world axes: x right, y down, z ahead, turned right by `turn` and dipped by `dip`.
  const [ct, st, cd, sd] = [Math.cos(turn), Math.sin(turn), Math.cos(dip), Math.sin(dip)];
  const ax = [ct, 0, -st] as const;
  const ay = [-sd * st, cd, -sd * ct] as const;
  const az = [cd * st, sd, cd * ct] as const;
  const hit: Hit = { distance: 0, nx: 0, ny: 0, nz: 0, u: 0, v: 0, what: 0 };
  const colour = new Float64Array(3);

  /** Casts the ray through (u, v); its z in camera axes is 1, so that the distance along it is the depth. */
  const look = (u: number, v: number): void => {
    const x = (u - cx) / fx;
    const y = (v - cy) / fy;
    const dx = x * ax[0] + y * ay[0] + az[0];
    const dy = x * ax[1] + y * ay[1] + az[1];
    const dz = x * ax[2] + y * ay[2] + az[2];
    if (!geometry.cast(ox, oy, oz, dx, dy, dz, hit)) {
      throw new RangeError(`Expected the camera to stand inside the room, got position \`${position.join(', ')}\``);
    }
    px = ox + hit.distance * dx;
    py = oy + hit.distance * dy;
    pz = oz + hit.distance * dz;
  };
  let px = 0;
  let py = 0;
  let pz = 0;

  const brightness = (): number => {
    let sum = spec.ambient;
    for (const light of spec.lights) {
      const lx = light.position[0] - px;
      const ly = light.position[1] - py;
      const lz = light.position[2] - pz;
      const square = lx * lx + ly * ly + lz * lz;
      const facing = (hit.nx * lx + hit.ny * ly + hit.nz * lz) / Math.sqrt(square);
      if (facing <= 0) continue;
      // Off the surface a little, or it would shade itself.
      const e = 1e-3;
      if (geometry.shaded(px + e * hit.nx, py + e * hit.ny, pz + e * hit.nz, lx, ly, lz)) continue;
      sum += (light.strength * facing) / (1 + 0.12 * square);
    }
    return sum;
  };

  const color = new Uint8ClampedArray(width * height * 3);
  const depth = new Float32Array(width * height);
  const normals = new Float32Array(width * height * 3);
  const owner = new Uint8Array(width * height);
  for (let v = 0, i = 0; v < height; v++) {
    for (let u = 0; u < width; u++, i++) {
      look(u, v);
      depth[i] = hit.distance;
      owner[i] = hit.what < 0 ? 0 : hit.what + 1;
      normals[3 * i] = hit.nx * ax[0] + hit.ny * ax[1] + hit.nz * ax[2];
      normals[3 * i + 1] = hit.nx * ay[0] + hit.ny * ay[1] + hit.nz * ay[2];
      normals[3 * i + 2] = hit.nx * az[0] + hit.ny * az[1] + hit.nz * az[2];
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < 4; k++) {
        look(u + (k & 1) * 0.5 - 0.25, v + (k >> 1) * 0.5 - 0.25);
        const paint = hit.what < 0 ? wallColours[-1 - hit.what]! : solidColours[hit.what]!;
        const light = brightness() / 4;
        paint(hit.u, hit.v, colour);
        red += colour[0]! * light;
        green += colour[1]! * light;
        blue += colour[2]! * light;
      }
      color[3 * i] = red;
      color[3 * i + 1] = green;
      color[3 * i + 2] = blue;
    }
  }
  const raster: Raster = { width, height, channels: 3, data: new Uint8Array(color.buffer) };
  return { color: raster, depth, normals, owner, solids: findSolids(spec, owner, width, height, minPixels) };
};

const findSolids = (
  spec: SceneSpec,
  owner: Uint8Array,
  width: number,
  height: number,
  minPixels: number,
): SolidTruth[] => {
  const found: SolidTruth[] = [];
  for (const [index, solid] of spec.solids.entries()) {
    let [left, right, top, bottom, pixels] = [width, -1, height, -1, 0];
    for (let i = 0; i < owner.length; i++) {
      if (owner[i] !== index + 1) continue;
      const x = i % width;
      const y = (i - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      pixels++;
    }
    if (pixels < minPixels) continue;
    const box = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    const truncated = left === 0 || top === 0 || right === width - 1 || bottom === height - 1;
    found.push({ class: solid.class, solid: index, box, pixels, truncated });
  }
  return found;
};
