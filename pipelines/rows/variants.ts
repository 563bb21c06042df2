import { pickPictures } from '../../src/images/pick-pictures.js';
import { RandomStream } from '../../src/numeric/random.js';
import type { Json } from '../../src/pipeline/json.js';
import type { PretrainParams } from '../benchmark/params.js';
import type { Row, TrainingSet } from './row.js';

/** A row with something changed: a point of a scaling study. */
export type Variant = {
  /** Of the row: `jigsaw, 500 images, small, 100 permutations`. */
  readonly name: string;
  readonly architecture?: PretrainParams['architecture'];
  /** Learn from so many pictures, drawn by the seed of the run. */
  readonly maxImages?: number;
  /** Other values of the method's own parameters. */
  readonly own?: { readonly [key: string]: Json };
};

/** Parameters as a variant has them. */
const paramsOf = (row: Row, { own }: Variant, params: PretrainParams): PretrainParams => {
  if (!own || row.imageMethod === undefined) return params;
  const all = params as unknown as { readonly [method: string]: object };
  return { ...params, [row.imageMethod]: { ...all[row.imageMethod], ...own } } as PretrainParams;
};

const fewer = (set: TrainingSet, maxImages: number, seed: number): TrainingSet => {
  if (set.kind !== 'images') throw new Error(`Expected pictures to take fewer of, got ${set.kind}`);
  const { cache } = set;
  if (maxImages >= cache.count) return set;
  const drawn = RandomStream.of(seed, 'fewer pictures').sample(cache.count, maxImages);
  return {
    kind: 'images',
    cache: pickPictures(
      cache,
      drawn.sort((a, b) => a - b),
    ),
  };
};

/** The row as the variant has it: under its name, with its trunk, pictures and parameters. */
export const variantOf = (row: Row, variant: Variant): Row => {
  const { training } = row;
  const { name, architecture, maxImages } = variant;
  return {
    ...row,
    name,
    ...(architecture === undefined ? {} : { architecture }),
    own: (params) => row.own(paramsOf(row, variant, params)),
    ...(training
      ? {
          training: {
            ...training,
            batchSize: (params, inputSize) => training.batchSize(paramsOf(row, variant, params), inputSize),
            ...(training.check
              ? {
                  check: (params, inputSize, samples) =>
                    training.check!(paramsOf(row, variant, params), inputSize, samples),
                }
              : {}),
            assemble: (context) =>
              training.assemble({
                ...context,
                params: paramsOf(row, variant, context.params),
                set: maxImages === undefined ? context.set : fewer(context.set, maxImages, context.seed),
              }),
          },
        }
      : {}),
  };
};
