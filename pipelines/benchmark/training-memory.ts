import { isBuffered, type PictureMemory } from '../../src/images/stored-pictures.js';
import { leastBufferBytes } from '../../src/images/sample-buffer.js';
import type { Artefact, StageOutput } from '../../src/pipeline/stage.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import type { TrainingSet } from '../rows/row.js';
import type { PretrainParams } from './params.js';

/** A file of a training set that the stage `pack` or `images` left: `json`, or `pixels.bin`. */
export const setFile = (output: StageOutput, kind: TrainingSet['kind'], ending: string): Artefact => {
  const name = `${kind === 'pairs' ? 'pairs' : 'pictures'}.${ending}`;
  const files = [...output.artefacts, ...output.items.flatMap(({ artefacts }) => artefacts)];
  const file = files.find((one) => one.name.endsWith(name));
  if (!file) throw new Error(`Expected the stage \`${output.stage}\` to have written ${name}`);
  return file;
};

/** The memory that the decoded pictures of a training may take. */
export const pictureMemory = ({ memoryMb, shuffle }: PretrainParams): PictureMemory => ({
  memoryBytes: memoryMb * 2 ** 20,
  shuffle,
});

/**
 * What of the memory decides the order of a set's samples, and so what a training is: its size, where the set is read through a buffer; nothing
 * where it is held whole, or read at random.
 *
 * @throws UsageError where the buffer would hold next to nothing
 */
export const bufferOf = (
  output: StageOutput,
  kind: TrainingSet['kind'],
  params: PretrainParams,
): { readonly bufferMb: number } | undefined => {
  const { memoryMb } = params;
  const pixels = setFile(output, kind, 'pixels.bin');
  if (!isBuffered(pixels.bytes, pictureMemory(params))) return undefined;
  const { cachePx } = output.params as { cachePx: number };
  const least = Math.ceil(leastBufferBytes(cachePx) / 2 ** 20);
  if (memoryMb >= least) return { bufferMb: memoryMb };
  throw new UsageError(
    `Expected \`pretrain.memoryMb\` to be at least ${least} for pictures of ${cachePx} x ${cachePx} px, got \`${memoryMb}\``,
  );
};
