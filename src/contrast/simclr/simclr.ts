import { mlp } from '../../network/head.js';
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import type { Method, StepResult } from '../../training/method.js';
import { checkPositive } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { projectUnit } from '../unit-projection.js';
import { drawViews, type DrawView } from '../views.js';
import { ntXent } from './nt-xent.js';

/** Parameters of SimCLR. */
export type SimclrOptions<V> = {
  /** Draws view 0 and view 1 of a sample. */
  readonly drawView: DrawView<V>;
  /**
   * tau. The paper has 0.1 on ImageNet in batches of 4096, and 0.5 on CIFAR-10. The lower it is, the more of the gradient comes
   * from the few most similar rows; in a batch of 64 these are few and often of the same thing.
   * @default 0.5
   */
  readonly temperature?: number;
  /**
   * The paper: one hidden layer as wide as the representation (2048) and 128 out; as released with batch norm behind both layers.
   * @default hidden 512, 128 out, batch norm behind both
   */
  readonly projector?: Projector;
};

/**
 * SimCLR (Chen et al. 2020): two augmented views of a picture are each other's positive, all other rows of the batch are
 * negatives. Both views go through the network in one batch, so that batch norm sees them together, as in the paper.
 */
export function createSimclr<V>(options: SimclrOptions<V>): Method<V> {
  const { drawView, temperature = 0.5 } = options;
  const { projector = mlp({ hidden: [512], dim: 128, batchNorm: 'all' }) } = options;
  checkPositive('temperature', temperature);
  let encoder: Encoder | undefined;
  /** Rows of the last batch: what the loss of equal features depends on. */
  let batchSize = 0;

  const ready = (): Encoder => {
    if (!encoder) throw new Error('Expected `init` to be called before any other call');
    return encoder;
  };

  const step = ([first, second]: readonly Tensor4D[]): StepResult => {
    batchSize = first!.shape[0];
    const rows = projectUnit(ready(), tf.concat4d([first!, second!], 0), 'train');
    const [a, b] = tf.split(rows, 2, 0) as [Tensor2D, Tensor2D];
    return {
      loss: tf.mean(ntXent(a, b, temperature)) as Scalar,
      signals: { ...similarity(a, b), embedding: rows },
    };
  };

  return {
    name: 'simclr',
    views: (sample, random) => drawViews(drawView, 2, sample, random),
    init: (trunk, _source, random) => {
      encoder = openEncoder(trunk, projector, random);
    },
    variables: () => ready().variables(),
    rules: () => ready().rules(),
    step,
    // Equal rows: every other row is as near as the partner.
    uniformLoss: () => Math.log(2 * batchSize - 1),
    save: () => ready().save(),
    load: (state) => ready().load(state),
    dispose: () => encoder?.dispose(),
  };
}

/** Mean cosine of partners, and of all other pairs of the `2 n` rows. All pairs together are `|sum of rows|^2`. */
const similarity = (first: Tensor2D, second: Tensor2D): { readonly positive: Tensor; readonly negative: Tensor } => {
  const n = first.shape[0];
  const positive = tf.mean(tf.sum(tf.mul(first, second), 1));
  const all = tf.sum(tf.square(tf.sum(tf.add(first, second), 0)));
  const negative = tf.div(tf.sub(all, tf.add(2 * n, tf.mul(positive, 2 * n))), Math.max(1, 2 * n * (2 * n - 2)));
  return { positive, negative };
};
