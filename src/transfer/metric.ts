/** What a protocol measures: the name stands in results and tables. */
export type Metric = { readonly name: string; readonly unit: '%' | 'deg'; readonly higherIsBetter: boolean };

/** Share of test samples whose class was named, in percent. */
export const top1: Metric = { name: 'top1', unit: '%', higherIsBetter: true };

/** Mean average precision at an overlap of 0.5 as Pascal VOC measures it since 2010, in percent. */
export const ap50: Metric = { name: 'AP50', unit: '%', higherIsBetter: true };

/** COCO's average precision, the mean over overlaps from 0.5 to 0.95, in percent. */
export const cocoAp: Metric = { name: 'AP', unit: '%', higherIsBetter: true };

/** Mean over classes of the average precision of test images ranked by a class's score. */
export const meanAp: Metric = { name: 'mAP', unit: '%', higherIsBetter: true };

/** `100 * (right) / (all)`; predictions and labels are class numbers of the same length, at least one. */
export const accuracy = (predicted: ArrayLike<number>, labels: ArrayLike<number>): number => {
  if (predicted.length !== labels.length || labels.length === 0) {
    throw new RangeError(
      `Expected as many predictions as labels, and some, got ${predicted.length} and ${labels.length}`,
    );
  }
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) right++;
  return (100 * right) / labels.length;
};
