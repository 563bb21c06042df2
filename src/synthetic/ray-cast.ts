import type { Noise } from './noise.js';
import { backgroundTone, type BackgroundLook } from './background.js';
import type { SceneSpec, Solid, Vector } from './scene-spec.js';

/** Where a ray met something: distance along the ray, outward normal, surface coordinates in metres, and what was met. */
export type Hit = {
  distance: number;
  /** World axes, unit, towards the side the ray came from. */
  nx: number;
  ny: number;
  nz: number;
  u: number;
  v: number;
  /** -1 to -6: floor, ceiling and the walls; otherwise the solid's index. */
  what: number;
};

/** A scene made ready for rays. */
export type Geometry = {
  /** Finds what the ray from `(ox, oy, oz)` along `(dx, dy, dz)` meets first beyond `near`; fills `hit` and returns whether there is anything. */
  cast(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, hit: Hit): boolean;
  /** Whether a solid stands between the point and `(dx, dy, dz)` further on (the walls never shade: lights are inside). */
  shaded(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): boolean;
};

const near = 1e-4;

/** A solid in its own axes: rows of `axes` are its x, y, z in world axes. */
type Placed = { readonly solid: Solid; readonly axes: Float64Array };

const place = (solid: Solid): Placed => {
  const axes = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  if (solid.class === 'box') {
    const [c, s] = [Math.cos(solid.turn), Math.sin(solid.turn)];
    const [ct, st] = [Math.cos(solid.tilt), Math.sin(solid.tilt)];
    axes.set([c, 0, -s, st * s, ct, st * c, ct * s, -st, ct * c]);
  }
  return { solid, axes };
};

/** Meets one solid with a ray in the solid's own axes; fills `hit` with a local normal if nearer than `hit.distance`. */
const meet = (solid: Solid, o: Float64Array, d: Float64Array, hit: Hit): boolean => {
  const [ox, oy, oz] = o as unknown as Vector;
  const [dx, dy, dz] = d as unknown as Vector;
  if (solid.class === 'box') {
    let enter = -Infinity;
    let leave = Infinity;
    let axis = 0;
    for (let k = 0; k < 3; k++) {
      const half = solid.half[k]!;
      if (d[k] === 0) {
        if (Math.abs(o[k]!) > half) return false;
        continue;
      }
      const a = (-half - o[k]!) / d[k]!;
      const b = (half - o[k]!) / d[k]!;
      const low = Math.min(a, b);
      if (low > enter) {
        enter = low;
        axis = k;
      }
      leave = Math.min(leave, Math.max(a, b));
    }
    if (enter > leave || enter <= near || enter >= hit.distance) return false;
    hit.distance = enter;
    const sign = d[axis]! > 0 ? -1 : 1;
    hit.nx = axis === 0 ? sign : 0;
    hit.ny = axis === 1 ? sign : 0;
    hit.nz = axis === 2 ? sign : 0;
    const p = [ox + enter * dx, oy + enter * dy, oz + enter * dz];
    hit.u = p[(axis + 1) % 3]! + 3 * axis;
    hit.v = p[(axis + 2) % 3]!;
    return true;
  }
  const ball = solid.class === 'ball';
  const a = dx * dx + dz * dz + (ball ? dy * dy : 0);
  const b = ox * dx + oz * dz + (ball ? oy * dy : 0);
  const c = ox * ox + oz * oz + (ball ? oy * oy : 0) - solid.radius * solid.radius;
  const root = b * b - a * c;
  let met = false;
  if (root > 0 && a > 0) {
    const distance = (-b - Math.sqrt(root)) / a;
    const y = oy + distance * dy;
    if (distance > near && distance < hit.distance && (ball || Math.abs(y) <= (solid as { half: number }).half)) {
      hit.distance = distance;
      hit.nx = (ox + distance * dx) / solid.radius;
      hit.ny = ball ? y / solid.radius : 0;
      hit.nz = (oz + distance * dz) / solid.radius;
      hit.u = Math.atan2(hit.nz, hit.nx) * solid.radius;
      hit.v = ball ? Math.asin(Math.max(-1, Math.min(1, hit.ny))) * solid.radius : y;
      met = true;
    }
  }
  if (solid.class === 'post' && dy !== 0) {
    const side = dy > 0 ? -1 : 1; // the cap that faces the ray
    const distance = (side * solid.half - oy) / dy;
    const x = ox + distance * dx;
    const z = oz + distance * dz;
    if (distance > near && distance < hit.distance && x * x + z * z <= solid.radius * solid.radius) {
      hit.distance = distance;
      hit.nx = 0;
      hit.ny = side;
      hit.nz = 0;
      hit.u = x;
      hit.v = z;
      met = true;
    }
  }
  return met;
};

/** Prepares a scene's walls and solids for rays. */
export const buildGeometry = (spec: SceneSpec): Geometry => {
  const { halfX, halfZ, height } = spec.room;
  const placed = spec.solids.map(place);
  const o = new Float64Array(3);
  const d = new Float64Array(3);
  const shadow: Hit = { distance: 1, nx: 0, ny: 0, nz: 0, u: 0, v: 0, what: 0 };

  const castSolids = (ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, hit: Hit): boolean => {
    let any = false;
    for (let index = 0; index < placed.length; index++) {
      const { solid, axes: m } = placed[index]!;
      const px = ox - solid.centre[0];
      const py = oy - solid.centre[1];
      const pz = oz - solid.centre[2];
      for (let k = 0; k < 3; k++) {
        o[k] = m[3 * k]! * px + m[3 * k + 1]! * py + m[3 * k + 2]! * pz;
        d[k] = m[3 * k]! * dx + m[3 * k + 1]! * dy + m[3 * k + 2]! * dz;
      }
      if (!meet(solid, o, d, hit)) continue;
      any = true;
      hit.what = index;
      const { nx, ny, nz } = hit;
      hit.nx = m[0]! * nx + m[3]! * ny + m[6]! * nz;
      hit.ny = m[1]! * nx + m[4]! * ny + m[7]! * nz;
      hit.nz = m[2]! * nx + m[5]! * ny + m[8]! * nz;
    }
    return any;
  };

  const wall = (distance: number, what: number, nx: number, ny: number, nz: number, hit: Hit): void => {
    if (!(distance > near && distance < hit.distance)) return;
    hit.distance = distance;
    hit.what = what;
    hit.nx = nx;
    hit.ny = ny;
    hit.nz = nz;
  };

  return {
    cast(ox, oy, oz, dx, dy, dz, hit) {
      hit.distance = Infinity;
      wall(dy > 0 ? -oy / dy : Infinity, -1, 0, -1, 0, hit);
      wall(dy < 0 ? (-height - oy) / dy : Infinity, -2, 0, 1, 0, hit);
      wall(dx < 0 ? (-halfX - ox) / dx : Infinity, -3, 1, 0, 0, hit);
      wall(dx > 0 ? (halfX - ox) / dx : Infinity, -4, -1, 0, 0, hit);
      wall(dz < 0 ? (-halfZ - oz) / dz : Infinity, -5, 0, 0, 1, hit);
      wall(dz > 0 ? (halfZ - oz) / dz : Infinity, -6, 0, 0, -1, hit);
      if (hit.distance < Infinity) {
        const x = ox + hit.distance * dx;
        const y = oy + hit.distance * dy;
        const z = oz + hit.distance * dz;
        hit.u = hit.what === -3 || hit.what === -4 ? z : x;
        hit.v = hit.what === -1 || hit.what === -2 ? z : y;
      }
      castSolids(ox, oy, oz, dx, dy, dz, hit);
      return hit.distance < Infinity;
    },
    shaded(ox, oy, oz, dx, dy, dz) {
      shadow.distance = 1;
      return castSolids(ox, oy, oz, dx, dy, dz, shadow);
    },
  };
};

/** A look as a function of surface coordinates in metres; writes RGB (0 to 255) into `colour`. */
export const surfaceColour = (
  look: BackgroundLook,
  pxPerMetre: number,
): ((u: number, v: number, colour: Float64Array) => void) => {
  const tone: Noise = backgroundTone(look);
  const [first, second] = look.colours;
  // Away from the origin: some kinds cut coordinates to whole numbers, which would mirror them there.
  const offset = 64 * 512;
  return (u, v, colour) => {
    const blend = Math.min(1, Math.max(0, tone(u * pxPerMetre + offset, v * pxPerMetre + offset)));
    for (let k = 0; k < 3; k++) colour[k] = first[k]! + (second[k]! - first[k]!) * blend;
  };
};
