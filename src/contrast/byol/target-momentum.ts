/**
 * How much of itself the target keeps at a step: `tau = 1 - (1 - tau0) (cos(pi step / steps) + 1) / 2`, from `tau0` at the first
 * step to 1 at the last, where it stands still (Grill et al. 2020, 3.2).
 */
export const targetMomentum = (start: number, step: number, steps: number): number =>
  1 - ((1 - start) * (Math.cos((Math.PI * step) / steps) + 1)) / 2;

/**
 * tau0 by the length of the run: as released 0.996 for 1000 epochs of ImageNet in batches of 4096 (310 000 steps), 0.99 for 300 and
 * 100 (from 31 000), 0.97 for 40 (12 500). What counts is the length in steps: the target averages over `1 / (1 - tau)` of them.
 */
export const startMomentumFor = (steps: number): number => {
  if (steps >= 200_000) return 0.996;
  if (steps >= 20_000) return 0.99;
  return 0.97;
};
