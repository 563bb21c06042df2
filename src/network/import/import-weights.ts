import { RandomStream } from '../../numeric/random.js';
import { parametersOf } from '../build-trunk.js';
import { drawInitial, torchShape, toTorch } from '../parameters.js';
import type { StoredTensor } from '../safetensors.js';
import { ownNames, torchvisionNames, type NameTable } from './torchvision-names.js';

/** A network out of a file of others, every array of the file accounted for. */
export type ImportedWeights = {
  /** All arrays of the architecture by our names. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Arrays that were taken, by their names in the file. */
  readonly taken: readonly string[];
  /** Arrays that were left out, and why, by their names in the file. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Our arrays that nothing in the file stands for, and that were drawn at random: they have learned nothing. */
  readonly drawn: readonly string[];
};

const counter = /\.num_batches_tracked$/;

const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Values that no network can have: the first trouble found. */
const troubleOf = (name: string, { data }: StoredTensor): string | undefined => {
  if (!(data instanceof Float32Array)) return 'whole numbers, expected float32';
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) return `value ${at} is ${data[at]}`;
  if (!name.endsWith('.running_var')) return undefined;
  const negative = data.findIndex((value) => value < 0);
  return negative < 0 ? undefined : `value ${negative} is ${data[negative]}, expected a variance`;
};

/**
 * Takes the arrays of a network of torchvision (`alexnet`, `vgg16`, the ResNets) over into an architecture of ours; for the others the
 * file must have our own names. Strict: each array is taken, or left out because it is known to have no part here (the classifier, a
 * wider fc7, counters of batches), or it and every array that is missing stand in one error. Where the embedding has no counterpart it
 * is drawn, the same in each import.
 *
 * @throws Error that lists every array that does not fit
 */
export const importWeights = (architecture: string, tensors: ReadonlyMap<string, StoredTensor>): ImportedWeights => {
  const table: NameTable = torchvisionNames[architecture] ?? ownNames;
  const specs = new Map(parametersOf(architecture).map((spec) => [spec.name, spec]));
  const found = new Map<string, StoredTensor>();
  const leftOut: Record<string, string> = {};
  const taken: string[] = [];
  const problems: string[] = [];
  /** Ours that are there in another shape. */
  const wrong = new Set<string>();
  for (const [name, stored] of tensors) {
    if (counter.test(name) && tensors.has(name.replace(counter, '.running_var'))) {
      leftOut[name] = 'a counter of batches';
      continue;
    }
    const ours = table.ours(name);
    const spec = ours === undefined ? undefined : specs.get(ours);
    const shape = spec && torchShape(spec);
    if (spec && shape!.join() === stored.shape.join()) {
      const trouble = troubleOf(name, stored);
      if (trouble !== undefined) problems.push(`${name}: ${trouble}`);
      found.set(spec.name, stored);
      taken.push(name);
    } else if (Object.hasOwn(table.leftOut, name)) leftOut[name] = table.leftOut[name]!;
    else if (spec) {
      wrong.add(spec.name);
      problems.push(`${name}: shape ${shapeText(stored.shape)}, expected ${shapeText(shape!)}`);
    } else problems.push(`${name}: unknown to ${architecture}`);
  }
  const embedding = [...specs.values()].filter(
    ({ name }) => table.drawn !== undefined && ['weight', 'bias'].some((own) => name === `${table.drawn}.${own}`),
  );
  // A layer is drawn as a whole or not at all.
  const isDrawn = embedding.length > 0 && embedding.every(({ name }) => !found.has(name));
  const drawn = isDrawn ? embedding.map(({ name }) => name) : [];
  const fits = (name: string): boolean => found.has(name) || drawn.includes(name);
  for (const name of specs.keys()) if (!fits(name) && !wrong.has(name)) problems.push(`${name}: missing`);
  if (problems.length > 0) {
    throw new Error(
      `The arrays are not those of ${architecture} (${problems.length} of them):\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  for (const spec of isDrawn ? embedding : []) {
    const values = drawInitial(spec, RandomStream.of(0, 'import', spec.name));
    found.set(spec.name, { shape: torchShape(spec), data: toTorch(spec, values) });
  }
  return { tensors: found, taken, leftOut, drawn };
};
