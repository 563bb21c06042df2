import type { ClassTrial } from '../../pipelines/benchmark/transfer/classification.js';
import { checkFinite, type FeatureMatrix } from '../neighbors/feature-matrix.js';
import type { Trunk } from '../network/trunk.js';
import { pooledReading, readFeatures, readingName } from '../transfer/features/read-features.js';
import { checkInteger } from './check-arguments.js';
import { decodePictures, inBatches } from './decode-pictures.js';
import { evaluateTrunk } from './evaluate-trunk.js';
import type { EmbedOptions, Network } from './network.js';
import type { Picture } from './picture.js';

/** Where features are read unless something else is asked for. */
const usualLayer = 'conv5';

/** A trunk as users of the library see it. */
export const networkOf = (
  trunk: Trunk,
  features: Extract<ClassTrial['features'], 'network' | 'encoder'>,
  sha256: string,
): Network => {
  let isOpen = true;
  const opened = (): Trunk => {
    if (!isOpen) throw new Error('Expected an open network, got one after its `dispose`');
    return trunk;
  };
  return {
    ...{ architecture: trunk.architecture, sha256, inputSize: trunk.inputSize },
    layers: trunk.layers.map(({ name, channels, height, width }) => ({
      ...{ name, channels },
      ...(height === undefined || width === undefined ? {} : { height, width }),
    })),
    embed: async (pictures, options = {}) => embed(opened, pictures, options),
    evaluate: async (folder, options = {}) => evaluateTrunk(opened(), features, folder, options),
    dispose: () => {
      if (isOpen) trunk.dispose();
      isOpen = false;
    },
  };
};

const embed = async (
  opened: () => Trunk,
  pictures: Iterable<Picture> | AsyncIterable<Picture>,
  { layer, pool = 2, px, batch = 64, signal, onProgress }: EmbedOptions,
): Promise<FeatureMatrix> => {
  const { layers, inputSize } = opened();
  const usual = layers.some(({ name }) => name === usualLayer) ? usualLayer : layers.at(-1)!.name;
  checkInteger('pool', pool, 1);
  checkInteger('batch', batch, 1);
  if (px !== undefined) checkInteger('px', px, 1, 4096);
  const reading = pooledReading(opened(), layer ?? usual, pool);
  const parts: FeatureMatrix[] = [];
  let done = 0;
  for await (const group of inBatches(pictures, batch)) {
    signal?.throwIfAborted();
    const decoded = await decodePictures(group, px ?? inputSize, done);
    // Asked for again: it may have been disposed of while pictures were decoded.
    const features = readFeatures(opened(), decoded, [reading], { batch }).get(readingName(reading))!;
    checkFinite(`features of ${readingName(reading)}`, features, done);
    parts.push(features);
    done += group.length;
    onProgress?.(done);
  }
  if (done === 0) throw new RangeError('Expected pictures to embed, got none');
  return joined(parts, done);
};

const joined = (parts: readonly FeatureMatrix[], rows: number): FeatureMatrix => {
  const { dim } = parts[0]!;
  const data = new Float32Array(rows * dim);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { rows, dim, data };
};
