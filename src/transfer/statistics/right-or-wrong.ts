import type { ImageScores } from './image-scores.js';

/** 100 for a test image whose class was named, 0 for another: their mean is the top-1 accuracy in percent. */
export const rightOrWrong = (named: ArrayLike<number>, labels: ArrayLike<number>): ImageScores => ({
  kind: 'mean',
  values: Array.from(labels, (label, i) => (named[i] === label ? 100 : 0)),
});
