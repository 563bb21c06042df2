import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { area, intersect, iou, type Box } from '../../src/numeric/box.js';
import type { Raster } from '../../src/numeric/raster.js';
import { RandomStream } from '../../src/numeric/random.js';
import { minePairs } from '../../src/tracking/mine-pairs.js';
import type { MiningDecision, StepDecision } from '../../src/tracking/mining-log.js';
import type { MiningOptions } from '../../src/tracking/mining-options.js';
import type { MinedPair } from '../../src/tracking/pair-miner.js';
import { decodeFrames } from '../../src/video/decode-frames.js';
import { encodeVideo } from '../../src/video/encode-video.js';
import { toRgb } from '../../src/video/frame-colour.js';
import type { VideoFrame } from '../../src/video/frame.js';
import { frameOf, renderLuma, texture } from './rendered.js';

const width = 320;
const height = 240;
/** One time-step: a first frame and the thirty of its track. */
const length = 31;
const video = { sha256: 'cd'.repeat(32), label: 'known motion' };

type Map2 = (x: number, y: number, t: number) => readonly [number, number];
type Square = { readonly side: number; readonly seed: number; readonly at: (t: number) => { x: number; y: number } };

/** A textured plane seen through a camera (frame pixel to plane point), squares of other textures before it, marks over all. */
type Scene = {
  readonly camera?: Map2;
  readonly squares?: readonly Square[];
  readonly light?: (t: number) => number;
  readonly noise?: number;
  /** Luma of what is burnt into the picture, or undefined where nothing is. */
  readonly overlay?: (x: number, y: number, t: number) => number | undefined;
};

const back = texture(21, 6);
const still: Map2 = (x, y) => [x, y];

function* film({ camera = still, squares = [], light = () => 1, noise = 0, overlay }: Scene): Generator<VideoFrame> {
  const random = RandomStream.of(5, 'sensor');
  const looks = squares.map(({ seed }) => texture(seed, 5));
  for (let t = 0; t < length; t++) {
    const places = squares.map(({ at }) => at(t));
    const gain = light(t);
    const luma = renderLuma(width, height, (x, y) => {
      const mark = overlay?.(Math.floor(x), Math.floor(y), t);
      if (mark !== undefined) return mark;
      let value = back(...camera(x, y, t));
      squares.forEach(({ side }, k) => {
        const { x: left, y: top } = places[k];
        if (x >= left && x < left + side && y >= top && y < top + side) value = looks[k](x - left, y - top);
      });
      return 16 + (value - 16) * gain + (noise > 0 ? random.normal(0, noise) : 0);
    });
    yield frameOf(t, width, height, luma);
  }
}

const mine = async (frames: Iterable<VideoFrame> | AsyncIterable<VideoFrame>, options: MiningOptions = {}) => {
  const pairs: MinedPair[] = [];
  const log: MiningDecision[] = [];
  await minePairs(
    video,
    frames,
    { patchPx: 32, isCut: () => false, ...options },
    { pair: (pair) => void pairs.push(pair), decision: (decision) => void log.push(decision) },
  );
  const step = log.find((entry): entry is StepDecision => entry.kind === 'step');
  assert.ok(step);
  return { pairs, log, step };
};

const around =
  (angle: (t: number) => number, zoom: (t: number) => number): Map2 =>
  (x, y, t) => {
    const [dx, dy] = [x - width / 2, y - height / 2];
    const [c, s] = [Math.cos(angle(t)) * zoom(t), Math.sin(angle(t)) * zoom(t)];
    return [width / 2 + c * dx - s * dy, height / 2 + s * dx + c * dy];
  };
const pan: Map2 = (x, y, t) => [x + 2.6 * t, y + 1.3 * t];
/** A hand: three tremors of unlike speed, and a little turning. */
const shake: Map2 = (x, y, t) => {
  const [u, v] = around(
    (s) => 0.006 * Math.sin(0.8 * s),
    () => 1,
  )(x, y, t);
  return [u + 2.5 * Math.sin(0.9 * t) + 1.2 * Math.sin(2.1 * t + 1), v + 2 * Math.sin(1.1 * t + 2)];
};
/** A scene of two depths before a camera that goes sideways: a strip, below, passes faster or slower than the rest. */
const parallax =
  (nearness: number): Map2 =>
  (x, y, t) =>
    y < 150 ? [x + 2 * t, y] : [x + 2 * nearness * t + 700, y];
/** A hand's pan whose rows are read one after the other: each is as far on as the camera is by then. */
const rollingShutter: Map2 = (x, y, t) => {
  const at = t + (0.8 * y) / height;
  return [x + 3 * at + 5 * Math.sin(0.7 * at), y + 1.5 * Math.sin(0.9 * at)];
};
/** Bars as of letters: white with black beside it, in lines of text. */
const text =
  (left: number, top: number, columns: number, rows: number) =>
  (x: number, y: number): number | undefined => {
    const [u, v] = [x - left, y - top];
    if (u < 0 || v < 0 || u >= columns * 8 || v >= rows * 14) return undefined;
    const letter = RandomStream.of(3, Math.floor(u / 8), Math.floor(v / 14)).bits();
    const [i, j] = [(u % 8) >> 1, (v % 14) >> 1];
    if (i > 2 || j > 4) return undefined;
    return (letter >>> (i + 3 * j)) & 1 ? 235 : 16;
  };
const flicker = (t: number): number => 1 + 0.12 * RandomStream.of(9, t).uniform(-1, 1);

describe('Motion that is known: the local rule', function () {
  this.timeout(180_000);

  const nothing: Readonly<Record<string, Scene>> = {
    'a camera that pans': { camera: pan, noise: 2 },
    'a camera that zooms in': {
      camera: around(
        () => 0,
        (t) => 0.99 ** t,
      ),
      noise: 2,
    },
    'a camera that zooms out': {
      camera: around(
        () => 0,
        (t) => 1.012 ** t,
      ),
    },
    'a camera that turns': {
      camera: around(
        (t) => 0.012 * t,
        () => 1,
      ),
      noise: 2,
    },
    'a camera in a shaking hand': { camera: shake, noise: 2 },
    'a camera whose rows are read one after the other': { camera: rollingShutter, noise: 2 },
    'a scene of two depths before a camera that goes sideways': { camera: parallax(1.3), noise: 2 },
    'a scene of two depths far apart': { camera: parallax(2), noise: 2 },
    'a scene whose smaller part is farther': { camera: parallax(0.5), noise: 2 },
    'a still scene with a noisy sensor': { noise: 6 },
    'a flickering light': { light: flicker, noise: 2 },
    'a flickering light over a pan': { camera: pan, light: flicker, noise: 2 },
    'a fade to black': { light: (t) => 1 - t / 30, noise: 1 },
    'a slow fade to black over a pan': { camera: pan, light: (t) => 1 - t / 45, noise: 1 },
    'a fade in from white': { light: (t) => 1 + 1.5 * Math.max(0, 1 - t / 12) },
    'a subtitle over a pan': { camera: pan, overlay: text(60, 200, 24, 2), noise: 2 },
    'a subtitle that appears over a still scene': {
      overlay: (x, y, t) => (t >= 4 ? text(60, 200, 24, 2)(x, y) : undefined),
      noise: 2,
    },
    'a burnt-in logo over a pan': { camera: pan, overlay: text(270, 12, 5, 2), noise: 2 },
    'a burnt-in logo over a zoom': {
      camera: around(
        () => 0,
        (t) => 0.985 ** t,
      ),
      overlay: text(12, 12, 5, 3),
      noise: 2,
    },
    'a burnt-in logo before a shaking hand': { camera: shake, overlay: text(250, 200, 6, 2), noise: 2 },
  };
  for (const [name, scene] of Object.entries(nothing)) {
    it(`takes nothing from ${name}`, async () => {
      const { pairs, step } = await mine(film(scene));
      assert.equal(pairs.length, 0, JSON.stringify(step));
      assert.notEqual(step.outcome, 'tracked', JSON.stringify(step));
    });
  }

  it('takes nothing from the noise of strong compression', async function () {
    const folder = await mkdtemp(path.join(tmpdir(), 'known-motion-'));
    try {
      for (const [name, scene] of [
        ['still', { noise: 3 }],
        ['pan', { camera: pan, noise: 3 }],
      ] as const) {
        const file = path.join(folder, `${name}.mp4`);
        await encodeVideo(colourOf(film(scene)), file, { fps: 25, quality: 42 });
        const { pairs, step } = await mine(decodeFrames(file));
        assert.equal(pairs.length, 0, JSON.stringify(step));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const crossing = (side: number): Square => ({ side, seed: 31, at: (t) => ({ x: 70 + 3 * t, y: 90 + 0.8 * t }) });
  const assertOn = (box: Box, { side, at }: Square, t: number): void => {
    const object = { ...at(t), width: side, height: side };
    assert.ok(area(intersect(box, object)) > 0.7 * area(object), `frame ${t}: ${JSON.stringify({ box, object })}`);
    assert.ok(iou(box, object) > 0.35, `frame ${t}: ${JSON.stringify({ box, object })}`);
  };
  for (const [name, camera] of [
    ['a still scene', still],
    ['a scene that the camera pans over', (x, y, t) => [x + 1.6 * t, y - 0.5 * t]],
    [
      'a scene that the camera zooms into',
      around(
        () => 0,
        (t) => 0.993 ** t,
      ),
    ],
    ['a scene held in a shaking hand', shake],
  ] as const satisfies readonly (readonly [string, Map2])[]) {
    for (const side of [56, 90]) {
      it(`follows an object of ${side} pixels that crosses ${name}, in a window of its size`, async () => {
        const square = crossing(side);
        const { pairs, step, log } = await mine(film({ camera, squares: [square], noise: 2 }));
        assert.equal(pairs.length, 1, JSON.stringify([step, log]));
        assertOn(pairs[0].record.boxes[0], square, 0);
        assertOn(pairs[0].record.boxes[30], square, 30);
      });
    }
  }

  it('gives each of two objects a window, and the windows do not overlap', async () => {
    const squares: Square[] = [
      { side: 60, seed: 31, at: (t) => ({ x: 20 + 2.5 * t, y: 30 }) },
      { side: 48, seed: 32, at: (t) => ({ x: 250 - 3 * t, y: 160 - 0.5 * t }) },
    ];
    const { pairs } = await mine(film({ squares, noise: 2 }));
    assert.equal(pairs.length, 2);
    const boxes = pairs.map(({ record }) => record.boxes[0]);
    assert.equal(area(intersect(boxes[0], boxes[1])), 0);
    for (const square of squares) {
      const held = boxes.filter((box) => iou(box, { ...square.at(0), width: square.side, height: square.side }) > 0.4);
      assert.equal(held.length, 1);
    }
  });

  it('keeps the rule of the paper as a mode, which refuses what is small', async () => {
    const { step } = await mine(film({ squares: [crossing(44)] }), { motion: 'paper', window: 'fixed' });
    assert.equal(step.outcome, 'too-little-motion');
  });

  it('puts on record what decided', async () => {
    const { step } = await mine(film({ camera: pan, overlay: text(60, 200, 24, 2), noise: 2 }));
    assert.deepEqual(
      step.clusters?.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'overlay'),
      [],
    );
    assert.ok(step.clusters!.length > 0);
    assert.equal(step.camera?.model, 'homography');
    assert.ok(Math.abs(step.camera.motionPx - 10 * Math.hypot(2.6, 1.3)) < 1, JSON.stringify(step.camera));
    assert.ok(
      step.camera.noisePx < 1 && step.camera.thresholdPx >= 2 * Math.sqrt((width * height) / (448 * 600)) - 1e-3,
    );
    const tripod = await mine(film({ noise: 2 }));
    assert.equal(tripod.step.camera?.model, 'still');
  });
});

function* colourOf(frames: Iterable<VideoFrame>): Generator<Raster> {
  for (const frame of frames) yield toRgb(frame);
}
