import { mean } from '../numeric/statistics.js';
import { takeValues } from '../runtime/take-values.js';
import { tf, type Tensor2D } from '../runtime/tensors.js';

/** How far the embeddings of a batch differ from each other. */
export type EmbeddingSpread = {
  /** Mean squared distance from the mean embedding, `1 - |mean|^2` for unit rows: 0 when all are alike. */
  readonly spread: number;
  /** Directions in use, as participation ratio `(sum l)^2 / sum l^2` over the eigenvalues `l` of the covariance; from 1 up. */
  readonly effectiveRank: number;
};

/** Measures `[batch, dim]` embeddings. The eigenvalues are not computed: traces of the Gram matrix and of its square suffice. */
export function measureSpread(embeddings: Tensor2D): EmbeddingSpread {
  return tf.tidy(() => {
    const centred = tf.sub(embeddings, tf.mean(embeddings, 0, true)) as Tensor2D;
    const [rows, dim] = embeddings.shape;
    const gram = rows <= dim ? tf.matMul(centred, centred, false, true) : tf.matMul(centred, centred, true, false);
    const trace = tf.sum(tf.square(centred)).dataSync()[0]!;
    const squares = tf.sum(tf.square(gram)).dataSync()[0]!;
    return { spread: trace / rows, effectiveRank: squares > 0 ? (trace * trace) / squares : 1 };
  });
}

/** What the watch over a run remembers; part of the train state. */
export type HealthState = { readonly widest: number; readonly narrow: number };

/** The watch before the first step. */
export const initialHealth: HealthState = { widest: 0, narrow: 0 };

const collapsedSpread = 1e-4;
const collapsedShare = 0.01;
const patience = 3;

/** A run that goes nowhere. The message says what to try. */
export class TrainingProblem extends Error {
  override readonly name = 'TrainingProblem';
}

/**
 * Stops a run whose loss is no number.
 *
 * @throws TrainingProblem
 */
export function checkLoss(loss: number, step: number, learningRate: number): void {
  if (Number.isFinite(loss)) return;
  throw new TrainingProblem(
    `The loss is ${loss} at step ${step}. Lower the learning rate (now ${learningRate.toPrecision(3)}), or begin with a warm-up; ` +
      'then look for samples whose pixels are all alike',
  );
}

const divergedRatio = 3;
/** Fewer points of the curve tell no trend from noise. */
const leastPoints = 10;

/** The points of the last so many steps, of at least 10; none where the curve is shorter. */
const newest = <T extends { readonly step: number }>(history: readonly T[], steps: number): readonly T[] => {
  const now = history.at(-1)?.step ?? 0;
  if (now < steps || history.length < leastPoints) return [];
  const first = history.findIndex(({ step }) => step > now - steps);
  return history.slice(Math.min(first, history.length - leastPoints));
};

/**
 * Watches for divergence: a loss that is a number, above 3 times that of a network that has learned nothing at every point of a whole
 * epoch, and whose mean over the epoch's later half is no lower than over the earlier. A loss that begins high and falls is no such, nor is
 * one near its uniform value, however long it stays. Reads the curve alone, so that a resumed run comes to the same verdict.
 *
 * @param history points of the curve so far, each with its `uniform`
 * @param epochSteps steps of an epoch, or of the whole run where that is shorter
 * @returns what to do, at the first point that shows it
 */
export function watchLoss(
  history: readonly { readonly step: number; readonly loss: number; readonly [signal: string]: number }[],
  epochSteps: number,
): string | undefined {
  if (!hasDiverged(history, epochSteps) || hasDiverged(history.slice(0, -1), epochSteps)) return undefined;
  const { step, loss, uniform = NaN, learningRate = NaN } = history.at(-1)!;
  return (
    `The loss is ${loss.toPrecision(3)} at step ${step}, ${(loss / uniform).toPrecision(2)} times that of a network that has learned ` +
    `nothing (${uniform.toPrecision(3)}), and for an epoch it has not fallen: the run has diverged. Lower the learning rate (now ` +
    `${learningRate.toPrecision(3)}), or begin with a longer warm-up; where a method divides by a temperature, raise it`
  );
}

function hasDiverged(...[history, epochSteps]: Parameters<typeof watchLoss>): boolean {
  const points = newest(history, epochSteps);
  const isFar = points.every(({ loss, uniform = NaN }) => uniform > 0 && loss > divergedRatio * uniform);
  if (points.length === 0 || !isFar) return false;
  const losses = points.map(({ loss }) => loss);
  const half = Math.floor(losses.length / 2);
  return mean(losses.slice(-half)) >= mean(losses.slice(0, half));
}

/**
 * Gives embeddings back; stops a run whose weights have grown beyond numbers, though its losses may still be some.
 *
 * @throws TrainingProblem
 */
export function checkRows<T extends Tensor2D>(rows: T, step: number): T {
  const [sum] = takeValues(() => tf.sum(rows));
  if (Number.isFinite(sum)) return rows;
  rows.dispose();
  throw new TrainingProblem(
    `The embeddings of the samples are no numbers at step ${step}. Lower the learning rate, or begin with a warm-up`,
  );
}

/**
 * Watches for collapse: all embeddings (nearly) alike after they were not. A network may begin with near-equal features, so
 * narrow alone is no verdict; narrow and below a hundredth of the widest seen, three readings in a row, is.
 * Returns the new state, and the advice once the verdict is reached.
 */
export function watchSpread(
  state: HealthState,
  { spread }: EmbeddingSpread,
  step: number,
): { readonly state: HealthState; readonly advice?: string } {
  const widest = Math.max(state.widest, spread);
  const isNarrow = spread < collapsedSpread && spread < collapsedShare * widest;
  const next = { widest, narrow: isNarrow ? state.narrow + 1 : 0 };
  if (next.narrow !== patience) return { state: next };
  return {
    state: next,
    advice:
      `All embeddings have become alike (spread ${spread.toExponential(1)} at step ${step}, ${widest.toExponential(1)} before): ` +
      'the loss now sits at its value for equal features. Lower the learning rate or begin with a warm-up, and check that the ' +
      'views of a sample really show the same thing; the ranking loss may also begin with random negatives for longer, or ' +
      'have a lower margin, and the page of an image-based method says what else it may be',
  };
}
