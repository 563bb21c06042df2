import { bootstrap } from '../src/numeric/bootstrap.js';
import { iou, type Box } from '../src/numeric/box.js';
import { quantile } from '../src/numeric/statistics.js';
import { toBox, type Audit, type AuditLabel } from './audit-labels.js';

/** A pair of the mining under test; boxes are pixels of its working size. */
export type ScoredPair = {
  readonly video: string;
  readonly startFrame: number;
  readonly workingSize: readonly [width: number, height: number];
  readonly start: Box;
  readonly end: Box;
};

/** How pairs are matched with labels and judged. */
export type ScoreOptions = {
  /** Overlap of the starts above which a label speaks for a pair. @default 0.5 */
  readonly matchIou?: number;
  /**
   * Overlap with where the thing truly is above which the end of a pair is right. Half is the mark of tracking benchmarks; below it
   * most of the box shows something else. @default 0.5
   */
  readonly rightIou?: number;
  /** Seed and number of the bootstrap's resamples. @default 1 and 2000 */
  readonly seed?: number;
  readonly resamples?: number;
};

/** A share with two 95 % intervals: over videos (bootstrap), and as if every pair were drawn by itself (Wilson). */
export type Share = {
  readonly right: number;
  readonly of: number;
  readonly share: number;
  readonly overVideos: readonly [number, number];
  readonly wilson: readonly [number, number];
};

/** One pair that was scored; `right` is undefined where no label speaks for it. */
export type PairVerdict = { readonly pair: ScoredPair; readonly label?: AuditLabel; readonly right?: boolean };

/** What a mining comes to by the labels. */
export type AuditScore = {
  readonly precision: Share;
  /** Precision without the labels that whoever looked was in doubt of. */
  readonly withoutDoubtful: Share;
  /** Right pairs that show background alone, which moves only with the camera: the same thing, but no mover. */
  readonly background: Share;
  /** Precision by what the rule of the paper comes to at the time-step: `tracked` where it would have kept it. */
  readonly byPaper: Readonly<Record<string, Share>>;
  /** Pairs at audited time-steps, and those of them without a label. */
  readonly pairsAtSteps: number;
  readonly unaudited: number;
  readonly unauditedShare: number;
  /** Labelled tracks that are right and were found again, and those that are wrong and were: what a mining loses and gains. */
  readonly foundAgain: {
    readonly right: number;
    readonly ofRight: number;
    readonly wrong: number;
    readonly ofWrong: number;
  };
  readonly clips: readonly { readonly clip: string; readonly pairs: number; readonly right: number }[];
  /** Wrong pairs by the reason of their label; `drifted`: the label's own track is right, this pair's is not. */
  readonly errors: Readonly<Record<string, number>>;
  readonly verdicts: readonly PairVerdict[];
};

/**
 * Wilson's score interval of a share, 95 %: the centre `(p + z² / 2n) / (1 + z² / n)` and half-width
 * `z sqrt(p (1 - p) / n + z² / 4n²) / (1 + z² / n)` with z = 1.96. Wilson 1927. [0, 1] for n = 0.
 */
export const wilsonInterval = (right: number, of: number): readonly [number, number] => {
  if (of === 0) return [0, 1];
  const z = 1.959964;
  const p = right / of;
  const centre = p + (z * z) / (2 * of);
  const half = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  const norm = 1 + (z * z) / of;
  return [Math.max(0, (centre - half) / norm), Math.min(1, (centre + half) / norm)];
};

/** The box that lies to `to` as `box` does to `from`: moved and scaled by the motion from one to the other, along each axis. */
export const mapBox = (box: Box, from: Box, to: Box): Box => {
  const [across, down] = [to.width / from.width, to.height / from.height];
  return {
    x: to.x + (box.x - from.x) * across,
    y: to.y + (box.y - from.y) * down,
    width: box.width * across,
    height: box.height * down,
  };
};

const scaled = ({ x, y, width, height }: Box, across: number, down: number): Box => ({
  ...{ x: x * across, y: y * down, width: width * across, height: height * down },
});

/** Whether a label's own track is right: its true end overlaps with where the tracker ended. */
export const labelIsRight = (label: AuditLabel, rightIou = 0.5): boolean =>
  label.truth !== 'gone' && iou(toBox(label.truth), toBox(label.tracked)) > rightIou;

/** A share of flags with its intervals; `videos` names the video of each. */
export const shareOf = (
  flags: readonly boolean[],
  videos: readonly string[],
  { seed = 1, resamples = 2000 }: Pick<ScoreOptions, 'seed' | 'resamples'> = {},
): Share => {
  const right = flags.filter(Boolean).length;
  const of = flags.length;
  if (of === 0) return { right, of, share: NaN, overVideos: [NaN, NaN], wilson: wilsonInterval(0, 0) };
  const names = [...new Set(videos)];
  const statistic = (weights: Int32Array): number => {
    let [hits, all] = [0, 0];
    for (let i = 0; i < of; i++) {
      all += weights[i];
      if (flags[i]) hits += weights[i];
    }
    return all > 0 ? hits / all : NaN;
  };
  const [values] = bootstrap([statistic], of, { seed, resamples, groups: videos.map((video) => names.indexOf(video)) });
  const defined = values.filter((value) => !Number.isNaN(value));
  return {
    ...{ right, of, share: right / of },
    overVideos: [quantile(defined, 0.025), quantile(defined, 0.975)],
    wilson: wilsonInterval(right, of),
  };
};

const stepKey = (video: string, startFrame: number): string => `${video}:${startFrame}`;

/**
 * Scores pairs by the labels of an audit. Only pairs that begin at a drawn time-step count: these steps were drawn from all without
 * looking at what was found there, so that the precision at them is that of the whole. A pair there is judged by the label whose
 * start overlaps most with its own, if by more than `matchIou`: wrong where the thing is gone, else right where its end overlaps by
 * more than `rightIou` with its start carried along the label's motion (`mapBox`). A pair that no label speaks for is unaudited.
 */
export const scorePairs = (
  audit: Audit,
  pairs: readonly ScoredPair[],
  { matchIou = 0.5, rightIou = 0.5, ...resampling }: ScoreOptions = {},
): AuditScore => {
  const labels = new Map<string, AuditLabel[]>(
    audit.steps.map(({ video, startFrame }) => [stepKey(video, startFrame), []]),
  );
  for (const label of audit.labels) {
    const there = labels.get(stepKey(label.video, label.startFrame));
    if (there === undefined)
      throw new RangeError(
        `Expected label ${label.id} to lie at a drawn time-step, got \`${label.startFrame}\` of ${label.clip}`,
      );
    there.push(label);
  }
  const found = new Set<AuditLabel>();
  const verdicts: PairVerdict[] = [];
  for (const pair of pairs) {
    const there = labels.get(stepKey(pair.video, pair.startFrame));
    if (there === undefined) continue;
    let best: AuditLabel | undefined;
    let most = matchIou;
    for (const label of there) {
      const overlap = iou(inLabelPixels(pair, label).start, toBox(label.start));
      if (overlap > most) [best, most] = [label, overlap];
    }
    if (best === undefined) {
      verdicts.push({ pair });
      continue;
    }
    found.add(best);
    const { start, end } = inLabelPixels(pair, best);
    const right = best.truth !== 'gone' && iou(mapBox(start, toBox(best.start), toBox(best.truth)), end) > rightIou;
    verdicts.push({ pair, label: best, right });
  }
  const judged = verdicts.filter(({ label }) => label !== undefined) as Required<PairVerdict>[];
  const share = (some: readonly Required<PairVerdict>[]): Share =>
    shareOf(
      some.map(({ right }) => right),
      some.map(({ pair }) => pair.video),
      resampling,
    );
  const clips = new Map<string, { clip: string; pairs: number; right: number }>();
  const errors: Record<string, number> = {};
  for (const { label, right } of judged) {
    const clip = clips.get(label.video) ?? { clip: label.clip, pairs: 0, right: 0 };
    clip.pairs++;
    if (right) clip.right++;
    else errors[label.error ?? 'drifted'] = (errors[label.error ?? 'drifted'] ?? 0) + 1;
    clips.set(label.video, clip);
  }
  const good = audit.labels.filter((label) => labelIsRight(label, rightIou));
  const unaudited = verdicts.length - judged.length;
  const paper = new Map(audit.steps.map((step) => [stepKey(step.video, step.startFrame), step.paper]));
  const paperOf = ({ pair }: PairVerdict): string | undefined => paper.get(stepKey(pair.video, pair.startFrame));
  const outcomes = [...new Set(judged.map(paperOf))].filter((outcome) => outcome !== undefined).sort();
  return {
    precision: share(judged),
    withoutDoubtful: share(judged.filter(({ label }) => label.doubtful !== true)),
    background: shareOf(
      judged.map(({ label, right }) => right && label.background === true),
      judged.map(({ pair }) => pair.video),
      resampling,
    ),
    byPaper: Object.fromEntries(
      outcomes.map((outcome) => [outcome, share(judged.filter((verdict) => paperOf(verdict) === outcome))]),
    ),
    pairsAtSteps: verdicts.length,
    unaudited,
    unauditedShare: verdicts.length > 0 ? unaudited / verdicts.length : NaN,
    foundAgain: {
      right: good.filter((label) => found.has(label)).length,
      ofRight: good.length,
      wrong: [...found].filter((label) => !good.includes(label)).length,
      ofWrong: audit.labels.length - good.length,
    },
    clips: [...clips.values()].sort((a, b) => (a.clip < b.clip ? -1 : 1)),
    errors,
    verdicts,
  };
};

/** The ends of a pair in the pixels of a label, whose frames may have been worked on at another size. */
const inLabelPixels = (pair: ScoredPair, { workingSize }: AuditLabel): { start: Box; end: Box } => {
  const [across, down] = [workingSize[0] / pair.workingSize[0], workingSize[1] / pair.workingSize[1]];
  return { start: scaled(pair.start, across, down), end: scaled(pair.end, across, down) };
};
