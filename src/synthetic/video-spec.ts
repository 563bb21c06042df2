import type { BackgroundLook } from './background.js';
import type { Look } from './sprite.js';

/**
 * A moving object: it circles on an ellipse (so that its speed never falls to 0), turns, grows and shrinks, and bends.
 * Positions are world pixels: those of the frame at rest, before the camera moves. `t` counts frames of the shot.
 */
export type MovingObject = {
  readonly look: Look;
  /** Half the object's size, pixels, at mean scale. */
  readonly radius: number;
  /** `centre + reach * (cos, sin)(phase + speed * t)`; `speed` in radians a frame, its sign the sense. */
  readonly path: {
    readonly centre: readonly [number, number];
    readonly reach: readonly [number, number];
    readonly phase: number;
    readonly speed: number;
  };
  /** `start + rate * t`, radians. */
  readonly turn: { readonly start: number; readonly rate: number };
  /** Scale `exp(amplitude * sin(speed * t + phase))`. */
  readonly growth: { readonly amplitude: number; readonly speed: number; readonly phase: number };
  /** Rows shift by `amplitude * sin(frequency * y + speed * t)`, object units. */
  readonly bend: { readonly amplitude: number; readonly frequency: number; readonly speed: number };
};

/** How the camera moves over a shot; all zero is a tripod. */
export type CameraMotion = {
  /** Pixels a frame. */
  readonly pan: readonly [number, number];
  /** Scale `exp(zoom * (t - middle))`. */
  readonly zoom: number;
  /** Radians a frame. */
  readonly roll: number;
  /** Amplitude of a hand-held tremor, pixels. */
  readonly shakePx: number;
  /** Perspective terms swing by this much (1 / pixel); 0.0003 tilts a frame visibly. */
  readonly tilt: number;
};

/** Light over a shot: `gain = 1 + swing * sin(speed * t) + flicker * (random in [-1, 1] each frame)`, on a fixed slope. */
export type Lighting = {
  readonly swing: number;
  readonly speed: number;
  readonly flicker: number;
  readonly slope: readonly [number, number];
};

/** One uncut take. */
export type ShotSpec = {
  readonly frames: number;
  readonly background: BackgroundLook;
  readonly camera: CameraMotion;
  readonly light: Lighting;
  /** From back to front. */
  readonly objects: readonly MovingObject[];
};

/** A procedural video: everything that decides its pixels, as plain data. */
export type VideoSpec = {
  /** File name without extension. */
  readonly name: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Standard deviation of the sensor noise, grey levels. */
  readonly noise: number;
  readonly shots: readonly ShotSpec[];
  /** Whether objects move in it: false for pure camera motion, a still scene, flicker. */
  readonly hasMotion: boolean;
};

/** Frames of all shots together. */
export const frameCount = (spec: VideoSpec): number => spec.shots.reduce((sum, shot) => sum + shot.frames, 0);
