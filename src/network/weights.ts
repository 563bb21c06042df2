import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../numeric/random.js';
import { readForeignFile, stayInside } from '../pipeline/foreign-file.js';
import type { Json } from '../pipeline/json.js';
import { parseForeignJson } from '../pipeline/parse-json.js';
import { shortened } from '../pipeline/shortened.js';
import { killPoint } from '../pipeline/kill-point.js';
import { tf, type Variable } from '../runtime/tensors.js';
import { architectures, buildTrunk, parametersOf } from './build-trunk.js';
import { fromTorch, toTorch, torchShape, type ParameterSpec } from './parameters.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.js';
import type { Trunk } from './trunk.js';

/** What stands beside the weights: everything needed to use them, and how they came to be. */
export type ModelDescription = {
  readonly format: 1;
  readonly architecture: string;
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** sha256 of `weights.safetensors`. */
  readonly sha256: string;
  readonly how: Json;
};

/** The two files of a model folder. */
export const modelFiles = { weights: 'weights.safetensors', description: 'model.json' } as const;

/** Most bytes of `model.json`: it says how a network was trained, and holds no arrays. */
export const maxDescriptionBytes = 16 * 1024 ** 2;

/** Most bytes of `weights.safetensors`, as many as one read takes; the largest network here has a quarter of it. */
export const maxWeightsBytes = 2 ** 31 - 1;

/** Longest side of a picture that a network may say it was trained on, px. */
const maxSidePx = 4096;

const variableOf = (trunk: Trunk, name: string): Variable | undefined =>
  trunk.variables.get(name) ?? trunk.buffers.get(name);

/** All arrays of a network as they lie on disk: PyTorch's names, shapes and order of axes. */
export function weightsOf(trunk: Trunk): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const spec of parametersOf(trunk.architecture)) {
    const values = variableOf(trunk, spec.name)!.dataSync() as Float32Array;
    tensors.set(spec.name, { shape: torchShape(spec), data: toTorch(spec, values) });
  }
  return tensors;
}

/** sha256 (hex) of the weights, equal to that of the file `saveTrunk` writes. */
export function hashTrunk(trunk: Trunk): string {
  return hashOf(encodeSafetensors(weightsOf(trunk), { format: 'pt' }));
}

const hashOf = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** Writes the parts under a temporary name, flushes them to the disk, and renames. */
async function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${file}.partial`;
  const handle = await open(temporary, 'w');
  try {
    for (const [index, part] of parts.entries()) {
      await handle.writeFile(part);
      if (index === parts.length >> 1) killPoint('within an output file');
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  killPoint('before rename of an output file');
  await rename(temporary, file);
  killPoint('after rename of an output file');
}

/**
 * Writes `weights.safetensors` (PyTorch names, OIHW) and then `model.json` into `dir`. `how` says how the network was trained.
 * Equal weights give equal bytes.
 */
export const saveTrunk = (dir: string, trunk: Trunk, how: Json): Promise<ModelDescription> =>
  saveWeights(dir, weightsOf(trunk), { ...trunk, how });

/** As {@link saveTrunk}, of arrays as they lie on disk, whatever they came from. */
export async function saveWeights(
  dir: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  { architecture, inputSize, mean, std, how }: Omit<ModelDescription, 'format' | 'sha256'>,
): Promise<ModelDescription> {
  const parts = encodeSafetensors(tensors, { format: 'pt' });
  const description: ModelDescription = { format: 1, architecture, inputSize, mean, std, sha256: hashOf(parts), how };
  await mkdir(dir, { recursive: true });
  await writeWhole(path.join(dir, modelFiles.weights), parts);
  await writeWhole(path.join(dir, modelFiles.description), [Buffer.from(`${JSON.stringify(description, null, 2)}\n`)]);
  return description;
}

/**
 * Which of `specs` the arrays fill. Strict: every array that is missing, that the network does not have, or that has another shape is
 * listed in one error, unless `except` names it.
 */
function fittingSpecs(
  architecture: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  except: readonly string[],
): readonly ParameterSpec[] {
  const excepted = new Set(except);
  const specs = parametersOf(architecture);
  const known = new Set(specs.map(({ name }) => name));
  const problems: string[] = [];
  const report = (name: string, problem: string): void => {
    if (!excepted.has(name)) problems.push(`  ${name}: ${problem}`);
  };
  const sound = specs.filter((spec) => {
    const stored = tensors.get(spec.name);
    const shape = torchShape(spec);
    if (!stored) report(spec.name, 'missing');
    else if (stored.shape.join() !== shape.join()) {
      report(spec.name, `shape [${stored.shape.join(', ')}], expected [${shape.join(', ')}]`);
    } else if (!(stored.data instanceof Float32Array)) report(spec.name, 'whole numbers, expected float32');
    else return true;
    return false;
  });
  for (const name of tensors.keys()) {
    // PyTorch counts batches beside the running statistics; the counter has no part in the network.
    if (!known.has(name) && !name.endsWith('.num_batches_tracked')) report(name, `unknown to ${architecture}`);
  }
  if (problems.length > 0) {
    throw new Error(
      `The weights do not fit ${architecture} (${problems.length} arrays; name them in \`except\` to leave them out):\n` +
        problems.join('\n'),
    );
  }
  return sound;
}

/**
 * Copies arrays in PyTorch's layout into a network. Strict: every array that is missing, that the network does not have, or that
 * has another shape is listed in one error, unless `except` names it (then it is left out, and the network keeps what it has).
 * Nothing is copied when it fails.
 */
export function loadWeights(
  trunk: Trunk,
  tensors: ReadonlyMap<string, StoredTensor>,
  { except = [] }: { readonly except?: readonly string[] } = {},
): void {
  for (const spec of fittingSpecs(trunk.architecture, tensors, except)) {
    const { data } = tensors.get(spec.name)!;
    const variable = variableOf(trunk, spec.name)!;
    tf.tidy(() => variable.assign(tf.tensor(fromTorch(spec, data as Float32Array), [...spec.shape], 'float32')));
  }
}

/** A model folder as it lies on disk. */
export type StoredModel = {
  readonly description: ModelDescription;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
};

/** Reads a model folder without TensorFlow, as strictly as {@link loadTrunk}. */
export async function readModel(dir: string): Promise<StoredModel> {
  const stored = await readStored(dir);
  const { architecture } = stored.description;
  if (!Object.hasOwn(architectures, architecture)) {
    throw new Error(
      `${path.join(dir, modelFiles.description)}: expected an architecture of ${Object.keys(architectures).join(', ')}, got \`${shortened(architecture, 80)}\``,
    );
  }
  fittingSpecs(architecture, stored.tensors, []);
  return stored;
}

/** The two files of a model folder, where the weights have the hash that the description names. */
async function readStored(dir: string): Promise<StoredModel> {
  const description = await readDescription(dir);
  const file = path.join(dir, modelFiles.weights);
  const bytes = readForeignFile(stayInside(dir)(file), maxWeightsBytes);
  const sha256 = hashOf([bytes]);
  if (sha256 !== description.sha256) {
    throw new Error(
      `${file} has sha256 ${sha256}, but ${modelFiles.description} names ${description.sha256}: one of them was changed`,
    );
  }
  return { description, tensors: decodeSafetensors(bytes, file).tensors };
}

/**
 * Reads a model folder. The weights must have the hash that `model.json` names, and fit as `loadWeights` demands; arrays named
 * in `except` are drawn from `random` instead.
 */
export async function loadTrunk(
  dir: string,
  {
    except = [],
    random = RandomStream.of(0, 'load'),
  }: { readonly except?: readonly string[]; readonly random?: RandomStream } = {},
): Promise<{ trunk: Trunk; description: ModelDescription }> {
  const { description, tensors } = await readStored(dir);
  const { mean, std } = description;
  const trunk = buildTrunk(description.architecture, { random, mean, std });
  try {
    loadWeights(trunk, tensors, { except });
  } catch (error) {
    trunk.dispose();
    throw error;
  }
  return { trunk, description };
}

/** What `model.json` in a folder of weights says. @throws Error where it does not describe a model */
export async function readDescription(dir: string): Promise<ModelDescription> {
  const file = path.join(dir, modelFiles.description);
  if (!existsSync(file)) {
    throw new Error(`Expected a folder with ${modelFiles.description}, got ${dir}, which has none`);
  }
  const text = readForeignFile(stayInside(dir)(file), maxDescriptionBytes).toString('utf8');
  return checkDescription(parseForeignJson(text, file), file);
}

/** @throws Error where a value out of `model.json` does not describe a model */
export function checkDescription(value: unknown, file: string): ModelDescription {
  const description = (value ?? {}) as Partial<ModelDescription>;
  const isColour = (colour: unknown, isRight: (part: number) => boolean): boolean =>
    Array.isArray(colour) && colour.length === 3 && colour.every((part) => Number.isFinite(part) && isRight(part));
  const { format, architecture, sha256, inputSize, mean, std } = description;
  if (
    format !== 1 ||
    typeof architecture !== 'string' ||
    typeof sha256 !== 'string' ||
    !(Number.isInteger(inputSize) && inputSize! >= 1 && inputSize! <= maxSidePx) ||
    !isColour(mean, () => true) ||
    !isColour(std, (part) => part > 0)
  ) {
    throw new Error(
      `${file} does not describe a model: expected format 1 with architecture, sha256, inputSize (1 to ${maxSidePx}), mean and std (above 0)`,
    );
  }
  return description as ModelDescription;
}
