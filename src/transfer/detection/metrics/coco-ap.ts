import { averagePrecision } from '../../../numeric/average-precision.js';
import { mean } from '../../../numeric/statistics.js';
import { area } from '../../../numeric/box.js';
import type { DetectionObject } from '../../../images/detection-dataset.js';
import type { ImageScores } from '../../statistics/image-scores.js';
import type { RankedDetections } from '../../statistics/weighted-precision.js';
import { overlapWith, rankDetections, type Detection, type ImageTruth } from './detections.js';

/** Settings of COCO's measure. */
export type CocoOptions = {
  /**
   * `ignore`: objects marked as difficult are treated as COCO treats objects of another size. COCO itself has no such mark, and
   * evaluators that read VOC's files for it pass it over (`count`).
   * @default 'ignore'
   */
  readonly difficult?: 'ignore' | 'count';
};

/** COCO's twelve numbers, in percent; NaN where no class has an object of the size. */
export type CocoResult = {
  /** Mean over ten overlaps (0.5, 0.55 … 0.95) and over classes. */
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly apSmall: number;
  readonly apMedium: number;
  readonly apLarge: number;
  /** Recall, mean over overlaps and classes, with at most 1, 10, 100 detections a picture and class. */
  readonly ar1: number;
  readonly ar10: number;
  readonly ar100: number;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
  /** A class each; NaN where there is nothing to find. */
  readonly perClass: readonly { readonly label: number; readonly ap: number; readonly ap50: number }[];
};

/** As numpy's linspace computes them; the last is exact. */
const overlaps = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));

const sizes = {
  all: [0, Infinity],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, Infinity],
} as const;
type Size = readonly [least: number, most: number];

const mostDetections = 100;

/**
 * Average precision and recall as COCO measures them (Lin et al. 2014; `pycocotools.cocoeval`): ten overlaps, 101 recall points, at
 * most 100 detections a picture and class. In each picture, detections take, best first, the free object that they overlap
 * most; objects that do not count (crowds, other sizes) are taken only where no other fits, make the detection count neither way,
 * and a crowd may be taken often. A detection that takes nothing is not counted where it is itself of another size.
 *
 * Sizes are by the object's own `area` as the official code has it; where that is absent by the box, which is what
 * `rafaelpadilla/review_object_detection_metrics` always does (drop `area` to reproduce it: small, medium and large then differ, and
 * nothing else). They mean pixels of the original picture: see `atPictureSize`.
 *
 * @param truth a picture each, in the same pixels as the detections
 * @param classes their number
 * @throws RangeError where no class has anything to find, or a detection names a picture or class there is not
 */
export const evaluateCoco = (
  truth: readonly ImageTruth[],
  detections: readonly Detection[],
  classes: number,
  { difficult = 'ignore' }: CocoOptions = {},
): CocoResult => {
  const ranked = rankDetections(detections, truth.length, classes);
  const pairs = ranked.map((ofClass, label) => pairUp(truth, ofClass, label, difficult === 'ignore'));
  const curves = (size: Size, limit: number): Curve[][] =>
    pairs.map((images) => overlaps.map((overlap) => curveOf(images, overlap, size, limit)));
  const all = curves(sizes.all, mostDetections);
  const [small, medium, large] = [sizes.small, sizes.medium, sizes.large].map((size) => curves(size, mostDetections));
  if (Number.isNaN(percent(all, 'recall'))) {
    throw new RangeError(`Expected objects to find in ${truth.length} picture(s), got none`);
  }
  const at = (overlap: number): Curve[][] => all.map((ofClass) => [ofClass[overlap] as Curve]);
  return {
    ap: percent(all, 'ap'),
    ap50: percent(at(0), 'ap'),
    ap75: percent(at(5), 'ap'),
    apSmall: percent(small!, 'ap'),
    apMedium: percent(medium!, 'ap'),
    apLarge: percent(large!, 'ap'),
    ar1: percent(curves(sizes.all, 1), 'recall'),
    ar10: percent(curves(sizes.all, 10), 'recall'),
    ar100: percent(all, 'recall'),
    arSmall: percent(small!, 'recall'),
    arMedium: percent(medium!, 'recall'),
    arLarge: percent(large!, 'recall'),
    perClass: all.map((ofClass, label) => ({
      label,
      ap: percent([ofClass], 'ap'),
      ap50: percent([ofClass.slice(0, 1)], 'ap'),
    })),
  };
};

/**
 * What COCO's `ap` is made of, picture by picture (an entry a class and overlap): its statistics need no second matching. Takes
 * what {@link evaluateCoco} takes.
 */
export const cocoImageScores = (
  truth: readonly ImageTruth[],
  detections: readonly Detection[],
  classes: number,
  { difficult = 'ignore' }: CocoOptions = {},
): ImageScores => ({
  kind: 'average-precision',
  images: truth.length,
  classes: rankDetections(detections, truth.length, classes).flatMap((ranked, label) => {
    const images = pairUp(truth, ranked, label, difficult === 'ignore');
    return overlaps.map((overlap): RankedDetections => {
      const { positives, ...counted } = count(images, overlap, sizes.all, mostDetections);
      return { ...counted, positives: spread(positives, images, truth.length) };
    });
  }),
  interpolation: '101-point',
});

const spread = (counts: readonly number[], images: readonly Pairs[], length: number): number[] => {
  const all = new Array<number>(length).fill(0);
  for (const [i, { image }] of images.entries()) all[image] = counts[i]!;
  return all;
};

/** One class at one overlap; NaN where there is nothing to find. */
type Curve = { readonly ap: number; readonly recall: number };

/** The mean over classes that have something to find, in percent; NaN where none has. */
const percent = (curves: readonly (readonly Curve[])[], which: keyof Curve): number => {
  const values = curves.flatMap((ofClass) => ofClass.map((curve) => curve[which]));
  return 100 * mean(values.filter((value) => !Number.isNaN(value)));
};

/** Objects and detections (best first) of one class in one picture, and how they overlap: `[detections, objects]`. */
type Pairs = {
  readonly image: number;
  readonly objects: readonly { readonly crowd: boolean; readonly ignored: boolean; readonly area: number }[];
  readonly found: readonly { readonly score: number; readonly area: number }[];
  readonly overlap: Float64Array;
};

const pairUp = (
  truth: readonly ImageTruth[],
  ranked: readonly Detection[],
  label: number,
  ignoreDifficult: boolean,
): Pairs[] => {
  const byImage: Detection[][] = truth.map(() => []);
  for (const detection of ranked) {
    const found = byImage[detection.image]!;
    if (found.length < mostDetections) found.push(detection);
  }
  return truth.flatMap(({ objects: all }, image) => {
    const objects = all.filter((object: DetectionObject) => object.label === label);
    const found = byImage[image]!;
    if (objects.length === 0 && found.length === 0) return [];
    const pairs: Pairs = {
      image,
      objects: objects.map((object) => ({
        crowd: object.crowd,
        ignored: object.crowd || (ignoreDifficult && object.difficult),
        area: object.area ?? area(object.box),
      })),
      found: found.map(({ score, box }) => ({ score, area: area(box) })),
      overlap: Float64Array.from({ length: found.length * objects.length }, (_, k) => {
        const detection = found[Math.floor(k / objects.length)]!;
        return overlapWith(objects[k % objects.length]!, detection.box, 'edges');
      }),
    };
    return [pairs];
  });
};

const curveOf = (images: readonly Pairs[], overlap: number, size: Size, limit: number): Curve => {
  const { score, tp, positives } = count(images, overlap, size, limit);
  const total = positives.reduce((sum, some) => sum + some, 0);
  const right = tp.reduce((sum, hit) => sum + hit, 0);
  return { ap: averagePrecision(score, tp, total, '101-point'), recall: total > 0 ? right / total : NaN };
};

/** The detections that count, by picture, and the positives of each of `images`. */
const count = (images: readonly Pairs[], overlap: number, [least, most]: Size, limit: number) => {
  const counted = { score: [] as number[], image: [] as number[], tp: [] as number[], positives: [] as number[] };
  const other = (area: number): boolean => area < least || area > most;
  for (const pairs of images) {
    const ignored = pairs.objects.map((object) => object.ignored || other(object.area));
    counted.positives.push(ignored.filter((no) => !no).length);
    for (const [i, object] of take(pairs, ignored, overlap, limit).entries()) {
      const { score, area } = pairs.found[i]!;
      if (object < 0 ? other(area) : ignored[object]) continue;
      counted.score.push(score);
      counted.image.push(pairs.image);
      counted.tp.push(object < 0 ? 0 : 1);
    }
  }
  return counted;
};

/** The number of the object that each of the first `limit` detections takes, or -1. */
const take = (
  { objects, found, overlap }: Pairs,
  ignored: readonly boolean[],
  least: number,
  limit: number,
): number[] => {
  const order = [...objects.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]));
  const free = objects.map(() => true);
  return found.slice(0, limit).map((_, i) => {
    let best = -1;
    let most = Math.min(least, 1 - 1e-10);
    for (const j of order) {
      if (!free[j] && !objects[j]!.crowd) continue;
      if (best >= 0 && !ignored[best] && ignored[j]) break;
      const value = overlap[i * objects.length + j]!;
      if (value < most) continue;
      [best, most] = [j, value];
    }
    if (best >= 0) free[best] = false;
    return best;
  });
};
