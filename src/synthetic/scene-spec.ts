import type { RandomStream } from '../numeric/random.js';
import { drawBackground, type BackgroundLook } from './background.js';

/** A point or direction in metres: x right, y down, z ahead. */
export type Vector = readonly [number, number, number];

/** A solid in a room. Its `look` covers it; `class` names what a detector should call it. */
export type Solid = { readonly look: BackgroundLook; readonly centre: Vector } & (
  | {
      readonly class: 'box';
      /** Half the edges. */
      readonly half: Vector;
      /** Turn about the vertical, then tilt about the box's own x axis, radians. */
      readonly turn: number;
      readonly tilt: number;
    }
  | { readonly class: 'ball'; readonly radius: number }
  /** A standing cylinder. */
  | { readonly class: 'post'; readonly radius: number; readonly half: number }
);

/** The solids' classes. */
export const solidClasses = ['box', 'ball', 'post'] as const;

/** A pinhole camera: pixel (u, v), centres at whole numbers, looks along `((u - cx) / fx, (v - cy) / fy, 1)`. */
export type PinholeCamera = {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
};

/** The camera of the demo's scenes: 160 x 120 pixels, 55 degrees wide. */
export const sceneCamera: PinholeCamera = { width: 160, height: 120, fx: 154, fy: 154, cx: 79.5, cy: 59.5 };

/** A room with solids, lights and a camera: everything that decides the picture, as plain data. */
export type SceneSpec = {
  readonly camera: PinholeCamera & {
    readonly position: Vector;
    /** Turn to the right and dip of the view, radians. */
    readonly turn: number;
    readonly dip: number;
  };
  /** The room spans x and z from -half to half; its floor is y = 0, its ceiling y = -height. Metres. */
  readonly room: { readonly halfX: number; readonly halfZ: number; readonly height: number };
  /** Looks of floor, ceiling, and the walls at -x, +x, -z, +z. */
  readonly walls: readonly BackgroundLook[];
  readonly solids: readonly Solid[];
  readonly lights: readonly { readonly position: Vector; readonly strength: number }[];
  readonly ambient: number;
};

/** Draws a scene: solids on the floor ahead of a camera that stands in a room, some upon others, some boxes tilted. */
export const drawScene = (random: RandomStream, camera: PinholeCamera = sceneCamera): SceneSpec => {
  const room = { halfX: random.uniform(1.8, 3.2), halfZ: random.uniform(2.2, 3.6), height: random.uniform(2.4, 3.2) };
  const position: Vector = [
    random.uniform(-0.35, 0.35) * room.halfX,
    -random.uniform(1.1, 1.8),
    -room.halfZ + random.uniform(0.3, 0.9),
  ];
  const turn = random.uniform(-0.45, 0.45);
  const solids: Solid[] = [];
  const count = 3 + random.integer(4);
  for (let k = 0; k < count; k++) {
    const distance = random.uniform(1.5, Math.min(4, 1.7 * room.halfZ));
    const bearing = turn + random.uniform(-0.42, 0.42);
    const limit = (value: number, half: number): number => Math.min(half - 0.35, Math.max(-half + 0.35, value));
    const x = limit(position[0] + distance * Math.sin(bearing), room.halfX);
    const z = limit(position[2] + distance * Math.cos(bearing), room.halfZ);
    const look = drawBackground(random, random.uniform(0.1, 0.45));
    const kind = solidClasses[random.integer(3)]!;
    if (kind === 'box') {
      const half: Vector = [random.uniform(0.12, 0.4), random.uniform(0.12, 0.55), random.uniform(0.12, 0.4)];
      const tilt = random.chance(0.35) ? random.uniform(-0.6, 0.6) : 0;
      const spin = random.uniform(0, Math.PI);
      // A tilted box rests on its lowest edge.
      const lift = Math.abs(Math.cos(tilt)) * half[1] + Math.abs(Math.sin(tilt)) * half[2];
      solids.push({ class: 'box', look, centre: [x, -lift, z], half, turn: spin, tilt });
      if (tilt === 0 && random.chance(0.4)) {
        const radius = random.uniform(0.1, 0.2);
        const ball = drawBackground(random, random.uniform(0.1, 0.45));
        solids.push({ class: 'ball', look: ball, centre: [x, -2 * half[1] - radius, z], radius });
      }
    } else if (kind === 'ball') {
      const radius = random.uniform(0.14, 0.38);
      solids.push({ class: 'ball', look, centre: [x, -radius, z], radius });
    } else {
      const half = random.uniform(0.2, 0.7);
      solids.push({ class: 'post', look, centre: [x, -half, z], radius: random.uniform(0.08, 0.25), half });
    }
  }
  const lights = Array.from({ length: 2 }, () => ({
    position: [
      random.uniform(-0.8, 0.8) * room.halfX,
      -room.height + random.uniform(0.15, 0.5),
      random.uniform(-0.8, 0.6) * room.halfZ,
    ] as Vector,
    strength: random.uniform(0.5, 1.1),
  }));
  return {
    camera: {
      ...camera,
      position,
      turn,
      dip: random.uniform(0.05, 0.5),
    },
    room,
    walls: Array.from({ length: 6 }, () => drawBackground(random, random.uniform(0.05, 0.35))),
    solids,
    lights,
    ambient: random.uniform(0.3, 0.5),
  };
};
