/** Throws a RangeError that names the option unless it is a number above 0. */
export const checkPositive = (name: string, value: number): void => {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(`Expected \`${name}\` to be a number above 0, got \`${value}\` (${typeof value})`);
  }
};

/** Throws a RangeError that names the option unless it is a number from 0 to below 1: a momentum, a share of a run. */
export const checkShare = (name: string, value: number): void => {
  if (!(value >= 0 && value < 1)) {
    throw new RangeError(`Expected \`${name}\` to be a number from 0 to below 1, got \`${value}\` (${typeof value})`);
  }
};

/** Throws a RangeError that names the option unless it is a whole number above 0. */
export const checkCount = (name: string, value: number): void => {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`Expected \`${name}\` to be a whole number above 0, got \`${value}\` (${typeof value})`);
  }
};
