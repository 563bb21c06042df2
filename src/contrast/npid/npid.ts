import { tf, type Scalar, type Tensor4D } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { loadBank, saveBank } from '../bank-state.js';
import { checkShare } from '../check-number.js';
import { openEncoder, type Encoder, type Projector } from '../encoder.js';
import { fillBank, type BankStart } from '../fill-bank.js';
import { MemoryBank } from '../memory-bank.js';
import { projectUnit } from '../unit-projection.js';
import { drawViews, type DrawView } from '../views.js';
import { InstanceDiscrimination, type InstanceOptions } from './instance-discrimination.js';
import { proximalLoss } from './proximal-loss.js';

/** Parameters of instance discrimination. */
export type NpidOptions<V> = InstanceOptions & {
  /** Draws the one view of a sample. */
  readonly drawView: DrawView<V>;
  /** Share of the old row in a bank update. @default 0.5 */
  readonly momentum?: number;
  /** @default 'random' */
  readonly bankStart?: BankStart;
  /** Weight lambda of the proximal term of the paper; the released code has none. @default 0 */
  readonly proximal?: number;
  /** The paper's is a linear layer to 128 values and unit rows. @default 'embedding' */
  readonly projector?: Projector;
};

/**
 * Non-parametric instance discrimination (NPID; Wu et al. 2018): every sample is a class of its own, represented by its row in
 * a memory bank.
 */
export function createNpid<V>(options: NpidOptions<V>): Method<V> {
  const { drawView, momentum = 0.5, proximal = 0, bankStart = 'random', projector = 'embedding' } = options;
  checkShare('momentum', momentum);
  if (!(proximal >= 0 && proximal < Infinity)) {
    throw new RangeError(`Expected \`proximal\` to be a number from 0, got \`${proximal}\` (${typeof proximal})`);
  }
  const instances = new InstanceDiscrimination(options);
  let state: { readonly encoder: Encoder; readonly bank: MemoryBank } | undefined;

  const ready = () => {
    if (!state) throw new Error('Expected `init` to be called before any other call');
    return state;
  };

  const step = (views: readonly Tensor4D[], { indices, random }: Batch): StepResult => {
    const { encoder, bank } = ready();
    const embedding = projectUnit(encoder, views[0]!, 'train');
    const comparison = instances.compare(embedding, bank, indices, random);
    const before = proximal > 0 ? proximalLoss(embedding, bank.rowsOf(indices)) : undefined;
    return {
      loss: before ? (tf.add(comparison.loss, tf.mul(before, proximal)) as Scalar) : comparison.loss,
      signals: { ...instances.signals(comparison), ...(before ? { proximal: before } : {}), embedding },
      commit: bank.updateAfter(indices, embedding, momentum),
    };
  };

  return {
    name: 'npid',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, source, random) => {
      const encoder = openEncoder(trunk, projector, random);
      state = { encoder, bank: new MemoryBank(source.length, encoder.dim, random) };
    },
    variables: () => ready().encoder.variables(),
    rules: () => ready().encoder.rules(),
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
      state = undefined;
    },
  };
}
