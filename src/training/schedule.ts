/** The learning rate of a step, from 0 to `steps - 1`. */
export type Schedule = {
  /** The rule and its numbers, for the record: part of the configuration that a resumed run must share. */
  readonly settings: Readonly<Record<string, number | string | readonly number[]>>;
  rate(step: number, steps: number): number;
};

const checkRate = (rate: number): void => {
  if (!(rate > 0)) throw new RangeError(`Expected \`rate\` to be a number above 0, got \`${rate}\` (${typeof rate})`);
};

/** The same rate at every step. */
export const constant = (rate: number): Schedule => {
  checkRate(rate);
  return { settings: { schedule: 'constant', rate }, rate: () => rate };
};

/** Where a stepwise rate falls: at shares of the run, or every so many steps. */
export type StepwiseOptions = ({ readonly at?: readonly number[] } | { readonly every: number }) & {
  readonly factor?: number;
};

/**
 * `rate * factor ^ (number of boundaries reached)`, by default a tenth at each quarter of the run, which is what the released
 * solver of Wang & Gupta 2015 does (every 100 000 of 400 000 steps).
 */
export const stepwise = (rate: number, options: StepwiseOptions = {}): Schedule => {
  checkRate(rate);
  const { factor = 0.1 } = options;
  if ('every' in options) {
    const { every } = options;
    if (!Number.isInteger(every) || every < 1) {
      throw new RangeError(`Expected \`every\` to be a whole number above 0, got \`${every}\` (${typeof every})`);
    }
    return {
      settings: { schedule: 'stepwise', rate, every, factor },
      rate: (step) => rate * factor ** Math.floor(step / every),
    };
  }
  const { at = [0.25, 0.5, 0.75] } = options;
  return {
    settings: { schedule: 'stepwise', rate, at, factor },
    rate: (step, steps) => rate * factor ** at.filter((share) => step >= Math.round(share * steps)).length,
  };
};

/** Half a cosine wave from `rate` to `floor`: `floor + (rate - floor) (1 + cos(pi step / steps)) / 2` (Loshchilov & Hutter 2017). */
export const cosine = (rate: number, { floor = 0 }: { readonly floor?: number } = {}): Schedule => {
  checkRate(rate);
  return {
    settings: { schedule: 'cosine', rate, floor },
    rate: (step, steps) => floor + ((rate - floor) * (1 + Math.cos((Math.PI * step) / steps))) / 2,
  };
};

/** Begins another schedule gently: over the first `warmUpSteps` its rate is multiplied with `(step + 1) / (warmUpSteps + 1)`. */
export const warmUp = (warmUpSteps: number, after: Schedule): Schedule => {
  if (!Number.isInteger(warmUpSteps) || warmUpSteps < 0) {
    throw new RangeError(
      `Expected \`warmUpSteps\` to be a whole number from 0, got \`${warmUpSteps}\` (${typeof warmUpSteps})`,
    );
  }
  return {
    settings: { ...after.settings, warmUpSteps },
    rate: (step, steps) => after.rate(step, steps) * Math.min(1, (step + 1) / (warmUpSteps + 1)),
  };
};
