import { iou, moveInside, shareInside, type Box } from '../numeric/box.js';
import { RandomStream } from '../numeric/random.js';
import type { Raster } from '../numeric/raster.js';
import type { PairRecord } from '../shards/pair-record.js';
import { rgbPatch, toRgb } from '../video/frame-colour.js';
import type { VideoFrame } from '../video/frame.js';
import { halfLuma } from '../video/half-luma.js';
import { CameraMotion } from './camera-motion.js';
import { findByClusters, findByGlobalShare, type Candidate } from './find-candidates.js';
import type { GreyImage } from './grey-image.js';
import { KcfTracker, kcfDefaults } from './kcf.js';
import type { MiningEvidence } from './mining-evidence.js';
import { MiningTally, type MiningDecision, type MiningSummary, type TrackDecision } from './mining-log.js';
import { MinedLooks } from './mined-looks.js';
import { checkMiningOptions, type FullMiningOptions, type MiningOptions } from './mining-options.js';
import { changeScore, pairChange } from './pair-change.js';
import { PatchLooker, type PatchLook } from './patch-look.js';
import { evenPositions, Reservoir, type TrackStrip } from './track-strip.js';

/** A mined pair: what is known of it, both ends, and the `untracked` control (the first box in the last frame). */
export type MinedPair = {
  readonly record: PairRecord;
  /** Number of its window in its time-step, and what it is worth beside others of its video, above 0; see `PairCap`. */
  readonly window: number;
  readonly quality: number;
  readonly a: Raster;
  readonly b: Raster;
  readonly u: Raster;
};

/** Which video is mined. */
export type MinedVideo = { readonly sha256: string; readonly label: string };

/** A frame that a later time-step may still need. */
type Held = {
  readonly frame: VideoFrame;
  readonly shot: number;
  /** Luma, halved 0, 1, 2, … times; made when first asked for. */
  readonly luma: GreyImage[];
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
 * Mines pairs of patches out of one video, frame by frame (Wang & Gupta 2015, section 3): at every time-step the windows on what
 * moves (`findByClusters`, or `findByGlobalShare` for the rule of the paper) are tracked for `trackFrames` frames; the first and
 * last patch of a track are the pair, if it passes what `MiningOptions` ask of it. A time-step is decided
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
  readonly #looker = new PatchLooker();
  readonly #looks: MinedLooks;
  readonly #held: Held[] = [];
  #motion: CameraMotion | undefined;
  /** Pixels of the frames at hand for one of the paper's. */
  #scale = 1;
  /** How often luma is halved for motion. */
  #motionHalvings = 0;

  constructor(
    video: MinedVideo,
    options: MiningOptions = {},
    decide: (decision: MiningDecision, evidence: MiningEvidence) => void = () => {},
  ) {
    this.#video = video;
    this.#options = checkMiningOptions(options);
    this.#decide = decide;
    this.#looks = new MinedLooks(this.#options.trackFrames);
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
    this.#held.push({ frame, shot, luma: [{ width: frame.width, height: frame.height, data: frame.y }] });
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

  /** Reports a pair that had to make room for others of this video. */
  crowdOut({ record, window, quality }: MinedPair): void {
    const frame = record.startFrame;
    this.#report({ kind: 'selection', frame, window, outcome: 'crowded-out', quality: round(quality, 4) });
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
    this.#motionHalvings = shorter / 2 >= MIN_MOTION_SIDE ? 1 : 0;
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

  #findCandidates(): readonly Candidate[] {
    const options = this.#options;
    const [{ frame, shot }] = this.#held;
    const find = options.motion === 'paper' ? findByGlobalShare : findByClusters;
    const { decision, candidates, evidence } = find(
      {
        motion: this.#motion as CameraMotion,
        image: (later) => this.#luma(later, this.#motionHalvings),
        toFrame: 2 ** this.#motionHalvings,
        scale: this.#scale,
        span: this.#followSpan,
      },
      options,
    );
    this.#report({ kind: 'step', frame: frame.index, shot, ...decision }, evidence);
    return candidates;
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
    const halvings = this.#trackingHalvings(candidate.box);
    const shrink = 2 ** halvings;
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
    tracker.start(this.#luma(0, halvings), scaleBox(candidate.box, 1 / shrink));
    for (let i = 1; i <= last; i++) {
      const update = tracker.update(this.#luma(i, halvings));
      minPeak = Math.min(minPeak, update.peak);
      minPeakToSidelobe = Math.min(minPeakToSidelobe, update.peakToSidelobe);
      peaks.push(round(update.peak, 4));
      boxes.push(roundBox(scaleBox(update.box, shrink)));
      if (update.peak < options.minPeak || update.peakToSidelobe < options.minPeakToSidelobe) {
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
    const lookA = this.#look(0, first);
    const lookB = this.#look(last, final);
    const sharpness = Math.min(lookA.sharpness, lookB.sharpness);
    numbers.sharpness = round(sharpness, 2);
    if (sharpness < options.minSharpness) return void decide('blurred', numbers);
    const change = pairChange(first, final, lookA, lookB);
    numbers.travelPx = round(change.travelPx, 2);
    numbers.scaleChange = round(change.scaleChange, 3);
    numbers.appearanceChange = round(change.appearanceChange, 4);
    if (change.travelPx < options.minTravelPx * this.#scale) return void decide('too-still', numbers);
    const changes = changeScore(change, Math.max(first.width, first.height), options);
    if (changes < 1) return void decide('too-alike', numbers);
    const look = { frame: start.index, first, last: final, a: lookA, b: lookB };
    const nearest = this.#looks.nearest(look);
    if (nearest !== undefined) {
      numbers.nearestFrame = nearest.frame;
      numbers.nearestLikeness = round(nearest.likeness, 4);
      if (nearest.likeness > options.maxLikeness) return void decide('duplicate', numbers);
    }

    tracker.start(this.#luma(last, halvings), scaleBox(final, 1 / shrink));
    for (let i = last - 1; i >= 0; i--) tracker.update(this.#luma(i, halvings));
    const forwardBackwardIou = round(iou(first, scaleBox(tracker.box, shrink)), 4);
    numbers.forwardBackwardIou = forwardBackwardIou;
    if (forwardBackwardIou < options.minForwardBackwardIou) return void decide('forward-backward', numbers);
    decide('pair', numbers);
    this.#looks.add(look);

    const { sha256, label } = this.#video;
    const key = `${sha256.slice(0, 12)}-${start.index}-${candidate.window}`;
    this.#strips.offer(() => this.#strip(key, boxes));
    const accepted =
      `${candidate.movingPointsInside} moving points inside (${(100 * candidate.movingShare).toFixed(0)} % of all move); ` +
      `lowest peak ${minPeak.toFixed(2)}, back again with overlap ${forwardBackwardIou.toFixed(2)}`;
    const { movingShare, movingPointsInside, points, meanMotionPx } = candidate;
    return {
      window: candidate.window,
      quality: forwardBackwardIou * Math.min(1, Math.max(0, minPeak)) * Math.min(2, changes),
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

  /** Luma of a held frame, halved so many times. */
  #luma(position: number, halvings: number): GreyImage {
    const { luma } = this.#held[position];
    while (luma.length <= halvings) luma.push(halved(luma[luma.length - 1]));
    return luma[halvings];
  }

  /** How often luma is halved to track a box: down to the smallest that still has a pixel for each template pixel; sampling a larger one would alias. */
  #trackingHalvings({ width, height }: Box): number {
    const { padding = kcfDefaults.padding, templatePx = kcfDefaults.templatePx } = this.#options.kcf;
    return Math.max(0, Math.floor(Math.log2((Math.max(width, height) * padding) / templatePx)));
  }

  #look(position: number, box: Box): PatchLook {
    const halvings = Math.max(0, Math.floor(Math.log2(Math.max(box.width, box.height) / 48)));
    return this.#looker.look(this.#luma(position, halvings), scaleBox(box, 1 / 2 ** halvings));
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

const halved = ({ width, height, data }: GreyImage): GreyImage => {
  const half = halfLuma({ width, height, y: data });
  return { width: half.width, height: half.height, data: half.y };
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
