import type { Tensor4D } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { drawViews, type DrawView } from '../views.js';
import { MomentumContrast, type MomentumContrastOptions } from './momentum-contrast.js';

/** Parameters of MoCo v2. */
export type MocoOptions<V> = MomentumContrastOptions & {
  /** Draws view 0, the query, and view 1, the key, of a sample. */
  readonly drawView: DrawView<V>;
};

/**
 * MoCo v2 (He et al. 2020; Chen et al. 2020): a query must find the key of another view of its picture among the keys of
 * earlier batches. Keys come from a slow copy of the encoder, so that a long queue of them stays consistent.
 */
export function createMoco<V>(options: MocoOptions<V>): Method<V> {
  const { drawView } = options;
  const complete = MomentumContrast.complete(options);
  let contrast: MomentumContrast | undefined;

  const ready = (): MomentumContrast => {
    if (!contrast) throw new Error('Expected `init` to be called before any other call');
    return contrast;
  };

  const step = ([query, key]: readonly Tensor4D[], { random }: Batch): StepResult => {
    const { loss, queries, signals, commit } = ready().contrast(query!, key!, random);
    return { loss, signals: { ...signals, embedding: queries }, commit };
  };

  return {
    name: 'moco-v2',
    views: (sample, random) => drawViews(drawView, 2, sample, random),
    init: (trunk, source, random) => {
      contrast = new MomentumContrast(complete, { trunk, samples: source.length, random });
    },
    variables: () => ready().variables(),
    rules: () => ready().rules(),
    step,
    uniformLoss: () => ready().uniformLoss(),
    save: () => ready().save(),
    load: (state) => ready().load(state),
    dispose: () => contrast?.dispose(),
  };
}
