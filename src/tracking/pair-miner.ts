import { iou, moveInside, shareInside, type Box } from '../numeric/box.js';
import { RandomStream } from '../numeric/random.js';
import type { Raster } from '../numeric/raster.js';
import type { PairRecord } from '../shards/pair-record.js';
import { rgbPatch, toRgb } from '../video/frame-colour.js';
import type { VideoFrame } from '../video/frame.js';
import { halfLuma } from '../video/half-luma.js';
import { CameraMotion, type PointList, type PointMotion } from './camera-motion.js';
import type { GreyImage } from './grey-image.js';
import { KcfTracker, kcfDefaults } from './kcf.js';
import type { MiningEvidence } from './mining-evidence.js';
import { MiningTally, type MiningDecision, type MiningSummary, type TrackDecision } from './mining-log.js';
import { checkMiningOptions, type FullMiningOptions, type MiningOptions } from './mining-options.js';
import { evenPositions, Reservoir, type TrackStrip } from './track-strip.js';
import { chooseWindows } from './windows.js';

/** A mined pair: what is known of it, both ends, and the `untracked` control (the first box in the last frame). */
export type MinedPair = { readonly record: PairRecord; readonly a: Raster; readonly b: Raster; readonly u: Raster };

/** Which video is mined. */
export type MinedVideo = { readonly sha256: string; readonly label: string };

/** A frame that a later time-step may still need. */
type Held = { readonly frame: VideoFrame; readonly shot: number; tracking: GreyImage | undefined };

type Candidate = {
  readonly box: Box;
  readonly window: number;
  readonly movingShare: number;
  readonly movingPointsInside: number;
  readonly points: number;
  readonly meanMotionPx: number;
  /** Where the moving points of the window are `followFrames` later, pixels of the frame; those lost are left out. */
  readonly followed: readonly (readonly [x: number, y: number])[];
};

/** Fewer followed points than this say nothing about a track. */
const MIN_FOLLOWED = 5;

/** Area of the frames that the paper's pixels are meant for. */
const PAPER_AREA = 448 * 600;
/** Motion is measured on half-size luma where that still has this many pixels on its shorter side. */
const MIN_MOTION_SIDE = 160;

const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;
const roundBox = ({ x, y, width, height }: Box): Box => ({
  x: round(x, 2),
  y: round(y, 2),
  width: round(width, 2),
  height: round(height, 2),
});

/**
 * Mines pairs of patches out of one video, frame by frame (Wang & Gupta 2015, section 3): at every time-step the window that holds
 * most moving points is tracked for `trackFrames` frames; its first and last patch are the pair. A time-step is decided
 * once its last frame is there, so that the end of the clip or a cut costs nothing and memory holds `trackFrames + 1`
 * frames. Tracks are then run backwards over the same frames, and every decision is reported.
 */
export class PairMiner {
  readonly #options: FullMiningOptions;
  readonly #video: MinedVideo;
  readonly #decide: (decision: MiningDecision, evidence: MiningEvidence) => void;
  readonly #tally = new MiningTally();
  readonly #strips: Reservoir<TrackStrip>;
  readonly #tracker: KcfTracker;
  readonly #held: Held[] = [];
  #motion: CameraMotion | undefined;
  /** Pixels of the frames at hand for one of the paper's. */
  #scale = 1;
  /** How often luma is halved for motion and for tracking. */
  #motionHalvings = 0;
  #trackingHalvings = 0;
  #windowPx = 0;

  constructor(
    video: MinedVideo,
    options: MiningOptions = {},
    decide: (decision: MiningDecision, evidence: MiningEvidence) => void = () => {},
  ) {
    this.#video = video;
    this.#options = checkMiningOptions(options);
    this.#decide = decide;
    this.#tracker = new KcfTracker(this.#options.kcf);
    this.#strips = new Reservoir(
      this.#options.strips,
      RandomStream.of(this.#options.seed, 'track strips', video.sha256),
    );
  }

  /** Takes the next frame and the number of its shot; returns the pairs that end with it. */
  push(frame: VideoFrame, shot: number): MinedPair[] {
    const first = this.#held[0]?.frame;
    if (first === undefined) this.#prepare(frame);
    else if (first.width !== frame.width || first.height !== frame.height) {
      throw new Error(
        `Expected frame ${frame.index} to measure ${first.width} x ${first.height}, got \`${frame.width} x ${frame.height}\``,
      );
    }
    this.#tally.countFrame();
    this.#held.push({ frame, shot, tracking: undefined });
    if (this.#held.length <= this.#options.trackFrames) return [];
    const pairs = this.#isStep(this.#held[0].frame) ? this.#decideStep() : [];
    this.#held.shift();
    return pairs;
  }

  /** The video has ended: the time-steps that would have needed more frames are reported, and memory is freed. */
  finish(): void {
    for (const { frame, shot } of this.#held.splice(0)) {
      if (this.#isStep(frame)) this.#report({ kind: 'step', frame: frame.index, shot, outcome: 'clip-ends' });
    }
    this.dispose();
  }

  /** Frees what lies outside JavaScript's memory, without deciding anything; harmless after `finish`. */
  dispose(): void {
    this.#motion?.dispose();
    this.#motion = undefined;
  }

  get summary(): MiningSummary {
    return this.#tally.summary();
  }

  /** Tracks kept for a figure. */
  get strips(): readonly TrackStrip[] {
    return this.#strips.kept;
  }

  #isStep(frame: VideoFrame): boolean {
    return frame.index % this.#options.stepFrames === 0;
  }

  #report(decision: MiningDecision, evidence: MiningEvidence = {}): void {
    this.#tally.count(decision);
    this.#decide(decision, evidence);
  }

  #prepare({ width, height }: VideoFrame): void {
    const options = this.#options;
    const shorter = Math.min(width, height);
    this.#scale = Math.sqrt((width * height) / PAPER_AREA);
    this.#windowPx = Math.min(options.windowPx * this.#scale, shorter);
    this.#motionHalvings = shorter / 2 >= MIN_MOTION_SIDE ? 1 : 0;
    // The smallest luma that still has a pixel for each template pixel: halving averages, where sampling would alias.
    const padding = options.kcf.padding ?? kcfDefaults.padding;
    const templatePx = options.kcf.templatePx ?? kcfDefaults.templatePx;
    this.#trackingHalvings = Math.max(0, Math.floor(Math.log2((this.#windowPx * padding) / templatePx)));
    const factor = this.#scale / 2 ** this.#motionHalvings;
    this.#motion = new CameraMotion({
      maxPoints: options.maxPoints,
      quality: 0.01,
      minDistancePx: Math.max(2, 8 * factor),
      flowWindowPx: 15,
      pyramidLevels: 3,
      maxReturnPx: options.maxReturnPx * factor,
      homographyPx: options.homographyPx * factor,
    });
  }

  /** Decides the time-step that starts with the oldest held frame and ends with the newest. */
  #decideStep(): MinedPair[] {
    const { frame, shot } = this.#held[0];
    if (this.#held[this.#held.length - 1].shot !== shot) {
      this.#report({ kind: 'step', frame: frame.index, shot, outcome: 'shot-cut' });
      return [];
    }
    return this.#findCandidates().flatMap((candidate) => this.#track(candidate) ?? []);
  }

  #findCandidates(): Candidate[] {
    const options = this.#options;
    const { frame, shot } = this.#held[0];
    const plane = halve(frame, this.#motionHalvings);
    const motion = (this.#motion as CameraMotion).measure(plane, halve(this.#held[1].frame, this.#motionHalvings));
    const toFrame = 2 ** this.#motionHalvings;
    const step = { kind: 'step', frame: frame.index, shot, points: motion.count } as const;
    if (motion.count < options.minPoints) {
      this.#report({ ...step, outcome: 'too-few-points' }, { motion, toFrame });
      return [];
    }
    if (motion.residual.length === 0) {
      this.#report({ ...step, outcome: 'no-camera' }, { motion, toFrame });
      return [];
    }
    const threshold = (options.minMotionPx * this.#scale) / toFrame;
    const moving: number[] = [];
    for (let i = 0; i < motion.count; i++) if (motion.residual[i] > threshold) moving.push(i);
    const movingShare = moving.length / motion.count;
    const numbers = { ...step, movingPoints: moving.length, movingShare: round(movingShare, 4) };
    if (movingShare < options.minMovingShare || movingShare > options.maxMovingShare) {
      const outcome = movingShare < options.minMovingShare ? 'too-little-motion' : 'too-much-motion';
      this.#report({ ...numbers, outcome }, { motion, toFrame, moving });
      return [];
    }
    const side = Math.min(plane.width, plane.height, Math.max(1, Math.round(this.#windowPx / toFrame)));
    const windows = chooseWindows(
      { x: moving.map((i) => motion.x[i]), y: moving.map((i) => motion.y[i]) },
      {
        width: plane.width,
        height: plane.height,
        side,
        minCount: options.minMovingPoints,
        maxWindows: options.maxWindows,
      },
    );
    const followed = this.#followMoving(windows.length > 0 ? moving : [], motion);
    const counts = windows.map(({ count }) => count);
    const boxes = windows.map(({ x, y }) => scaleBox({ x, y, width: side, height: side }, toFrame));
    this.#report(
      { ...numbers, windows: counts, outcome: windows.length > 0 ? 'tracked' : 'no-window' },
      { motion, toFrame, moving, windows: boxes },
    );
    return windows.map(({ x, y, count }, window) => {
      let sum = 0;
      const ends: [number, number][] = [];
      moving.forEach((i, k) => {
        const inside = motion.x[i] >= x && motion.x[i] < x + side && motion.y[i] >= y && motion.y[i] < y + side;
        if (!inside) return;
        sum += motion.residual[i] * toFrame;
        if (!Number.isNaN(followed.x[k])) ends.push([followed.x[k] * toFrame, followed.y[k] * toFrame]);
      });
      return {
        box: boxes[window],
        ...{ window, movingShare: numbers.movingShare, movingPointsInside: count, points: motion.count },
        meanMotionPx: round(sum / count, 3),
        followed: ends,
      };
    });
  }

  /** Follows the moving points over `followFrames` frames, at the size at which motion is measured. */
  #followMoving(moving: readonly number[], motion: PointMotion): PointList {
    const points = {
      x: Float32Array.from(moving, (i) => motion.x[i]),
      y: Float32Array.from(moving, (i) => motion.y[i]),
    };
    if (this.#options.minFollowedShare === 0) return points;
    const images = this.#held.slice(0, this.#followSpan + 1).map(({ frame }) => halve(frame, this.#motionHalvings));
    return (this.#motion as CameraMotion).follow(images, points);
  }

  get #followSpan(): number {
    return Math.min(this.#options.followFrames, this.#options.trackFrames);
  }

  #track(candidate: Candidate): MinedPair | undefined {
    const options = this.#options;
    const held = this.#held;
    const last = held.length - 1;
    const { frame: start } = held[0];
    const { frame: end } = held[last];
    const shrink = 2 ** this.#trackingHalvings;
    const boxes: Box[] = [candidate.box];
    const peaks: number[] = [];
    let minPeak = Infinity;
    let minPeakToSidelobe = Infinity;
    const decide = (outcome: TrackDecision['outcome'], numbers: Partial<TrackDecision> = {}): void =>
      this.#report(
        {
          kind: 'track',
          frame: start.index,
          window: candidate.window,
          outcome,
          minPeak: round(minPeak, 4),
          minPeakToSidelobe: round(minPeakToSidelobe, 2),
          ...numbers,
        },
        { boxes, peaks },
      );

    const tracker = this.#tracker;
    tracker.start(this.#tracking(0), scaleBox(candidate.box, 1 / shrink));
    for (let i = 1; i <= last; i++) {
      const update = tracker.update(this.#tracking(i));
      minPeak = Math.min(minPeak, update.peak);
      minPeakToSidelobe = Math.min(minPeakToSidelobe, update.peakToSidelobe);
      peaks.push(round(update.peak, 4));
      boxes.push(roundBox(scaleBox(update.box, shrink)));
      if (update.peak < options.minPeak) {
        decide('lost', { lostAt: held[i].frame.index });
        return undefined;
      }
    }

    const first = boxes[0];
    const final = boxes[last];
    const numbers: { -readonly [Name in keyof TrackDecision]?: TrackDecision[Name] } = {};
    if (options.minFollowedShare > 0 && candidate.followed.length >= MIN_FOLLOWED) {
      const box = boxes[this.#followSpan];
      const kept = candidate.followed.filter(
        ([x, y]) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height,
      );
      numbers.followedShare = round(kept.length / candidate.followed.length, 4);
      if (numbers.followedShare < options.minFollowedShare) return void decide('left-behind', numbers);
    }
    const inside = shareInside(final, end.width, end.height);
    numbers.shareInside = round(inside, 4);
    if (inside < options.minShareInside) return void decide('end-outside', numbers);
    const side = Math.min(final.width, final.height);
    numbers.sidePx = side;
    if (side < options.minSidePx * this.#scale) return void decide('too-small', numbers);
    const contrast = Math.min(lumaContrast(start, first), lumaContrast(end, final));
    numbers.contrast = round(contrast, 2);
    if (contrast < options.minContrast) return void decide('blank', numbers);
    const travel = Math.hypot(
      final.x + final.width / 2 - first.x - first.width / 2,
      final.y + final.height / 2 - first.y - first.height / 2,
    );
    numbers.travelPx = round(travel, 2);
    if (travel < options.minTravelPx * this.#scale) return void decide('too-still', numbers);

    tracker.start(this.#tracking(last), scaleBox(final, 1 / shrink));
    for (let i = last - 1; i >= 0; i--) tracker.update(this.#tracking(i));
    const forwardBackwardIou = round(iou(first, scaleBox(tracker.box, shrink)), 4);
    numbers.forwardBackwardIou = forwardBackwardIou;
    if (forwardBackwardIou < options.minForwardBackwardIou) return void decide('forward-backward', numbers);
    decide('pair', numbers);

    const { sha256, label } = this.#video;
    const key = `${sha256.slice(0, 12)}-${start.index}-${candidate.window}`;
    this.#strips.offer(() => this.#strip(key, boxes));
    const accepted =
      `${candidate.movingPointsInside} moving points inside (${(100 * candidate.movingShare).toFixed(0)} % of all move); ` +
      `lowest peak ${minPeak.toFixed(2)}, back again with overlap ${forwardBackwardIou.toFixed(2)}`;
    const { movingShare, movingPointsInside, points, meanMotionPx } = candidate;
    return {
      record: {
        key,
        video: sha256,
        videoLabel: label,
        workingSize: [start.width, start.height],
        shot: held[0].shot,
        startFrame: start.index,
        endFrame: end.index,
        startTime: start.time,
        endTime: end.time,
        boxes,
        peaks,
        minPeak: round(minPeak, 4),
        forwardBackwardIou,
        movingShare,
        movingPointsInside,
        points,
        meanMotionPx,
        accepted,
        untrackedBox: first,
      },
      a: rgbPatch(start, first, options.patchPx),
      // A box that reaches out of the frame would be filled up with streaks, which a network learns to recognise.
      b: rgbPatch(end, moveInside(final, end.width, end.height), options.patchPx),
      u: rgbPatch(end, first, options.patchPx),
    };
  }

  /** Luma of a held frame for the tracker, made when first asked for: most frames are never tracked through. */
  #tracking(position: number): GreyImage {
    const held = this.#held[position];
    return (held.tracking ??= halve(held.frame, this.#trackingHalvings));
  }

  #strip(key: string, boxes: readonly Box[]): TrackStrip {
    const positions = evenPositions(this.#held.length - 1, this.#options.stripFrames);
    return {
      key,
      frames: positions.map((position) => this.#held[position].frame.index),
      rasters: positions.map((position) => toRgb(this.#held[position].frame)),
      boxes: positions.map((position) => boxes[position]),
    };
  }
}

const scaleBox = ({ x, y, width, height }: Box, factor: number): Box => ({
  x: x * factor,
  y: y * factor,
  width: width * factor,
  height: height * factor,
});

const halve = (frame: VideoFrame, times: number): GreyImage => {
  let plane = { width: frame.width, height: frame.height, y: frame.y };
  for (let i = 0; i < times; i++) plane = halfLuma(plane);
  return { width: plane.width, height: plane.height, data: plane.y };
};

/** Standard deviation of luma inside a box, every second pixel each way. */
const lumaContrast = ({ y, width, height }: VideoFrame, box: Box): number => {
  const right = Math.min(width, Math.ceil(box.x + box.width));
  const bottom = Math.min(height, Math.ceil(box.y + box.height));
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let row = Math.max(0, Math.floor(box.y)); row < bottom; row += 2) {
    for (let column = Math.max(0, Math.floor(box.x)); column < right; column += 2) {
      const value = y[row * width + column];
      count++;
      sum += value;
      squares += value * value;
    }
  }
  return count > 0 ? Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) : 0;
};
