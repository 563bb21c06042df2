/** Whether each row shows each class, `[rows, classes]`: 1 (it does), 0 (it does not) or -1 (neither: VOC's "difficult"). */
export type ClassTargets = { readonly classes: number; readonly values: Int8Array };

/** Targets of rows that show one class each. */
export const singleLabelTargets = (labels: ArrayLike<number>, classes: number): ClassTargets => {
  const values = new Int8Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label >= 0 && label < classes)) {
      throw new RangeError(`Expected labels from 0 to ${classes - 1}, got \`${label}\``);
    }
    values[i * classes + label] = 1;
  }
  return { classes, values };
};

/** Rows that a classifier of one class learns from: those on one of the two sides, and the side of each, 1 or -1. */
export type Sides = { readonly rows: Int32Array; readonly labels: Int8Array };

/**
 * The sides that rows take on one class; rows that are neither are left out.
 *
 * @param among rows to look at, all if absent
 */
export const sidesOf = ({ classes, values }: ClassTargets, label: number, among?: ArrayLike<number>): Sides => {
  const asked = among ? Int32Array.from(among) : Int32Array.from({ length: values.length / classes }, (_, i) => i);
  const rows = asked.filter((row) => values[row * classes + label] !== -1);
  return { rows, labels: Int8Array.from(rows, (row) => (values[row * classes + label] === 1 ? 1 : -1)) };
};
