import { buildHead, type Head } from '../../network/head.js';
import { batchNorm, linear, relu } from '../../network/layers.js';
import type { Trunk } from '../../network/trunk.js';
import { tf, type Tensor4D } from '../../runtime/tensors.js';
import type { Method, StepResult } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';
import { accuracy } from '../accuracy.js';
import { representationDim } from '../encoder.js';
import { lastMap, pooledRows, unitMean } from '../pooled-map.js';
import { drawViews, type DrawView } from '../views.js';
import { rotationLoss } from './rotation-loss.js';
import { allRotations, rotationLabels } from './all-rotations.js';

/** Parameters of rotation prediction. */
export type RotnetOptions<V> = {
  /** Draws the one view of a sample, upright. */
  readonly drawView: DrawView<V>;
  /**
   * The classifier reads the last map averaged over `cells x cells` parts. The paper's network goes on with dense layers that see every
   * cell; with 1, the four classes must be told by which features are there alone. @default 3
   */
  readonly cells?: number;
  /** Width of the classifier's hidden layer, with batch norm; 0 for a linear one. @default 512 */
  readonly hidden?: number;
};

/**
 * RotNet (Gidaris et al. 2018): every picture is shown in its four rotations, and the network says which is which. To do so it must
 * find what stands, hangs and faces where.
 */
export function createRotnet<V>({ drawView, cells = 3, hidden = 512 }: RotnetOptions<V>): Method<V> {
  if (!Number.isInteger(cells) || cells < 1) {
    throw new RangeError(`Expected \`cells\` to be a whole number above 0, got \`${cells}\` (${typeof cells})`);
  }
  if (!Number.isInteger(hidden) || hidden < 0) {
    throw new RangeError(
      `Expected \`hidden\` to be a whole number of at least 0, got \`${hidden}\` (${typeof hidden})`,
    );
  }
  let parts: { readonly trunk: Trunk; readonly classifier: Head } | undefined;
  const ready = () => {
    if (!parts) throw new Error('Expected `init` to be called before any other call');
    return parts;
  };

  const step = ([upright]: readonly Tensor4D[]): StepResult => {
    const { trunk, classifier } = ready();
    const map = lastMap(trunk, allRotations(upright!), 'train');
    const logits = classifier.apply(pooledRows(map, cells), 'train');
    const batch = upright!.shape[0];
    return {
      loss: rotationLoss(logits),
      signals: {
        accuracy: accuracy(logits, tf.tensor1d(rotationLabels(batch), 'int32')),
        embedding: unitMean(tf.slice(map, 0, batch)),
      },
    };
  };

  return {
    name: 'rotnet',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, _source, random) => {
      const between = hidden > 0 ? [linear(hidden), batchNorm(), relu()] : [];
      // Small weights, so that the loss begins at chance.
      const layers = [...between, linear(4, { init: { std: 0.01 } })];
      parts = { trunk, classifier: buildHead(layers, cells * cells * representationDim(trunk), random) };
    },
    variables: () => ready().classifier.variables,
    rules: () => ready().classifier.rules,
    step,
    uniformLoss: () => Math.log(4),
    save: () => namedArraysOf(ready().classifier.buffers, 'classifier/'),
    load: (state) => assignNamedArrays(ready().classifier.buffers, state, 'classifier/'),
    dispose: () => parts?.classifier.dispose(),
  };
}
