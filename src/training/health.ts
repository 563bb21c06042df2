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
