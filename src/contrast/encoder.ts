import { buildHead, type Head } from '../network/head.js';
import type { LayerRow } from '../network/layers.js';
import type { ForwardMode, Trunk } from '../network/trunk.js';
import type { RandomStream } from '../numeric/random.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../runtime/tensors.js';
import type { NamedArrays } from '../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../training/named-arrays.js';

/**
 * What stands between a picture and a loss. `embedding`: the trunk's own dense layers and unit rows, as the ranking loss has
 * them. Layers: a head of its own on the mean of the last map over its cells, which takes pictures of any size.
 */
export type Projector = 'embedding' | readonly LayerRow[];

/** A trunk with a projector. It owns the head, not the trunk. */
export type Encoder = {
  readonly trunk: Trunk;
  /** Absent for `embedding`. */
  readonly head: Head | undefined;
  /** Length of the rows that `project` gives. */
  readonly dim: number;
  /** `[batch, side, side, 3]` to `[batch, dim]`: the head's output as it is, not normalised; unit rows for `embedding`. */
  project(images: Tensor4D, mode: ForwardMode): Tensor2D;
  /** Trainable variables of the head, by name behind `prefix`. */
  variables(prefix?: string): Map<string, Variable>;
  /** Rates and decays of the head's variables, by the same names. */
  rules(prefix?: string): Map<string, { readonly rate: number; readonly decay: number }>;
  /** Running statistics of the head, for the train state, as `projector/NAME`. */
  save(): NamedArrays;
  /** Takes them out of a train state. */
  load(state: NamedArrays): void;
  dispose(): void;
};

/** The layer whose mean over cells is a picture's representation: the last map before pooling. */
export const representationLayer = 'conv5';

/** `y`, the representation `[batch, channels]` of pictures of any size: the mean of the last map over its cells. */
export const represent = (trunk: Trunk, images: Tensor4D, mode: ForwardMode): Tensor2D =>
  tf.tidy(() => {
    const map = trunk.features(images, [representationLayer], mode)[representationLayer] as Tensor4D;
    return tf.mean(map, [1, 2]);
  });

/** How many values {@link represent} gives a picture. */
export const representationDim = ({ layers, architecture }: Trunk): number => {
  const layer = layers.find(({ name }) => name === representationLayer);
  if (!layer) throw new Error(`Expected a trunk with the layer ${representationLayer}, got \`${architecture}\``);
  return layer.channels;
};

const prefixed = <T>(values: ReadonlyMap<string, T> | undefined, prefix: string): Map<string, T> =>
  new Map([...(values ?? [])].map(([name, value]) => [`${prefix}${name}`, value]));

const embeddingDim = ({ layers }: Trunk): number => layers.find(({ name }) => name === 'embedding')!.channels;

const buffersOf = (head: Head | undefined): ReadonlyMap<string, Variable> => head?.buffers ?? new Map();

const encoderOf = (trunk: Trunk, head: Head | undefined): Encoder => ({
  trunk,
  head,
  dim: head?.dim ?? embeddingDim(trunk),
  project: (images, mode) =>
    head ? tf.tidy(() => head.apply(represent(trunk, images, mode), mode)) : trunk.embed(images, mode),
  variables: (prefix = 'projector.') => prefixed(head?.variables, prefix),
  rules: (prefix = 'projector.') => prefixed(head?.rules, prefix),
  save: () => namedArraysOf(buffersOf(head), 'projector/'),
  load: (state) => assignNamedArrays(buffersOf(head), state, 'projector/'),
  dispose: () => head?.dispose(),
});

/** Puts a projector on a trunk; `random` draws the head's first values. */
export const openEncoder = (trunk: Trunk, projector: Projector, random: RandomStream): Encoder =>
  encoderOf(trunk, projector === 'embedding' ? undefined : buildHead(projector, representationDim(trunk), random));

/** An encoder of copies: trunk and head with the same values, to be moved or kept apart. Its owner disposes both parts. */
export const copyEncoder = ({ head }: Encoder, trunk: Trunk): Encoder => encoderOf(trunk, head?.clone());
