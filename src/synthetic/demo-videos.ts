import { RandomStream } from '../numeric/random.js';
import { drawBackground } from './background.js';
import { families } from './families.js';
import { drawLook } from './sprite.js';
import type { CameraMotion, Lighting, MovingObject, ShotSpec, VideoSpec } from './video-spec.js';

/** Size and length of the demo's videos. */
export type DemoVideoOptions = {
  /** Videos in which objects move. @default 11 */
  readonly moving?: number;
  /** Pixels. @default 320 x 240 */
  readonly width?: number;
  readonly height?: number;
  /** @default 25 */
  readonly fps?: number;
  /** Scales every shot's length. @default 1 (videos of 6 to 8 s) */
  readonly length?: number;
};

const tripod: CameraMotion = { pan: [0, 0], zoom: 0, roll: 0, shakePx: 0, tilt: 0 };
const steady: Lighting = { swing: 0, speed: 0, flicker: 0, slope: [0, 0] };

/** Draws how the camera moves: a tripod, a slow pan, a zoom, or a tremor, seldom more than one. */
const drawCamera = (random: RandomStream): CameraMotion => {
  const direction = random.uniform(0, 2 * Math.PI);
  const speed = random.uniform(0.3, 0.8);
  const kind = random.integer(5);
  return {
    pan: kind === 1 || kind === 4 ? [speed * Math.cos(direction), speed * Math.sin(direction)] : [0, 0],
    zoom: kind === 2 ? random.uniform(-0.0022, 0.0022) : 0,
    roll: kind === 2 ? random.uniform(-0.001, 0.001) : 0,
    shakePx: kind === 3 ? random.uniform(0.6, 1.6) : 0,
    tilt: kind === 4 ? random.uniform(0.00004, 0.00012) : 0,
  };
};

const drawLighting = (random: RandomStream): Lighting => ({
  swing: random.uniform(0, 0.14),
  speed: random.uniform(0.04, 0.1),
  flicker: 0,
  slope: [random.uniform(-0.35, 0.35), random.uniform(-0.35, 0.35)],
});

/**
 * Draws two or three objects that circle in different quarters of the frame. Together they cover about a third of it, so that
 * between a quarter and three quarters of the interest points move (the bounds of Wang & Gupta 2015, 3).
 */
const drawObjects = (random: RandomStream, width: number, height: number): MovingObject[] => {
  const count = 2 + random.integer(2);
  const unit = Math.min(width, height);
  const start = random.uniform(0, 2 * Math.PI);
  return Array.from({ length: count }, (_, k): MovingObject => {
    const bearing = start + (2 * Math.PI * (k + random.uniform(-0.15, 0.15))) / count;
    const reach: [number, number] = [unit * random.uniform(0.12, 0.26), unit * random.uniform(0.1, 0.2)];
    const pxPerFrame = random.uniform(1.6, 4) * (unit / 240);
    return {
      look: drawLook(random, random.integer(families.length)),
      radius: unit * random.uniform(0.19, 0.27) * (count === 2 ? 1.15 : 1),
      path: {
        centre: [width * (0.5 + 0.24 * Math.cos(bearing)), height * (0.5 + 0.19 * Math.sin(bearing))],
        reach,
        phase: random.uniform(0, 2 * Math.PI),
        speed: ((random.chance(0.5) ? 1 : -1) * pxPerFrame) / ((reach[0] + reach[1]) / 2),
      },
      turn: { start: random.uniform(0, 2 * Math.PI), rate: random.normal(0, 0.014) },
      growth: {
        amplitude: random.uniform(0.05, 0.22),
        speed: random.uniform(0.03, 0.07),
        phase: random.uniform(0, 2 * Math.PI),
      },
      bend: {
        amplitude: random.chance(0.5) ? random.uniform(0.02, 0.06) : 0,
        frequency: random.uniform(1.5, 3),
        speed: random.uniform(0.04, 0.1),
      },
    };
  });
};

/**
 * The demo's videos, as specs: `moving` videos (default 11) of two or three shots with moving objects, then three videos that must give no pair: a pure pan, a still scene and a flickering one, with objects standing in
 * them. Every shot has its own background, objects, light and camera motion, so that a video's look does not identify its pairs.
 */
export const demoVideos = (seed: number, options: DemoVideoOptions = {}): VideoSpec[] => {
  const { moving = 11, width = 320, height = 240, fps = 25, length = 1 } = options;
  const video = (name: string, shots: ShotSpec[], random: RandomStream, hasMotion: boolean): VideoSpec => ({
    name,
    seed: random.bits(),
    width,
    height,
    fps,
    noise: random.uniform(1.5, 4),
    shots,
    hasMotion,
  });
  const frames = (random: RandomStream, low: number, high: number): number =>
    Math.round(random.uniform(low, high) * length);
  const videos = Array.from({ length: moving }, (_, index) => {
    const random = RandomStream.of(seed, 'video', index);
    const count = 2 + random.integer(2);
    const shots = Array.from({ length: count }, (): ShotSpec => {
      return {
        frames: frames(random, 152 / count, 196 / count),
        background: drawBackground(random, 0.36),
        camera: drawCamera(random),
        light: drawLighting(random),
        objects: drawObjects(random, width, height),
      };
    });
    return video(`moving-${String(index + 1).padStart(2, '0')}`, shots, random, true);
  });
  const still = (random: RandomStream): MovingObject[] =>
    drawObjects(random, width, height).map((object) => ({
      ...object,
      path: { ...object.path, speed: 0 },
      turn: { ...object.turn, rate: 0 },
      growth: { ...object.growth, speed: 0 },
      bend: { ...object.bend, speed: 0 },
    }));
  const without = (name: string, camera: CameraMotion, light: Lighting): VideoSpec => {
    const random = RandomStream.of(seed, name);
    const shot: ShotSpec = {
      frames: frames(random, 150, 160),
      background: drawBackground(random),
      camera,
      light,
      objects: still(random),
    };
    return video(name, [shot], random, false);
  };
  return [
    ...videos,
    without('pan-only', { ...tripod, pan: [1.6, 0.3] }, steady),
    without('still', tripod, steady),
    without('flicker', tripod, { ...steady, flicker: 0.06 }),
  ];
};
