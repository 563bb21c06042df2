import type { Box } from '../numeric/box.js';
import { mapPoint, type CameraFit } from './camera-model.js';
import type { CameraMotion, PointMotion } from './camera-motion.js';
import type { GreyImage } from './grey-image.js';
import { findLocalMotion, type MotionCluster } from './local-motion.js';
import type { MiningEvidence } from './mining-evidence.js';
import type { ClusterDecision, StepDecision } from './mining-log.js';
import type { FullMiningOptions } from './mining-options.js';
import type { PointList } from './point-list.js';
import { chooseRegionWindows } from './region-windows.js';
import { chooseWindows } from './windows.js';

/** A window worth tracking. */
export type Candidate = {
  /** Pixels of the frame. */
  readonly box: Box;
  readonly window: number;
  readonly movingShare: number;
  readonly movingPointsInside: number;
  readonly points: number;
  readonly meanMotionPx: number;
  /** Where the moving points of the window are `followFrames` later, pixels of the frame; those lost are left out. */
  readonly followed: readonly (readonly [x: number, y: number])[];
};

/** The frames from a time-step on, as motion sees them. */
export type MotionView = {
  readonly motion: CameraMotion;
  /** Luma so many frames later, at the size at which motion is measured. */
  readonly image: (later: number) => GreyImage;
  /** Pixels of the frame for one of those images, and for one of the paper's. */
  readonly toFrame: number;
  readonly scale: number;
  /** Frames that are there beyond the first, at least 1. */
  readonly span: number;
};

/** What a time-step came to, but for its place in the video. */
export type StepFinding = {
  readonly decision: Omit<StepDecision, 'kind' | 'frame' | 'shot'>;
  readonly candidates: readonly Candidate[];
  /** What it was taken on, for drawings. */
  readonly evidence: MiningEvidence;
};

const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
const scaled = ({ x, y, width, height }: Box, by: number): Box => ({
  x: round(x * by),
  y: round(y * by),
  width: round(width * by),
  height: round(height * by),
});
const none = (decision: StepFinding['decision'], evidence: MiningEvidence = {}): StepFinding => ({
  ...{ decision, evidence },
  candidates: [],
});

/** Windows by the rule of the paper: see `motion` of `MiningOptions`. */
export const findByGlobalShare = (view: MotionView, options: FullMiningOptions): StepFinding => {
  const { toFrame, scale } = view;
  const first = view.image(0);
  const motion = view.motion.measure(first, view.image(1));
  const seen = { motion, toFrame };
  if (motion.count < options.minPoints) return none({ points: motion.count, outcome: 'too-few-points' }, seen);
  if (motion.residual.length === 0) return none({ points: motion.count, outcome: 'no-camera' }, seen);
  const threshold = (options.minMotionPx * scale) / toFrame;
  const moving: number[] = [];
  for (let i = 0; i < motion.count; i++) if (motion.residual[i] > threshold) moving.push(i);
  const movingShare = moving.length / motion.count;
  const numbers = { points: motion.count, movingPoints: moving.length, movingShare: round(movingShare, 4) };
  const told = { ...seen, moving };
  if (movingShare < options.minMovingShare) return none({ ...numbers, outcome: 'too-little-motion' }, told);
  if (movingShare > options.maxMovingShare) return none({ ...numbers, outcome: 'too-much-motion' }, told);
  const start = { x: Float32Array.from(moving, (i) => motion.x[i]), y: Float32Array.from(moving, (i) => motion.y[i]) };
  const boxes = fixedWindows(start, view, options);
  const counts = boxes.map(({ count }) => count);
  const decision = {
    ...numbers,
    windows: counts,
    boxes: boxes.map(({ box }) => scaled(box, toFrame)),
    outcome: boxes.length > 0 ? ('tracked' as const) : ('no-window' as const),
  };
  const evidence = { ...told, windows: decision.boxes };
  if (boxes.length === 0) return none(decision, evidence);
  let end: PointList = start;
  if (options.minFollowedShare > 0) {
    const images = Array.from({ length: view.span + 1 }, (_, later) => view.image(later));
    end = view.motion.follow(images, start);
  }
  const speed = (k: number): number => motion.residual[moving[k]] * toFrame;
  const candidates = boxes.map(({ box }, window) => candidateOf(box, window, { start, end, speed, ...numbers }, view));
  return { decision, candidates, evidence };
};

/** Every second frame of the span, and its last: the flow of a small object is lost over longer steps, as its surroundings pull. */
const spanFrames = (span: number): number[] => [...Array.from({ length: Math.ceil(span / 2) }, (_, k) => 2 * k), span];

/** Windows by the local rule: see `motion` of `MiningOptions` and `findLocalMotion`. */
export const findByClusters = (view: MotionView, options: FullMiningOptions): StepFinding => {
  const { toFrame, scale } = view;
  const px = scale / toFrame;
  const images = spanFrames(view.span).map((later) => view.image(later));
  const [first] = images;
  const whole = view.motion.trace(images);
  const [start] = whole.positions;
  const points = start.x.length;
  if (points < options.minPoints) return none({ points, outcome: 'too-few-points' });
  const gain = round(whole.gain, 3);
  if (gain > options.maxGainChange || gain < 1 / options.maxGainChange)
    return none({ points, gain, outcome: 'light-change' });
  const stillPx = STILL_PX * px;
  const fits = whole.positions.slice(1).map((to) =>
    view.motion.fit(start, to, {
      ...{ width: first.width, height: first.height, stillPx },
      homographyPx: CAMERA_PX * options.homographyPx * px,
    }),
  );
  // A camera that goes too far for one homography over the whole span may have one over less of it.
  const cameras = fits.slice(0, fits.findLastIndex((fit) => fit !== undefined) + 1);
  const camera = cameras[cameras.length - 1];
  const seen = (frame: number, fit?: CameraFit): MiningEvidence => ({
    ...{ motion: motionOf(start, whole.positions[frame], fit), toFrame },
    spanFrames: spanFrames(view.span)[frame],
  });
  if (camera === undefined || cameras.length < MIN_POSITIONS)
    return none({ points, gain, outcome: 'no-camera' }, seen(1));
  const frames = spanFrames(view.span).slice(0, cameras.length + 1);
  const traces = { ...whole, positions: whole.positions.slice(0, cameras.length + 1) };
  const local = findLocalMotion(traces, cameras, {
    ...{ frames, stillPx },
    minResidualPx: (options.minResidualPx * px * frames[cameras.length]) / view.span,
    noiseFactor: options.noiseFactor,
    maxReturnPx: options.maxReturnPx * px,
    minClusterPoints: options.minClusterPoints,
    linkPx: options.linkPx * px,
    neighbourFactor: options.neighbourFactor,
  });
  const numbers = {
    ...{ points: local.followed, movingPoints: local.moving.length, gain },
    movingShare: local.followed > 0 ? round(local.moving.length / local.followed, 4) : 0,
    camera: {
      model: camera.model,
      frames: frames[cameras.length],
      motionPx: round(camera.motionPx * toFrame),
      inlierShare: round(camera.inlierShare, 4),
      noisePx: round(camera.noisePx * toFrame, 3),
      thresholdPx: round(local.thresholdPx * toFrame, 3),
    },
  };
  const told = { ...seen(cameras.length, camera), moving: local.moving };
  const movers = local.clusters.filter(({ outcome }) => outcome === 'moves');
  if (movers.length === 0) {
    const outcome = local.clusters.some((cluster) => cluster.outcome === 'like-neighbours')
      ? 'too-much-motion'
      : 'too-little-motion';
    const clusters = local.clusters.map((cluster) => logged(cluster, toFrame));
    return none({ ...numbers, outcome, clusters }, told);
  }
  const windows = clusterWindows(movers, start, view, options);
  const decision = {
    ...numbers,
    windows: windows.map(({ count }) => count),
    boxes: windows.map(({ box }) => scaled(box, toFrame)),
    clusters: local.clusters.map((cluster) => logged(cluster, toFrame, outcomeOf(cluster, movers, windows, options))),
    outcome: windows.length > 0 ? ('tracked' as const) : ('no-window' as const),
  };
  const end = whole.positions[whole.positions.length - 1];
  const candidates = windows.map(({ box, region }, window) => {
    const members = region === undefined ? movers.flatMap((cluster) => cluster.points) : movers[region].points;
    const pick = ({ x, y }: PointList): PointList => ({
      x: Float32Array.from(members, (i) => x[i]),
      y: Float32Array.from(members, (i) => y[i]),
    });
    const own = region === undefined ? undefined : movers[region];
    const speed = (): number => ((own ?? movers[0]).residualPx * toFrame) / frames[cameras.length];
    const { movingShare } = numbers;
    return candidateOf(
      box,
      window,
      { start: pick(start), end: pick(end), speed, movingShare, points: local.followed },
      view,
    );
  });
  return { decision, candidates, evidence: { ...told, windows: decision.boxes } };
};

/** Points between two frames as drawings have them; those that were lost have no second place. */
const motionOf = (from: PointList, to: PointList, camera: CameraFit | undefined): PointMotion => {
  const homography = Float64Array.from(camera?.homography ?? []);
  const residual = Float32Array.from(camera === undefined ? [] : from.x, (x, i) => {
    const [u, v] = mapPoint(homography, x, from.y[i]);
    return Math.hypot(to.x[i] - u, to.y[i] - v);
  });
  return { count: from.x.length, ...from, toX: to.x, toY: to.y, residual, homography };
};

/** Fewest positions after the first that a camera must be known at. */
const MIN_POSITIONS = 2;
/** The paper's pixels within which a point stands still, over the span: what flow cannot tell from nothing. */
const STILL_PX = 0.6;
/** Over ten frames a point may be so many times as far from the homography as over one, and still agree with it: lenses are not perfect. */
const CAMERA_PX = 1.5;

type Window = { readonly box: Box; readonly count: number; readonly region?: number };

const fixedWindows = (points: PointList, view: MotionView, options: FullMiningOptions): Window[] => {
  const { width, height } = view.image(0);
  const wanted = Math.round((options.windowPx * view.scale) / view.toFrame);
  const side = Math.min(width, height, Math.max(1, wanted));
  return chooseWindows(points, {
    ...{ width, height, side },
    ...{ minCount: options.minMovingPoints, maxWindows: options.maxWindows },
  }).map(({ x, y, count }) => ({ box: { x, y, width: side, height: side }, count }));
};

const clusterWindows = (
  movers: readonly MotionCluster[],
  { x, y }: PointList,
  view: MotionView,
  options: FullMiningOptions,
): Window[] => {
  if (options.window === 'fixed') {
    const members = movers.flatMap(({ points }) => points);
    const all = { x: Float32Array.from(members, (i) => x[i]), y: Float32Array.from(members, (i) => y[i]) };
    return fixedWindows(all, view, options);
  }
  const { width, height } = view.image(0);
  const px = view.scale / view.toFrame;
  return chooseRegionWindows(
    movers.map(({ box, points }) => ({
      box,
      points: { x: points.map((i) => x[i]), y: points.map((i) => y[i]) },
    })),
    {
      ...{ width, height, margin: options.windowMargin, maxWindows: options.maxWindows },
      // Half a flow window: nearer to the outline, the flow is torn between what moves and what is behind.
      paddingPx: 7.5,
      minSide: options.minWindowPx * px,
      maxSide: options.maxWindowPx * px,
    },
  );
};

const outcomeOf = (
  cluster: MotionCluster,
  movers: readonly MotionCluster[],
  windows: readonly Window[],
  { maxWindows, window }: FullMiningOptions,
): ClusterDecision['outcome'] => {
  if (cluster.outcome !== 'moves') return cluster.outcome;
  if (window === 'fixed' || windows.some(({ region }) => region === movers.indexOf(cluster))) return 'window';
  return windows.length >= maxWindows ? 'not-chosen' : 'overlaps';
};

const logged = (
  cluster: MotionCluster,
  toFrame: number,
  outcome = cluster.outcome as ClusterDecision['outcome'],
): ClusterDecision => ({
  outcome,
  points: cluster.points.length,
  box: scaled(cluster.box, toFrame),
  residualPx: round(cluster.residualPx * toFrame),
  imagePx: round(cluster.imagePx * toFrame),
  ...(cluster.neighboursPx === undefined ? {} : { neighboursPx: round(cluster.neighboursPx * toFrame) }),
});

type Movers = {
  readonly start: PointList;
  readonly end: PointList;
  /** Displacement beyond the camera's of a point, pixels of the frame a frame. */
  readonly speed: (point: number) => number;
  readonly movingShare: number;
  readonly points: number;
};

const candidateOf = (box: Box, window: number, movers: Movers, { toFrame }: MotionView): Candidate => {
  const { start, end } = movers;
  const followed: [number, number][] = [];
  let count = 0;
  let sum = 0;
  for (let k = 0; k < start.x.length; k++) {
    const [x, y] = [start.x[k], start.y[k]];
    if (!(x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height)) continue;
    count++;
    sum += movers.speed(k);
    if (!Number.isNaN(end.x[k])) followed.push([end.x[k] * toFrame, end.y[k] * toFrame]);
  }
  return {
    box: { x: box.x * toFrame, y: box.y * toFrame, width: box.width * toFrame, height: box.height * toFrame },
    ...{ window, movingShare: movers.movingShare, movingPointsInside: count, points: movers.points },
    meanMotionPx: round(sum / count, 3),
    followed,
  };
};
