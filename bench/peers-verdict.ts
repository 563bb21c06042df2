import { mean, std } from '../src/numeric/statistics.js';

/** What both sides of a comparison came to: top-1 of k-NN in percent, seed by seed, and the times of a step. */
export type PeerMeasurement = {
  readonly method: string;
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  /** Our time a step over the peer's, the network alone: wall and processor time. */
  readonly stepRatio: { readonly wall: number; readonly cpu: number };
  /** How far the losses of the first steps from equal weights on equal views lie apart, over the loss. */
  readonly lossDifference: number;
};

/** Mean and sample standard deviation of either side, and what is wrong with ours. */
export type PeerVerdict = {
  readonly method: string;
  readonly ours: { readonly mean: number; readonly std: number };
  readonly peer: { readonly mean: number; readonly std: number };
  readonly failures: readonly string[];
};

/**
 * How far two single runs of one program lie apart by seed alone: `sqrt(2) s`, with `s` the sample standard deviation pooled over
 * both sides of all methods, since the two or three seeds of one row say little about its spread.
 */
export const jointSpread = (measurements: readonly PeerMeasurement[]): number => {
  const groups = measurements.flatMap(({ ours, peer }) => [ours, peer]).filter(({ length }) => length > 1);
  const degrees = groups.reduce((sum, { length }) => sum + length - 1, 0);
  if (degrees === 0) return 0;
  const squares = groups.reduce((sum, values) => sum + (values.length - 1) * std(values) ** 2, 0);
  return Math.sqrt((2 * squares) / degrees);
};

/**
 * Judges ours by the peer: an accuracy below the peer's mean by more than `spread` points; steps slower by more than
 * `allowedSlowness`, in wall and in processor time (a busy machine may steal from one side; a slower program is slower in both);
 * losses apart by more than `allowedDifference`.
 */
export const judgePeer = (
  { method, ours, peer, stepRatio, lossDifference }: PeerMeasurement,
  {
    spread,
    allowedSlowness = 0.1,
    allowedDifference = 2e-3,
  }: { readonly spread: number; readonly allowedSlowness?: number; readonly allowedDifference?: number },
): PeerVerdict => {
  const failures: string[] = [];
  const behind = mean(peer) - mean(ours);
  if (!(behind <= spread)) {
    failures.push(`${method}: k-NN is ${behind.toFixed(2)} points below the peer's mean, spread ${spread.toFixed(2)}`);
  }
  const slowness = Math.min(stepRatio.wall, stepRatio.cpu);
  if (!(slowness <= 1 + allowedSlowness)) {
    failures.push(
      `${method}: a step takes ${slowness.toFixed(2)} of the peer's time, more than ${1 + allowedSlowness}`,
    );
  }
  if (!(lossDifference <= allowedDifference)) {
    failures.push(
      `${method}: losses from equal weights are ${lossDifference.toExponential(1)} apart, over ${allowedDifference}`,
    );
  }
  return {
    method,
    ours: { mean: mean(ours), std: std(ours) },
    peer: { mean: mean(peer), std: std(peer) },
    failures,
  };
};
