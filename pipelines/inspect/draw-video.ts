import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeJpeg } from '../../src/drawing/image-file.js';
import { sideBySide } from '../../src/drawing/contact-sheet.js';
import { drawPath, fillDisc, markBox, type Point } from '../../src/drawing/marks.js';
import {
  drawFlow,
  drawResidual,
  keptColour,
  magnification,
  refusedColour,
  vectorLengths,
  type MotionMarks,
  type WindowMark,
} from '../../src/drawing/motion-picture.js';
import { markColours } from '../../src/drawing/primitives.js';
import { resizeRaster } from '../../src/drawing/resize.js';
import { moveInside, type Box } from '../../src/numeric/box.js';
import type { Raster } from '../../src/numeric/raster.js';
import type { CameraNumbers, InspectedPicture, InspectedStep } from '../../src/report/inspect/inspected-video.js';
import { isKept, placeOf, type LoggedDecision } from '../../src/report/inspect/logged-decision.js';
import { evenPositions } from '../../src/tracking/track-strip.js';
import { decodeFrames, type DecodeOptions } from '../../src/video/decode-frames.js';
import { rgbPatch, toRgb } from '../../src/video/frame-colour.js';
import type { VideoFrame } from '../../src/video/frame.js';
import type { MinedAgain, SeenStep } from './mine-again.js';

const stepPx = 440;
const stripHeight = 132;
const stripFrames = 6;
const patchPx = 128;
const quality = 80;
/** Vectors are drawn so much longer that all but the longest tenth stay below this. */
const vectorPx = 18;

/** Where pictures go: a folder, and what it is called from the page. */
export type PictureFolder = { readonly folder: string; readonly href: string };

/** A track's pictures. `a` and `b` are cut out where it is not a pair, whose shard has them. */
export type DrawnTrack = {
  readonly strip: InspectedPicture;
  readonly frames: readonly number[];
  readonly a: InspectedPicture | undefined;
  readonly b: InspectedPicture | undefined;
};

/** Pictures of a video by `placeOf` of the decision. */
export type DrawnVideo = {
  readonly steps: ReadonlyMap<string, InspectedStep>;
  readonly tracks: ReadonlyMap<string, DrawnTrack>;
};

/** Writes a JPEG; returns it as the page names it. */
export const writePicture = async (
  { folder, href }: PictureFolder,
  name: string,
  raster: Raster,
): Promise<InspectedPicture> => {
  await writeFile(path.join(folder, name), await encodeJpeg(raster, quality));
  return { href: `${href}/${name}`, width: raster.width, height: raster.height };
};

const scaleBox = ({ x, y, width, height }: Box, times: number): Box => ({
  x: x * times,
  y: y * times,
  width: width * times,
  height: height * times,
});

const resized = (raster: Raster, times: number): Raster =>
  resizeRaster(raster, Math.max(1, Math.round(raster.width * times)), Math.max(1, Math.round(raster.height * times)));

const projected = (h: readonly number[], [x, y]: Point): Point => {
  const w = h[6]! * x + h[7]! * y + h[8]!;
  return [(h[0]! * x + h[1]! * y + h[2]!) / w, (h[3]! * x + h[4]! * y + h[5]!) / w];
};

/** The camera's motion at the centre of the frame, from the homography and its derivative there. */
export const cameraNumbers = (h: readonly number[], width: number, height: number): CameraNumbers => {
  const centre: Point = [width / 2, height / 2];
  const [x, y] = projected(h, centre);
  const step = 1;
  const [right, rightY] = projected(h, [centre[0] + step, centre[1]]);
  const [below, belowY] = projected(h, [centre[0], centre[1] + step]);
  const [a, b, c, d] = [right - x, below - x, rightY - y, belowY - y];
  return {
    shiftX: x - centre[0],
    shiftY: y - centre[1],
    zoom: Math.sqrt(Math.abs(a * d - b * c)),
    turn: (Math.atan2(c - b, a + d) * 180) / Math.PI,
  };
};

const marksOf = ({ fromX, fromY, toX, toY, moving, homography }: SeenStep, times: number): MotionMarks => {
  const pointsOf = (x: Float32Array, y: Float32Array): Point[] =>
    Array.from(x, (one, i) => [one * times, y[i]! * times]);
  // A point that was lost on the way has no end.
  const kept = Array.from(fromX.keys()).filter((i) => Number.isFinite(toX[i]) && Number.isFinite(toY[i]));
  const from = pointsOf(fromX, fromY);
  const to = pointsOf(toX, toY);
  return {
    from: kept.map((i) => from[i]!),
    to: kept.map((i) => to[i]!),
    moving: kept.map((i) => moving.has(i)),
    ...(homography && {
      camera: ([x, y]: Point): Point => {
        const [u, v] = projected(homography, [x / times, y / times]);
        return [u * times, v * times];
      },
    }),
  };
};

/** The windows of a time-step with what became of the tracks that are known. */
const windowMarks = (
  seen: SeenStep,
  frame: number,
  tracks: MinedAgain['tracks'],
  log: ReadonlyMap<string, LoggedDecision>,
  times: number,
): WindowMark[] =>
  seen.windows.map((box, window) => {
    const place = placeOf({ kind: 'track', frame, window });
    const decision = log.get(place);
    const boxes = tracks.get(place)?.boxes.map((one) => scaleBox(one, times));
    return {
      box: scaleBox(box, times),
      label: decision === undefined ? `${window}` : `${window} ${decision.outcome}`,
      ...(decision && { kept: isKept(decision) }),
      ...(boxes && { track: boxes }),
    };
  });

const drawStep = async (
  frame: VideoFrame,
  decision: LoggedDecision,
  seen: SeenStep,
  windows: (times: number) => WindowMark[],
  place: PictureFolder,
): Promise<InspectedStep> => {
  const times = Math.min(1, stepPx / Math.max(frame.width, frame.height));
  const ground = resized(toRgb(frame), times);
  const marks = marksOf(seen, times);
  const lengths = vectorLengths(marks);
  const longer = { flow: magnification(lengths.flow, vectorPx), residual: magnification(lengths.residual, vectorPx) };
  const name = `step-${decision.frame}`;
  return {
    decision,
    flow: await writePicture(place, `${name}-flow.jpg`, drawFlow(ground, marks, longer.flow)),
    residual: await writePicture(
      place,
      `${name}-residual.jpg`,
      drawResidual(ground, marks, longer.residual, windows(times)),
    ),
    times: longer,
    spanFrames: seen.spanFrames,
    camera: seen.homography && cameraNumbers(seen.homography, frame.width, frame.height),
  };
};

/** Collects the frames of one track as they come, small. */
class StripPainter {
  readonly #boxes: readonly Box[];
  readonly #decision: LoggedDecision;
  readonly #panels: Raster[] = [];
  readonly #ends: { a?: Raster; b?: Raster } = {};
  /** Positions on the track that are shown. */
  readonly positions: readonly number[];

  constructor(decision: LoggedDecision, boxes: readonly Box[]) {
    this.#decision = decision;
    this.#boxes = boxes;
    this.positions = evenPositions(boxes.length - 1, stripFrames);
  }

  add(frame: VideoFrame, position: number): void {
    const times = stripHeight / frame.height;
    const panel = resized(toRgb(frame), times);
    const boxes = this.#boxes.map((box) => scaleBox(box, times));
    const last = this.#boxes.length - 1;
    const colour = position < last ? markColours[0]! : isKept(this.#decision) ? keptColour : refusedColour;
    if (position === last) {
      const centres = boxes.map(({ x, y, width, height }): Point => [x + width / 2, y + height / 2]);
      drawPath(panel, centres, colour);
      fillDisc(panel, centres.at(-1)!, 2, colour);
    }
    markBox(panel, boxes[position]!, colour, 2);
    this.#panels.push(panel);
    if (isKept(this.#decision)) return;
    const patch = (): Raster => rgbPatch(frame, moveInside(this.#boxes[position]!, frame.width, frame.height), patchPx);
    if (position === 0) this.#ends.a = patch();
    if (position === last) this.#ends.b = patch();
  }

  get whole(): boolean {
    return this.#panels.length === this.positions.length;
  }

  async write(place: PictureFolder): Promise<DrawnTrack> {
    const { frame, window = 0 } = this.#decision;
    const name = `track-${frame}-${window}`;
    const { a, b } = this.#ends;
    return {
      strip: await writePicture(place, `${name}.jpg`, sideBySide(this.#panels, stripHeight)),
      frames: this.positions.map((position) => frame + position),
      a: a && (await writePicture(place, `${name}-a.jpg`, a)),
      b: b && (await writePicture(place, `${name}-b.jpg`, b)),
    };
  }
}

/**
 * Decodes a video once more and draws the time-steps and tracks that mining it again showed, each as soon as its last frame is
 * there; decoding ends with the last frame that is needed. `strips` says which tracks get pictures of their own; the others only
 * stand on the key frames.
 */
export const drawVideo = async (
  file: string,
  decoding: DecodeOptions,
  seen: MinedAgain,
  decisions: readonly LoggedDecision[],
  strips: ReadonlySet<string>,
  place: PictureFolder,
): Promise<DrawnVideo> => {
  const log = new Map(decisions.map((decision) => [placeOf(decision), decision]));
  const steps = new Map<string, InspectedStep>();
  const tracks = new Map<string, DrawnTrack>();
  const wanted = new Map<number, ((frame: VideoFrame) => Promise<void>)[]>();
  const want = (index: number, paint: (frame: VideoFrame) => Promise<void>): void => {
    const list = wanted.get(index) ?? [];
    list.push(paint);
    wanted.set(index, list);
  };
  for (const [key, step] of seen.steps) {
    const decision = log.get(key);
    if (decision === undefined) continue;
    want(decision.frame, async (frame) => {
      const windows = (times: number): WindowMark[] => windowMarks(step, decision.frame, seen.tracks, log, times);
      steps.set(key, await drawStep(frame, decision, step, windows, place));
    });
  }
  for (const [key, { boxes }] of seen.tracks) {
    const decision = log.get(key);
    if (decision === undefined || !strips.has(key)) continue;
    const painter = new StripPainter(decision, boxes);
    for (const position of painter.positions) {
      want(decision.frame + position, async (frame) => {
        painter.add(frame, position);
        if (painter.whole) tracks.set(key, await painter.write(place));
      });
    }
  }
  if (wanted.size === 0) return { steps, tracks };
  const last = Math.max(...wanted.keys());
  for await (const frame of decodeFrames(file, decoding)) {
    for (const paint of wanted.get(frame.index) ?? []) await paint(frame);
    if (frame.index >= last) break;
  }
  return { steps, tracks };
};
