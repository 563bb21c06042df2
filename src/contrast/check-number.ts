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

/** Throws a RangeError that names the option unless it is a whole number from `least` up. */
export const checkCount = (name: string, value: number, least = 1): void => {
  if (!Number.isInteger(value) || value < least) {
    const range = least === 1 ? 'above 0' : `from ${least}`;
    throw new RangeError(`Expected \`${name}\` to be a whole number ${range}, got \`${value}\` (${typeof value})`);
  }
};
