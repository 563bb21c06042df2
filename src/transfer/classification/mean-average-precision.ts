import { averagePrecision, type Interpolation } from '../../numeric/average-precision.js';
import { mean } from '../../numeric/statistics.js';

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
 * `11-point` is VOC2007's own. On VOC07-like figures they lie 1 to 3 points apart: say which.
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
    const ranked: number[] = [];
    const hits: number[] = [];
    for (let i = label; i < targets.length; i += classes) {
      const target = targets[i]!;
      if (target !== 1 && target !== 0 && target !== -1) {
        throw new RangeError(`Expected targets to be 1, 0 or -1, got \`${target}\` for class ${label}`);
      }
      if (target === -1) continue;
      ranked.push(scores[i]!);
      hits.push(target);
    }
    const positives = hits.reduce((sum, hit) => sum + hit, 0);
    return {
      ap: 100 * averagePrecision(ranked, hits, positives, interpolation),
      positives,
      negatives: hits.length - positives,
      ignored: pictures - hits.length,
    };
  });
  const measured = perClass.map(({ ap }) => ap).filter((ap) => !Number.isNaN(ap));
  if (measured.length === 0) throw new RangeError(`Expected a class with positives among ${classes}, got none`);
  return { map: mean(measured), perClass };
};
