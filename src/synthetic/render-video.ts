import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import { RandomStream } from '../numeric/random.js';
import { paintBackground } from './background.js';
import { createCanvas, drawPlane, drawSprite, exposeCanvas, sensorNoise } from './canvas.js';
import { families } from './families.js';
import { compose, invertMap, shift, turnAndScale, type Homography } from './homography.js';
import { paintSprite } from './sprite.js';
import type { CameraMotion, Lighting, MovingObject, ShotSpec, VideoSpec } from './video-spec.js';

/** What is true of one object in one frame. */
export type ObjectTruth = {
  /** Index into the shot's objects. */
  readonly object: number;
  readonly family: string;
  /** Box of the pixels it covers at least half, inside the frame, whatever lies over it; null while it is out of sight. */
  readonly box: Box | null;
  /** Maps object units (outline within the unit circle) to the frame's pixels; bending comes before it. */
  readonly pose: Homography;
};

/** One frame with the truth about it. */
export type RenderedFrame = {
  /** Counts from 0 over the whole video. */
  readonly index: number;
  /** Seconds. */
  readonly time: number;
  readonly shot: number;
  readonly raster: Raster;
  readonly objects: readonly ObjectTruth[];
  /** Maps world (and background) pixels to this frame's pixels. */
  readonly camera: Homography;
  /** `[height, width]`: 0 where the background is seen, k + 1 where object k is. */
  readonly owner: Uint8Array;
};

/** Maps pixels of the background in frame `a` to where they are in frame `b` of the same shot. */
export const cameraBetween = (a: RenderedFrame, b: RenderedFrame): Homography => compose(b.camera, invertMap(a.camera));

/** The camera of frame `t` of a shot, as a map from world pixels to frame pixels; the middle of the shot is at rest but for tremor. */
const cameraAt = (
  motion: CameraMotion,
  t: number,
  spec: VideoSpec,
  shot: ShotSpec,
  phases: Float64Array,
): Homography => {
  const u = t - (shot.frames - 1) / 2;
  const cx = (spec.width - 1) / 2;
  const cy = (spec.height - 1) / 2;
  const tremor = (k: number): number =>
    motion.shakePx * (0.6 * Math.sin(0.9 * t + phases[k]!) + 0.4 * Math.sin(2.1 * t + phases[k + 1]!));
  const tilt: Homography = [
    1, 0, 0, 0, 1, 0,
    motion.tilt * Math.sin(0.08 * t + phases[4]!), motion.tilt * Math.sin(0.06 * t + phases[5]!), 1,
  ]; // prettier-ignore
  return compose(
    shift(cx - motion.pan[0] * u + tremor(0), cy - motion.pan[1] * u + tremor(2)),
    tilt,
    turnAndScale(motion.roll * u, Math.exp(motion.zoom * u)),
    shift(-cx, -cy),
  );
};

const poseAt = (object: MovingObject, t: number): Homography => {
  const angle = object.path.phase + object.path.speed * t;
  const scale =
    object.radius * Math.exp(object.growth.amplitude * Math.sin(object.growth.speed * t + object.growth.phase));
  return compose(
    shift(
      object.path.centre[0] + object.path.reach[0] * Math.cos(angle),
      object.path.centre[1] + object.path.reach[1] * Math.sin(angle),
    ),
    turnAndScale(object.turn.start + object.turn.rate * t, scale),
  );
};

const gainAt = (light: Lighting, t: number, random: RandomStream): number =>
  1 + light.swing * Math.sin(light.speed * t) + (light.flicker > 0 ? light.flicker * random.uniform(-1, 1) : 0);

/**
 * Renders a video frame by frame with exact truth. A pure function of `spec`: the same spec gives the same bytes in every
 * process. Frames are made as they are asked for; each has its own memory.
 */
export function* renderVideo(spec: VideoSpec): Generator<RenderedFrame, void, void> {
  const canvas = createCanvas(spec.width, spec.height);
  const noise = sensorNoise(spec.seed, spec.noise);
  let index = 0;
  for (const [shotIndex, shot] of spec.shots.entries()) {
    const plane = paintBackground(shot.background);
    const sprites = shot.objects.map((object) => paintSprite(object.look));
    const random = RandomStream.of(spec.seed, 'shot', shotIndex);
    const phases = Float64Array.from({ length: 6 }, () => random.uniform(0, 2 * Math.PI));
    for (let t = 0; t < shot.frames; t++, index++) {
      const camera = cameraAt(shot.camera, t, spec, shot, phases);
      drawPlane(canvas, plane, camera);
      const objects = shot.objects.map((object, k): ObjectTruth => {
        const pose = compose(camera, poseAt(object, t));
        const { amplitude, frequency, speed } = object.bend;
        const box = drawSprite(canvas, sprites[k]!, pose, k + 1, { amplitude, frequency, phase: speed * t });
        return { object: k, family: families[object.look.family]!.name, box, pose };
      });
      const gain = gainAt(shot.light, t, random);
      const [slopeX, slopeY] = shot.light.slope;
      const raster = exposeCanvas(canvas, { gain, slopeX, slopeY }, noise, random);
      const owner = canvas.owner.slice();
      yield { index, time: index / spec.fps, shot: shotIndex, raster, objects, camera, owner };
    }
  }
}
