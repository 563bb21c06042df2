import { mlp } from '../../network/head.js';
import { tf, type Scalar, type Tensor4D } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { loadBank, saveBank } from '../bank-state.js';
import { checkCount, checkShare } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { fillBank, type BankStart } from '../fill-bank.js';
import { MemoryBank } from '../memory-bank.js';
import { InstanceDiscrimination, type InstanceOptions } from '../npid/instance-discrimination.js';
import { projectUnit } from '../unit-projection.js';
import { drawViews, type DrawView } from '../views.js';
import { JigsawBranch } from './jigsaw-branch.js';

/** Parameters of PIRL. */
export type PirlOptions<V> = InstanceOptions & {
  /** Draws view 0, the image, and view 1, the picture that is cut into patches. */
  readonly drawView: DrawView<V>;
  /** Side of a patch, px; the cells of view 1, a third of its side, must not be smaller. The paper's 64 of 85. */
  readonly patch: number;
  /** Weight lambda of the patches, 0 to 1; the image has the rest. @default 0.5 */
  readonly patchWeight?: number;
  /** Share of the old row in a bank update. @default 0.5 */
  readonly momentum?: number;
  /** @default 'random' */
  readonly bankStart?: BankStart;
  /** Of the image. @default a linear layer to 128 values, the paper's */
  readonly projector?: Projector;
};

/**
 * Pretext-invariant representations (PIRL; Misra & van der Maaten 2020): a picture and its jigsaw puzzle are to be recognised as the
 * same sample, `L = lambda NCE(m_i, g(patches)) + (1 - lambda) NCE(m_i, f(image))`, by a memory bank that the image alone
 * writes. As released in VISSL, NCE is that of instance discrimination, with one Z for both; each branch draws noise of its own.
 */
export function createPirl<V>(options: PirlOptions<V>): Method<V> {
  const { drawView, patch, patchWeight = 0.5, momentum = 0.5, bankStart = 'random' } = options;
  const { projector = mlp({ hidden: [], dim: 128, batchNorm: 'none' }) } = options;
  checkCount('patch', patch);
  if (!(patchWeight >= 0 && patchWeight <= 1)) {
    throw new RangeError(
      `Expected \`patchWeight\` to be a number from 0 to 1, got \`${patchWeight}\` (${typeof patchWeight})`,
    );
  }
  checkShare('momentum', momentum);
  const instances = new InstanceDiscrimination(options);
  let state: { readonly encoder: Encoder; readonly jigsaw: JigsawBranch; readonly bank: MemoryBank } | undefined;

  const ready = () => {
    if (!state) throw new Error('Expected `init` to be called before any other call');
    return state;
  };

  const step = (views: readonly Tensor4D[], { indices, random }: Batch): StepResult => {
    const { encoder, jigsaw, bank } = ready();
    const image = projectUnit(encoder, views[0]!, 'train');
    const puzzle = jigsaw.project(views[1]!, 'train', random);
    const ofImage = instances.compare(image, bank, indices, random);
    const ofPuzzle = instances.compare(puzzle, bank, indices, random);
    return {
      loss: tf.add(tf.mul(ofImage.loss, 1 - patchWeight), tf.mul(ofPuzzle.loss, patchWeight)) as Scalar,
      signals: {
        ...instances.signals(ofImage),
        image: ofImage.loss,
        puzzle: ofPuzzle.loss,
        positivePuzzle: tf.mean(ofPuzzle.positive),
        embedding: image,
      },
      // By the image alone.
      commit: bank.updateAfter(indices, image, momentum),
    };
  };

  return {
    name: 'pirl',
    views: (sample, random) => drawViews(drawView, 2, sample, random),
    init: (trunk, source, random) => {
      const encoder = openEncoder(trunk, projector, random);
      const jigsaw = new JigsawBranch(trunk, { patch, dim: encoder.dim }, random);
      state = { encoder, jigsaw, bank: new MemoryBank(source.length, encoder.dim, random) };
    },
    variables: () => new Map([...ready().encoder.variables(), ...ready().jigsaw.variables()]),
    rules: () => new Map([...ready().encoder.rules(), ...ready().jigsaw.rules()]),
    beforeEpoch: (epoch, embedAll) => {
      if (epoch === 0 && bankStart === 'features') fillBank(ready(), embedAll);
    },
    step,
    uniformLoss: () => instances.uniformLoss(ready().bank.rows),
    save: () => saveBank({ ...ready(), instances }),
    load: (arrays) => loadBank({ ...ready(), instances }, arrays),
    dispose: () => {
      state?.bank.dispose();
      state?.encoder.dispose();
      state?.jigsaw.dispose();
      state = undefined;
    },
  };
}
