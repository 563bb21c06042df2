import { averagePrecision, type Interpolation } from '../../numeric/average-precision.js';
import { mean } from '../../numeric/statistics.js';
import type { ImageScores } from '../statistics/image-scores.js';

/** Average precision of one class, with what it was made of. */
export type ClassPrecision = {
  /** Percent; NaN for a class without positives. */
  readonly ap: number;
  /** Pictures of the class, of others, and that count as neither. */
  readonly positives: number;
  readonly negatives: number;
  readonly ignored: number;
};

/** Mean average precision over classes. */
export type MeanAveragePrecision = {
  /** Percent, over the classes that have positives. */
  readonly map: number;
  readonly perClass: readonly ClassPrecision[];
};

/**
 * Classification with several classes a picture as Pascal VOC measures it: for each class, pictures are ranked by its score, and
 * their precision over recall becomes one number (see `Interpolation`). A target is 1 where the class is in the picture, 0
 * where it is not, and -1 where it shows only as difficult objects: such a picture is left out for that class.
 *
 * `all-points` is what Goyal et al. 2019 report (their SVM code), though it chooses C by scikit-learn's, which is `none`;
 * `11-point` is VOC2007's own. They are points apart: the example scores of Goyal et al. have 8.45, 8.11 and 9.63 %.
 *
 * @param scores `[pictures, classes]`; equal scores of a class are ranked in the order of pictures
 * @param targets `[pictures, classes]`
 * @throws RangeError where sizes do not fit, a target is none of 1, 0, -1, or no class has positives
 */
export const meanAveragePrecision = (
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
  interpolation: Interpolation = 'all-points',
): MeanAveragePrecision => {
  const pictures = targets.length / classes;
  if (scores.length !== targets.length || !Number.isInteger(pictures) || pictures < 1) {
    throw new RangeError(
      `Expected a score and a target for each of ${classes} class(es) a picture, got ${scores.length} and ${targets.length}`,
    );
  }
  const perClass = Array.from({ length: classes }, (_, label): ClassPrecision => {
    const { score, tp } = answersOf(scores, targets, classes, label);
    const positives = tp.reduce((sum, hit) => sum + hit, 0);
    return {
      ap: 100 * averagePrecision(score, tp, positives, interpolation),
      positives,
      negatives: tp.length - positives,
      ignored: pictures - tp.length,
    };
  });
  const measured = perClass.map(({ ap }) => ap).filter((ap) => !Number.isNaN(ap));
  if (measured.length === 0) throw new RangeError(`Expected a class with positives among ${classes}, got none`);
  return { map: mean(measured), perClass };
};

/** What the mean is made of, picture by picture: its statistics rank nothing anew. Takes what {@link meanAveragePrecision} takes. */
export const classificationImageScores = (
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
  interpolation: '11-point' | 'all-points' = 'all-points',
): ImageScores => {
  const images = targets.length / classes;
  return {
    kind: 'average-precision',
    images,
    interpolation,
    classes: Array.from({ length: classes }, (_, label) => ({
      ...answersOf(scores, targets, classes, label),
      positives: Array.from({ length: images }, (_, i) => (targets[i * classes + label] === 1 ? 1 : 0)),
    })),
  };
};

/** The pictures that count for a class, in their order: its score, and 1 where it is there. */
const answersOf = (scores: ArrayLike<number>, targets: ArrayLike<number>, classes: number, label: number) => {
  const answers = { score: [] as number[], image: [] as number[], tp: [] as number[] };
  for (let i = label; i < targets.length; i += classes) {
    const target = targets[i]!;
    if (target !== 1 && target !== 0 && target !== -1) {
      throw new RangeError(`Expected targets to be 1, 0 or -1, got \`${target}\` for class ${label}`);
    }
    if (target === -1) continue;
    answers.score.push(scores[i]!);
    answers.image.push((i - label) / classes);
    answers.tp.push(target);
  }
  return answers;
};
