import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { PixelCache } from '../../images/pixel-cache.js';
import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import type { Trunk } from '../../network/trunk.js';
import { extractFeatures, type ExtractOptions } from './extract.js';

/** Everything that features depend on: two stores with the same key hold the same bytes (on one runtime with one thread count). */
export type FeatureKey = {
  /** sha256 of the weights, batch-norm statistics included. */
  readonly weights: string;
  /** sha256 of the pictures, `PixelCache.digest`. */
  readonly data: string;
  readonly layer: string;
  readonly pool: number;
  readonly inputSize: number;
  /** Which runtime computed them, threads included; free text. */
  readonly runtime: string;
};

/** Raised whenever the same key would give other bytes. */
const version = 1;

const nameOf = (key: FeatureKey): string =>
  createHash('sha256')
    .update(JSON.stringify([version, key.weights, key.data, key.layer, key.pool, key.inputSize, key.runtime]))
    .digest('hex');

/**
 * Features on disk, one file a key, so that every protocol reads the same ones and none is computed twice. A file is written
 * under a temporary name and renamed; one that is damaged (its checksum differs) is computed again.
 */
export class FeatureStore {
  readonly #folder: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  /** The features under a key, or nothing. */
  load(key: FeatureKey): FeatureMatrix | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#file(key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    if (bytes.length < 40) return undefined;
    const rows = bytes.readUInt32LE(32);
    const dim = bytes.readUInt32LE(36);
    const sum = createHash('sha256').update(bytes.subarray(32)).digest();
    if (bytes.length !== 40 + rows * dim * 4 || !sum.equals(bytes.subarray(0, 32))) return undefined;
    const data = new Float32Array(rows * dim);
    Buffer.from(data.buffer).set(bytes.subarray(40));
    return { rows, dim, data };
  }

  /** Keeps features under a key: sha256 of the rest, rows and dim as little-endian uint32, then the values as float32. */
  save(key: FeatureKey, { rows, dim, data }: FeatureMatrix): void {
    const body = Buffer.alloc(8 + data.byteLength);
    body.writeUInt32LE(rows, 0);
    body.writeUInt32LE(dim, 4);
    body.set(Buffer.from(data.buffer, data.byteOffset, data.byteLength), 8);
    const file = this.#file(key);
    const temporary = `${file}.${process.pid}.tmp`;
    const handle = openSync(temporary, 'w');
    try {
      writeSync(handle, createHash('sha256').update(body).digest());
      writeSync(handle, body);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  }

  #file(key: FeatureKey): string {
    return path.join(this.#folder, `${nameOf(key)}.features`);
  }
}

/** `extractFeatures`, but from the store where it has them; what is missing is computed in one pass and kept. */
export const storedFeatures = (
  store: FeatureStore,
  trunk: Trunk,
  { weights, runtime }: { readonly weights: string; readonly runtime: string },
  pictures: PixelCache,
  layers: readonly string[],
  options: ExtractOptions = {},
): Record<string, FeatureMatrix> => {
  const keyOf = (layer: string): FeatureKey => ({
    weights,
    data: pictures.digest,
    layer,
    pool: options.pool ?? 2,
    inputSize: trunk.inputSize,
    runtime,
  });
  const found = new Map(layers.map((layer) => [layer, store.load(keyOf(layer))]));
  const missing = layers.filter((layer) => found.get(layer) === undefined);
  const computed = missing.length > 0 ? extractFeatures(trunk, pictures, missing, options) : {};
  for (const layer of missing) store.save(keyOf(layer), computed[layer] as FeatureMatrix);
  return Object.fromEntries(layers.map((layer) => [layer, found.get(layer) ?? (computed[layer] as FeatureMatrix)]));
};
