import type { RandomStream } from '../numeric/random.js';

/** A smooth random function of the plane with values in [0, 1], periodic in both directions. */
export type Noise = (x: number, y: number) => number;

/** Value noise: random numbers on a lattice of `period` x `period` points a unit apart, joined smoothly. `period` is a power of two. */
export const valueNoise = (random: RandomStream, period: number): Noise => {
  const lattice = new Float32Array(period * period);
  for (let i = 0; i < lattice.length; i++) lattice[i] = random.bits() / 0x100000000;
  const mask = period - 1;
  return (x, y) => {
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    let fx = x - x0;
    let fy = y - y0;
    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    const left = x0 & mask;
    const right = (x0 + 1) & mask;
    const top = (y0 & mask) * period;
    const bottom = ((y0 + 1) & mask) * period;
    const above = lattice[top + left]! + (lattice[top + right]! - lattice[top + left]!) * fx;
    const below = lattice[bottom + left]! + (lattice[bottom + right]! - lattice[bottom + left]!) * fx;
    return above + (below - above) * fy;
  };
};

/**
 * Cells around jittered lattice points: `[nearest, gap]`, the number of the nearest point in [0, 1) and how much farther the
 * second nearest is (0 on the border between two cells). Periodic over `period` units, a power of two.
 */
export const cellNoise = (random: RandomStream, period: number): ((x: number, y: number) => [number, number]) => {
  const mask = period - 1;
  const jitterX = Float32Array.from({ length: period * period }, () => random.uniform(0.15, 0.85));
  const jitterY = Float32Array.from({ length: period * period }, () => random.uniform(0.15, 0.85));
  const number = Float32Array.from({ length: period * period }, () => random.uniform());
  return (x, y) => {
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    let best = Infinity;
    let second = Infinity;
    let id = 0;
    for (let j = y0 - 1; j <= y0 + 1; j++) {
      for (let i = x0 - 1; i <= x0 + 1; i++) {
        const cell = (j & mask) * period + (i & mask);
        const dx = i + jitterX[cell]! - x;
        const dy = j + jitterY[cell]! - y;
        const distance = dx * dx + dy * dy;
        if (distance < best) {
          second = best;
          best = distance;
          id = number[cell]!;
        } else if (distance < second) {
          second = distance;
        }
      }
    }
    return [id, Math.sqrt(second) - Math.sqrt(best)];
  };
};
