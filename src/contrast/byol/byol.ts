import { buildHead, mlp, type Head } from '../../network/head.js';
import type { LayerRow } from '../../network/layers.js';
import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';
import { checkCount, checkShare } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { MomentumEncoder } from '../momentum-encoder.js';
import { drawViews, type DrawView } from '../views.js';
import { regressionLoss } from './regression-loss.js';
import { startMomentumFor, targetMomentum } from './target-momentum.js';

/** Parameters of BYOL. */
export type ByolOptions<V> = {
  /** Draws view 0 and view 1 of a sample. */
  readonly drawView: DrawView<V>;
  /** Steps of the run, over which the target comes to rest. */
  readonly steps: number;
  /** tau0, the share of itself that the target keeps at the first step. @default by the length of the run */
  readonly startMomentum?: number;
  /** The paper: one hidden layer of 4096 with batch norm, 256 out. @default hidden 512 with batch norm, 128 out */
  readonly projector?: Projector;
  /**
   * From a projection to the prediction of the other view's; the paper has the shape of the projector. No layers is no predictor: the
   * loss then falls to 0 as all pictures become alike.
   * @default hidden 512 with batch norm, as long as the projection
   */
  readonly predictor?: readonly LayerRow[];
};

type State = { readonly encoder: Encoder; readonly predictor: Head; readonly target: MomentumEncoder };

/**
 * Bootstrap your own latent (Grill et al. 2020): from one view an online network predicts what a slow copy of it, the target,
 * makes of the other view; both orders count. There are no negatives.
 *
 * As released, each view passes by itself, with batch-norm statistics of its own, in both networks. The target begins as a
 * copy of the online network; the released program draws it anew, and says that this makes no difference.
 */
export function createByol<V>(options: ByolOptions<V>): Method<V> {
  const { drawView, steps } = options;
  checkCount('steps', steps);
  const { startMomentum = startMomentumFor(steps) } = options;
  checkShare('startMomentum', startMomentum);
  const { projector = mlp({ hidden: [512], dim: 128, batchNorm: 'hidden' }) } = options;
  let state: State | undefined;

  const ready = (): State => {
    if (!state) throw new Error('Expected `init` to be called before any other call');
    return state;
  };
  const buffers = (): Map<string, Variable> => {
    const { encoder, predictor } = ready();
    return new Map([...named(encoder.head?.buffers, 'projector.'), ...named(predictor.buffers, 'predictor.')]);
  };

  const step = (views: readonly Tensor4D[], batch: Batch): StepResult => {
    const { encoder, predictor, target } = ready();
    const projections = views.map((view) => encoder.project(view, 'train'));
    const predictions = projections.map((projection) => predictor.apply(projection, 'train'));
    const targets = views.map((view) => target.project(view, 'train'));
    const [first, second] = [
      regressionLoss(predictions[0]!, targets[1]!),
      regressionLoss(predictions[1]!, targets[0]!),
    ];
    const momentum = targetMomentum(startMomentum, batch.step, steps);
    return {
      loss: tf.mean(tf.add(first, second)) as Scalar,
      signals: {
        momentum,
        embedding: l2Normalize(tf.concat2d(projections as Tensor2D[], 0)),
      },
      commit: () => target.update(momentum),
    };
  };

  return {
    name: 'byol',
    views: (sample, random) => drawViews(drawView, 2, sample, random),
    init: (trunk, _source, random) => {
      const encoder = openEncoder(trunk, projector, random);
      const layers = options.predictor ?? mlp({ hidden: [512], dim: encoder.dim, batchNorm: 'hidden' });
      const predictor = buildHead(layers, encoder.dim, random);
      if (predictor.dim !== encoder.dim) {
        throw new RangeError(
          `Expected \`predictor\` to give rows as long as the projection, ${encoder.dim}, got ${predictor.dim}`,
        );
      }
      state = { encoder, predictor, target: new MomentumEncoder(encoder) };
    },
    variables: () => new Map([...ready().encoder.variables(), ...named(ready().predictor.variables, 'predictor.')]),
    rules: () => new Map([...ready().encoder.rules(), ...named(ready().predictor.rules, 'predictor.')]),
    step,
    // Predictions that have nothing to do with their targets: 2 in each order.
    uniformLoss: () => 4,
    save: () => ({ ...ready().target.save(), ...namedArraysOf(buffers(), 'heads/') }),
    load: (arrays) => {
      ready().target.load(arrays);
      assignNamedArrays(buffers(), arrays, 'heads/');
    },
    dispose: () => {
      state?.target.dispose();
      state?.predictor.dispose();
      state?.encoder.dispose();
      state = undefined;
    },
  };
}

const named = <T>(values: ReadonlyMap<string, T> | undefined, prefix: string): [string, T][] =>
  [...(values ?? [])].map(([name, value]) => [`${prefix}${name}`, value]);
