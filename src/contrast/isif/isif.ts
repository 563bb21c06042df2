import { tf, type Scalar, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import type { Method, StepResult } from '../../training/method.js';
import { checkCount, checkPositive } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { projectUnit } from '../unit-projection.js';
import { drawViews, type DrawView } from '../views.js';
import { batchInstanceLoss, uniformBatchInstanceLoss } from './batch-instance-loss.js';

/** Parameters of the invariant and spreading instance feature. */
export type IsifOptions<V> = {
  /** Draws the two views of a sample. The paper leaves one of them as it is; the released code varies both, each anew. */
  readonly drawView: DrawView<V>;
  /** Samples a step, for the loss of equal features. */
  readonly batchSize: number;
  /** Temperature. @default 0.1 */
  readonly tau?: number;
  /** Weight lambda of the spreading part, from 1; the paper has none, the released code an option `negM`. @default 1 */
  readonly negativeWeight?: number;
  /** The paper's is a linear layer to 128 values and unit rows. @default 'embedding' */
  readonly projector?: Projector;
};

/**
 * Invariant and spreading instance feature (ISIF; Ye et al. 2019): the two views of a sample are alike, different samples of the
 * batch are apart. No memory: what a sample is compared with is the batch. Both views pass the network as one batch, as released.
 */
export function createIsif<V>(options: IsifOptions<V>): Method<V> {
  const { drawView, batchSize, tau = 0.1, negativeWeight = 1, projector = 'embedding' } = options;
  checkPositive('tau', tau);
  if (!(negativeWeight >= 1 && negativeWeight < Infinity)) {
    throw new RangeError(
      `Expected \`negativeWeight\` to be a number from 1, got \`${negativeWeight}\` (${typeof negativeWeight})`,
    );
  }
  checkCount('batchSize', batchSize, 2); // samples are told from others of the batch
  let encoder: Encoder | undefined;

  const ready = (): Encoder => {
    if (!encoder) throw new Error('Expected `init` to be called before any other call');
    return encoder;
  };

  const step = (views: readonly Tensor4D[]): StepResult => {
    const [first, second] = views as [Tensor4D, Tensor4D];
    const rows = projectUnit(ready(), tf.concat([first, second]), 'train');
    const { loss, invariance, spreading } = batchInstanceLoss(rows, { tau, negativeWeight });
    return {
      loss,
      signals: {
        ...similarities(rows),
        invariance: tf.mean(invariance),
        spreading: tf.mean(spreading),
        embedding: tf.slice(rows, 0, first.shape[0]),
      },
    };
  };

  return {
    name: 'isif',
    views: (sample, random) => drawViews(drawView, 2, sample, random),
    init: (trunk, _source, random) => {
      encoder = openEncoder(trunk, projector, random);
    },
    variables: () => ready().variables(),
    rules: () => ready().rules(),
    step,
    uniformLoss: () => uniformBatchInstanceLoss(batchSize, negativeWeight),
    save: () => ready().save(),
    load: (arrays) => ready().load(arrays),
    dispose: () => {
      encoder?.dispose();
      encoder = undefined;
    },
  };
}

/** Mean cosine of the two views of a sample, and of views of different samples. */
const similarities = (rows: Tensor2D): { readonly positive: Scalar; readonly negative: Scalar } => {
  const count = rows.shape[0];
  return tf.tidy(() => {
    const [first, second] = tf.split(rows, 2) as [Tensor2D, Tensor2D];
    const positive = tf.mean(tf.sum(tf.mul(first, second), 1));
    // The square of the sum of all rows holds every pair: each row with itself, with its other view, and with the rest.
    const pairs = tf.sum(tf.square(tf.sum(rows, 0)));
    const negative = tf.div(tf.sub(pairs, tf.mul(tf.add(positive, 1), count)), count * (count - 2));
    return { positive, negative } as { positive: Scalar; negative: Scalar };
  });
};
