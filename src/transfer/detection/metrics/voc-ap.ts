import { averagePrecision } from '../../../numeric/average-precision.js';
import { mean } from '../../../numeric/statistics.js';
import type { DetectionObject } from '../../../images/detection-dataset.js';
import type { ImageScores } from '../../statistics/image-scores.js';
import type { RankedDetections } from '../../statistics/weighted-precision.js';
import { overlapWith, rankDetections, type BoxConvention, type Detection, type ImageTruth } from './detections.js';

/** Settings of VOC's measure. */
export type VocOptions = {
  /**
   * Least overlap (IoU) of a detection with its object.
   * @default 0.5
   */
  readonly iou?: number;
  /**
   * `11-point` until VOC2009, `all-points` since.
   * @default 'all-points'
   */
  readonly interpolation?: '11-point' | 'all-points';
  /**
   * `ignore`, as the devkit: a difficult object need not be found, and finding it is neither right nor wrong. `count`: an object
   * as any other, as evaluators do that do not know the flag (both by R. Padilla); figures are then lower.
   * @default 'ignore'
   */
  readonly difficult?: 'ignore' | 'count';
  /** @default 'edges' */
  readonly convention?: BoxConvention;
};

/** The measure of one class and what it was made of: the detections that count, best first, and what there is to find. */
export type VocClassResult = RankedDetections & {
  readonly label: number;
  /** Average precision in percent; NaN where there is nothing to find. */
  readonly ap: number;
};

/** VOC's measure over all classes. */
export type VocResult = {
  /** Mean of the classes' average precisions, percent, over those that have something to find. */
  readonly map: number;
  readonly perClass: readonly VocClassResult[];
  readonly interpolation: '11-point' | 'all-points';
};

/**
 * Average precision as Pascal VOC measures it (VOC2012 devkit, `VOCevaldet`). Detections of a class are taken best first over all
 * pictures, equal scores in the order given. Each is held against the object of its class and picture that it overlaps most: right
 * where the overlap is at least `iou` and the object was not found before, else wrong; a second detection of an object does not
 * fall back to the next. (`>=` as the devkit; py-faster-rcnn asks for more than `iou`.)
 *
 * Crowds, which VOC does not have, need not be found; a detection that would be wrong is neither where its share inside a crowd is
 * at least `iou`, as COCO has it.
 *
 * @param truth a picture each, in the same pixels as the detections
 * @param classes their number
 * @throws RangeError where no class has anything to find, or a detection names a picture or class there is not
 */
export const evaluateVoc = (
  truth: readonly ImageTruth[],
  detections: readonly Detection[],
  classes: number,
  options: VocOptions = {},
): VocResult => {
  const { iou = 0.5, interpolation = 'all-points', difficult = 'ignore', convention = 'edges' } = options;
  if (!(iou > 0 && iou <= 1)) {
    throw new RangeError(`Expected \`iou\` to be a number above 0, at most 1, got \`${iou}\` (${typeof iou})`);
  }
  const ignored = (object: DetectionObject): boolean => object.crowd || (difficult === 'ignore' && object.difficult);
  const perClass = rankDetections(detections, truth.length, classes).map((ranked, label): VocClassResult => {
    const objects = truth.map((image) => image.objects.filter((object) => object.label === label));
    const positives = objects.map((all) => all.filter((object) => !ignored(object)).length);
    const verdicts = judge(objects, ranked, ignored, iou, convention);
    const counted = ranked.flatMap(({ score, image }, i) => {
      const verdict = verdicts[i] as Verdict;
      return verdict === 'neither' ? [] : [{ score, image, tp: verdict === 'right' ? 1 : 0 }];
    });
    const score = counted.map((one) => one.score);
    const tp = counted.map((one) => one.tp);
    const total = positives.reduce((sum, count) => sum + count, 0);
    const ap = 100 * averagePrecision(score, tp, total, interpolation);
    return { label, ap, positives, score, image: counted.map(({ image }) => image), tp };
  });
  const measured = perClass.map(({ ap }) => ap).filter((ap) => !Number.isNaN(ap));
  if (measured.length === 0) {
    throw new RangeError(`Expected objects to find in ${truth.length} picture(s), got none`);
  }
  return { map: mean(measured), perClass, interpolation };
};

/** What the mean is made of, picture by picture: its statistics need no second matching. */
export const vocImageScores = ({ perClass, interpolation }: VocResult): ImageScores => ({
  kind: 'average-precision',
  images: perClass[0]!.positives.length,
  classes: perClass.map(({ score, image, tp, positives }) => ({ score, image, tp, positives })),
  interpolation,
});

type Verdict = 'right' | 'wrong' | 'neither';

/** What each of one class's detections, best first, is worth. */
const judge = (
  objects: readonly (readonly DetectionObject[])[],
  ranked: readonly Detection[],
  ignored: (object: DetectionObject) => boolean,
  iou: number,
  convention: BoxConvention,
): Verdict[] => {
  const found = objects.map((inImage) => inImage.map(() => false));
  return ranked.map(({ image, box }) => {
    const inImage = objects[image]!;
    let best = -1;
    let most = 0;
    let inCrowd = false;
    for (const [i, object] of inImage.entries()) {
      const overlap = overlapWith(object, box, convention);
      if (object.crowd) inCrowd ||= overlap >= iou;
      else if (overlap > most) [best, most] = [i, overlap];
    }
    if (best >= 0 && most >= iou) {
      if (ignored(inImage[best]!)) return 'neither';
      if (!found[image]![best]) {
        found[image]![best] = true;
        return 'right';
      }
    }
    return inCrowd ? 'neither' : 'wrong';
  });
};
