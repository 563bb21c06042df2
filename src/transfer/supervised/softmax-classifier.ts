import type { Trunk } from '../../network/trunk.js';
import type { RandomStream } from '../../numeric/random.js';
import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor2D, type Variable } from '../../runtime/tensors.js';
import type { Method, NamedArrays } from '../../training/method.js';

/** Parameters of the supervised control. */
export type SoftmaxClassifierOptions<V> = {
  /** Draws a view of a sample; only end `a` is used. */
  readonly drawView: (end: 'a', random: RandomStream) => V;
  /** Class of each sample, from 0. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** The dense layer that the classes are read from. @default 'fc' */
  readonly layer?: string;
};

/**
 * Plain supervised classification: a linear layer behind a dense layer of the trunk, `mean_i -log softmax(f(x_i) W + b)[y_i]`.
 * Weights begin as `N(0, 0.01^2)`, biases at 0, so that the loss begins at `ln classes`.
 */
export function createSoftmaxClassifier<V>(options: SoftmaxClassifierOptions<V>): Method<V> {
  const { drawView, labels, classes, layer = 'fc' } = options;
  if (!Number.isInteger(classes) || classes < 2) {
    throw new RangeError(`Expected \`classes\` to be an integer from 2, got \`${classes}\` (${typeof classes})`);
  }
  const odd = labels.find((label) => !(label >= 0 && label < classes));
  if (odd !== undefined) throw new RangeError(`Expected labels from 0 to ${classes - 1}, got \`${odd}\``);
  let network: Trunk | undefined;
  let head: { readonly weight: Variable; readonly bias: Variable } | undefined;
  const ready = (): { network: Trunk; head: { weight: Variable; bias: Variable } } => {
    if (!network || !head) throw new Error('Expected `init` to be called before any other call');
    return { network, head };
  };
  return {
    name: 'supervised',
    views: (_sample, random) => [drawView('a', random)],
    init: (trunk, source, random) => {
      if (source.length !== labels.length) {
        throw new RangeError(`Expected one label a sample, got ${labels.length} for ${source.length} samples`);
      }
      const found = trunk.layers.find(({ name }) => name === layer);
      if (!found || found.height !== undefined) {
        throw new RangeError(`Expected \`layer\` to be a dense layer of ${trunk.architecture}, got \`${layer}\``);
      }
      const values = Float32Array.from({ length: found.channels * classes }, () => random.normal(0, 0.01));
      network = trunk;
      head = tf.tidy(() => ({
        weight: tf.variable(tf.tensor2d(values, [found.channels, classes])),
        bias: tf.variable(tf.zeros([classes])),
      }));
    },
    variables: () => new Map(Object.entries(ready().head)),
    step: ([images], { indices }) => {
      const { network, head } = ready();
      const features = network.features(images!, [layer], 'train')[layer] as Tensor2D;
      const logits = tf.add(tf.matMul(features, head.weight as unknown as Tensor2D), head.bias) as Tensor2D;
      const classOf = tf.tensor1d(
        indices.map((index) => labels[index]!),
        'int32',
      );
      const right = tf.equal(tf.argMax(logits, 1), classOf);
      return {
        loss: tf.mean(softmaxCrossEntropy(logits, classOf)) as Scalar,
        signals: { accuracy: tf.mean(tf.cast(right, 'float32')) },
      };
    },
    uniformLoss: () => Math.log(classes),
    save: () => Object.fromEntries(Object.entries(ready().head).map(([name, variable]) => [name, arrayOf(variable)])),
    load: (state) => {
      for (const [name, variable] of Object.entries(ready().head)) {
        const stored = state[name];
        if (!stored) throw new Error(`Expected a train state of \`supervised\` with \`${name}\``);
        tf.tidy(() => variable.assign(tf.tensor(stored.data, [...stored.shape], 'float32')));
      }
    },
    dispose: () => {
      for (const variable of Object.values(head ?? {})) variable.dispose();
      head = undefined;
    },
  };
}

const arrayOf = (variable: Variable): NamedArrays[string] => ({
  shape: variable.shape,
  data: variable.dataSync<'float32'>().slice(),
});
