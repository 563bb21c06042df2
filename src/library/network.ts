import { availableParallelism } from 'node:os';
import path from 'node:path';
import { checkPath, checkWeights } from '../../pipelines/benchmark/target-folders.js';
import type { FeatureMatrix } from '../neighbors/feature-matrix.js';
import { buildTrunk } from '../network/build-trunk.js';
import type { Trunk } from '../network/trunk.js';
import { hashTrunk, loadTrunk, modelFiles } from '../network/weights.js';
import { RandomStream } from '../numeric/random.js';
import { UsageError } from '../pipeline/usage-error.js';
import { isEncoderFile, readEncoderFile } from '../transfer/encoder/encoder-file.js';
import { openEncoder } from '../transfer/encoder/onnx-encoder.js';
import { checkOnnxruntime } from '../transfer/encoder/onnx-session.js';
import { checkInteger, checkPathGiven } from './check-arguments.js';
import type { EvaluateOptions, Evaluation } from './evaluation.js';
import { networkOf } from './network-of.js';
import type { Picture } from './picture.js';
import { ensureSetUp } from './set-up.js';
import { takeStatistics } from './take-statistics.js';

/** A place where features can be read. */
export type NetworkLayer = {
  readonly name: string;
  readonly channels: number;
  /** Cells of its maps; absent for a layer that gives one row of values a picture. */
  readonly height?: number;
  readonly width?: number;
};

/** How pictures become features. */
export type EmbedOptions = {
  /** @default 'conv5', of an ONNX encoder its only one, 'output' */
  readonly layer?: string;
  /** Maps are averaged to this many cells a side; of layers without maps it says nothing. @default 2 */
  readonly pool?: number;
  /** Side to which pictures are decoded before the network's own size. @default the network's `inputSize` */
  readonly px?: number;
  /** Pictures a forward pass. @default 64 */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  /** Hears after each pass how many pictures are done. */
  readonly onProgress?: (done: number) => void;
};

/** An opened network, frozen. It holds memory outside JavaScript's until `dispose`. */
export type Network = {
  /** `small`, `resnet18`, …; `onnx` for an encoder from elsewhere. */
  readonly architecture: string;
  /** sha256 of its weights. */
  readonly sha256: string;
  /** Side of the pictures that it sees, px. */
  readonly inputSize: number;
  readonly layers: readonly NetworkLayer[];
  /**
   * Features of pictures, a row each, in their order; maps lie row, column, channel. Memory grows with the features alone: pictures may come from
   * a generator, and are decoded a batch at a time.
   *
   * @throws UsageError naming a picture that cannot be read or decoded; RangeError for options
   */
  embed(pictures: Iterable<Picture> | AsyncIterable<Picture>, options?: EmbedOptions): Promise<FeatureMatrix>;
  /**
   * Tries its features, frozen, on a folder of classes (`train/<class>/…` and `test/<class>/…`, `<class>/…`, or Caltech-101's layout): what
   * `transfer` of a run measures, by the same code.
   *
   * @throws UsageError naming what is wrong with the folder; RangeError for options
   */
  evaluate(folder: string, options?: EvaluateOptions): Promise<readonly Evaluation[]>;
  dispose(): void;
};

/**
 * Opens weights: a folder with `model.json` and `weights.safetensors` (what a run leaves below `pretrain/`, and what `import` makes of
 * torchvision's files), the `weights.safetensors` in such a folder, or an ONNX encoder of pictures (`.onnx`, which wants `onnxruntime-node`).
 *
 * @throws UsageError naming what is missing, changed or not understood
 */
export const loadNetwork = async (weights: string): Promise<Network> => {
  checkPathGiven('weights', weights);
  checkPath('the network', weights);
  if (isEncoderFile(weights)) {
    const encoder = readEncoderFile(weights);
    checkOnnxruntime();
    await ensureSetUp();
    return networkOf(openEncoder(encoder, availableParallelism()), 'encoder', encoder.digest);
  }
  const folder = folderOf(weights);
  checkWeights('the network', folder);
  await ensureSetUp();
  const { trunk, description } = await loadTrunk(folder);
  return networkOf(trunk, 'network', description.sha256);
};

const fail = (trunk: Trunk, error: unknown): never => {
  trunk.dispose();
  throw error;
};

const folderOf = (weights: string): string => {
  const extension = path.extname(weights);
  if (path.basename(weights) === modelFiles.weights) return path.dirname(weights);
  if (!['.safetensors', '.pth', '.pt'].includes(extension)) return weights;
  throw new UsageError(
    `Expected the network to be a folder with ${modelFiles.description} or an .onnx file, got \`${weights}\`: the command \`import\` makes a folder of it`,
  );
};

/**
 * A network with weights as they are drawn before training: what trained ones must beat.
 *
 * @param options.architecture `small`, `resnet18`, … @default 'small'
 * @param options.seed @default 1
 * @param options.pictures such as the trained network learned from: batch norm gets their statistics (of the first 1024), as the row
 *   `random` of a run does. Without them it is as drawn, that is without effect, which no trained network should be compared with
 * @throws UsageError for an architecture that there is not, or a picture that cannot be decoded; RangeError for fewer than two pictures, or a seed
 *   that is no integer from 0
 */
export const untrainedNetwork = async ({
  architecture = 'small',
  seed = 1,
  pictures,
}: {
  readonly architecture?: string;
  readonly seed?: number;
  readonly pictures?: Iterable<Picture> | AsyncIterable<Picture>;
} = {}): Promise<Network> => {
  checkInteger('seed', seed, 0);
  await ensureSetUp();
  const trunk = buildTrunk(architecture, { random: RandomStream.of(seed, 'trunk') });
  if (pictures !== undefined) await takeStatistics(trunk, pictures).catch((error: unknown) => fail(trunk, error));
  return networkOf(trunk, 'network', hashTrunk(trunk));
};
