import { augmentationPolicies, drawAugmentation } from '../../src/images/augmentation.js';
import type { AugmentationPolicy, ViewSpec } from '../../src/images/augmentation.js';
import { openImageSource, openPairSource, openPatchSource } from '../../src/images/pair-source.js';
import type { ImageTarget } from '../../src/images/render-views.js';
import type { Json } from '../../src/pipeline/json.js';
import type { RandomStream } from '../../src/numeric/random.js';
import type { DrawView } from '../../src/contrast/views.js';
import type { PretrainParams } from '../benchmark/params.js';
import type { ImageMethod, ViewPlan, ViewSetting } from '../methods/image-method.js';
import { basePolicy } from './base-policy.js';
import { drawnEnd } from './drawn-end.js';
import { pairsOf, type Row, type RowContext, type TrainingSet } from './row.js';

/**
 * What an image-based method takes for a sample. `images`: a picture. `patches`: one end of a track, every end being a sample.
 * `tracks`: a track, whose two ends are the two views. `plain tracks`: the same, not augmented, so that tracking alone tells the
 * views apart.
 */
export type Samples = 'images' | 'patches' | 'tracks' | 'plain tracks';

const suffixes: Readonly<Record<Samples, string>> = {
  images: '',
  patches: '',
  tracks: '-tracks',
  'plain tracks': '-tracks-plain',
};

/** How a method's parameters stand under its name. */
const ownParams = ({ name, params }: ImageMethod, all: PretrainParams): object =>
  params.parse((all as { readonly [method: string]: unknown })[name] ?? {});

const baseOf = ({ augmentation, views }: PretrainParams, samples: Samples): AugmentationPolicy | undefined => {
  if (samples === 'plain tracks') return augmentationPolicies.none;
  return augmentation === 'own' ? undefined : basePolicy(augmentation, views);
};

const settingOf = (params: PretrainParams, samples: Samples, inputSize: number): ViewSetting => {
  const base = baseOf(params, samples);
  return { inputSize, ...(base ? { base } : {}) };
};

/** Pictures of full size that a sample is worth: by area, unless the method says so. */
const imagesPerSample = (method: ImageMethod, own: object, setting: ViewSetting): number =>
  method.imagesPerSample?.(own, setting) ??
  method.views(own, setting).reduce((sum, { size = setting.inputSize }) => sum + (size / setting.inputSize) ** 2, 0);

const batchSizeOf = (method: ImageMethod, params: PretrainParams, setting: ViewSetting): number => {
  const own = ownParams(method, params);
  return Math.max(2, Math.round((2 * params.batchPairs) / imagesPerSample(method, own, setting)));
};

/** Which end of a track a view shows. */
const endOf = (
  { tracks }: ImageMethod,
  samples: Samples,
  view: number,
  { params, random }: { readonly params: PretrainParams; readonly random: RandomStream },
): ViewSpec['end'] => {
  if (samples === 'images' || samples === 'patches') return 'a';
  if (tracks === 'one of both') return random.chance(0.5) ? 'b' : 'a';
  return drawnEnd(view % 2 === 0 ? 'a' : 'b', params.views, random);
};

const sourceOf = (set: TrainingSet, samples: Samples, { seed, target }: { seed: number; target: ImageTarget }) => {
  if (set.kind === 'images') return openImageSource(set.cache, { target });
  return samples === 'patches'
    ? openPatchSource(set.cache, { target })
    : openPairSource(pairsOf(set), 'tracks', { seed, target });
};

/** The views as planned; where nothing is to be varied, as they are, whatever a method would make of it. */
const plansOf = (method: ImageMethod, own: object, setting: ViewSetting): readonly ViewPlan[] => {
  const { none } = augmentationPolicies;
  const plans = method.views(own, setting);
  return setting.base === none ? plans.map((plan) => ({ ...plan, policy: none })) : plans;
};

type CreateOptions = Pick<RowContext, 'params'> & { readonly inputSize: number; readonly samples: number };

const create = (method: ImageMethod, kind: Samples, { params, inputSize, samples }: CreateOptions) => {
  const setting = settingOf(params, kind, inputSize);
  const own = ownParams(method, params);
  const plans = plansOf(method, own, setting);
  const drawView: DrawView<ViewSpec> = (_sample, view, random) => {
    const { policy, size } = plans[view]!;
    const end = endOf(method, kind, view, { params, random });
    return { end, augmentation: drawAugmentation(policy, random), ...(size === undefined ? {} : { size }) };
  };
  const batchSize = batchSizeOf(method, params, setting);
  return {
    method: method.create(own, { drawView, inputSize, steps: params.steps, batchSize, samples }),
    batchSize,
  };
};

const assemble = (method: ImageMethod, samples: Samples, { params, set, target, seed }: RowContext) => {
  const source = sourceOf(set, samples, { seed, target });
  const made = create(method, samples, { params, inputSize: target.inputSize, samples: source.length });
  return { ...made, source };
};

const wordsOf = ({ tracks }: ImageMethod, samples: Samples): string => {
  const ends =
    tracks === 'two views'
      ? ', the two ends of a track in the place of two views'
      : ', one end of a track, drawn anew each time, in the place of a picture';
  return {
    images: '',
    patches: ', on the patches of the tracks',
    tracks: ends,
    'plain tracks': `${ends}, not augmented`,
  }[samples];
};

/** The row of an image-based method on one kind of samples; `name` where several rows of a table would share one. */
export const imageRow = (method: ImageMethod, samples: Samples, name = method.name + suffixes[samples]): Row => ({
  name,
  role: 'method',
  summary: `${method.title} (${method.paper}): ${method.summary}${wordsOf(method, samples)}`,
  learnsFrom: samples === 'images' ? 'images' : 'pairs',
  imageMethod: method.name,
  own: (params) => ({
    ...(ownParams(method, params) as { [key: string]: Json }),
    ...(suffixes[samples] === '' ? {} : { samples }),
  }),
  training: {
    batchSize: (params, inputSize) => batchSizeOf(method, params, settingOf(params, samples, inputSize)),
    samples: (count) => (samples === 'patches' ? 2 * count : count),
    check: (params, inputSize, count) => {
      if (method.needsColour && params.colour === 'grey') {
        throw new RangeError('expected `pretrain.colour` to be rgb, got `grey`: it learns from colours');
      }
      const created = create(method, samples, { params, inputSize, samples: count });
      created.method.dispose();
    },
    assemble: (context) => assemble(method, samples, context),
  },
});

/**
 * A method's rows on mined pairs: on single patches, on tracks, and, where it compares views, on tracks whose two ends alone tell
 * the views apart.
 */
export const rowsOnPairs = (method: ImageMethod, patchesName?: string): Row[] => [
  imageRow(method, 'patches', patchesName),
  ...(method.tracks === 'none' ? [] : [imageRow(method, 'tracks')]),
  ...(method.tracks === 'two views' ? [imageRow(method, 'plain tracks')] : []),
];
