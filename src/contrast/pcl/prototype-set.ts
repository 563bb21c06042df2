import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { kMeans } from '../../neighbors/k-means.js';
import type { RandomStream } from '../../numeric/random.js';
import type { NamedArrays } from '../../training/method.js';
import { concentrations, type ConcentrationOptions } from './concentration.js';

/** Prototypes of one granularity, and which sample belongs to which. */
export type PrototypeSet = {
  /** Unit rows `[clusters, dim]`. */
  readonly prototypes: FeatureMatrix;
  /** Prototype of each sample. */
  readonly assignment: Int32Array;
  /** Temperature of each prototype. */
  readonly concentration: Float32Array;
};

/** How prototypes are found. */
export type PrototypeSetOptions = ConcentrationOptions & {
  readonly clusters: number;
  /** Updates of k-means; as released 20. */
  readonly iterations: number;
  /** Runs of k-means, of which the best is kept; as released 5. */
  readonly runs: number;
  readonly random: RandomStream;
};

/**
 * The E-step (Li et al. 2021, 3.2): k-means on the features of the momentum encoder; centroids as unit rows are the prototypes.
 * As released, clusters are Euclidean ones that begin from randomly drawn features, and distances are those to the means before
 * they are made unit rows.
 *
 * @param features unit rows, one a sample
 */
export function findPrototypes(features: FeatureMatrix, options: PrototypeSetOptions): PrototypeSet {
  const { clusters, iterations, runs, random } = options;
  const { centroids, assignment, distances } = kMeans(features, {
    clusters,
    iterations,
    runs,
    start: 'random',
    random,
  });
  return {
    prototypes: unitRows(centroids),
    assignment,
    concentration: concentrations({ squaredDistances: distances, assignment }, clusters, options),
  };
}

const unitRows = ({ rows, dim, data }: FeatureMatrix): FeatureMatrix => {
  const unit = data.slice();
  for (let row = 0; row < rows; row++) {
    const values = unit.subarray(row * dim, (row + 1) * dim);
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) values.forEach((value, i) => (values[i] = value / length));
  }
  return { rows, dim, data: unit };
};

/** What a batch is compared with. */
export type ChosenPrototypes = {
  /** Numbers of the prototypes. */
  readonly rows: Int32Array;
  /** Place among them of each sample's own. */
  readonly labels: Int32Array;
};

/**
 * The prototypes of the batch's samples, and `negatives` others, drawn without replacement; all there are, where they are no more.
 * A prototype stands among them once. The released program lists the own prototype of every row, so that one that two rows share
 * is a negative of both: rare with 25 000 prototypes, the rule with 50.
 *
 * @param indices samples of the batch
 */
export function choosePrototypes(
  { assignment, prototypes }: PrototypeSet,
  indices: Int32Array,
  negatives: number,
  random: RandomStream,
): ChosenPrototypes {
  const own = [...new Set(Array.from(indices, (index) => assignment[index]!))];
  const taken = new Set(own);
  const others = Array.from({ length: prototypes.rows }, (_, i) => i).filter((i) => !taken.has(i));
  const drawn =
    others.length <= negatives ? others : random.sample(others.length, negatives).map((place) => others[place]!);
  const places = new Map(own.map((prototype, place) => [prototype, place]));
  return {
    rows: Int32Array.from([...own, ...drawn]),
    labels: Int32Array.from(indices, (index) => places.get(assignment[index]!)!),
  };
}

/** The arrays of a set, for the train state. */
export const savePrototypes = (set: PrototypeSet, prefix: string): NamedArrays => ({
  [`${prefix}prototypes`]: { shape: [set.prototypes.rows, set.prototypes.dim], data: set.prototypes.data },
  [`${prefix}assignment`]: { shape: [set.assignment.length], data: set.assignment },
  [`${prefix}concentration`]: { shape: [set.concentration.length], data: set.concentration },
});

/** A set out of a train state; undefined where none had been found yet. */
export const loadPrototypes = (state: NamedArrays, prefix: string): PrototypeSet | undefined => {
  const [prototypes, assignment, concentration] = ['prototypes', 'assignment', 'concentration'].map(
    (name) => state[`${prefix}${name}`],
  );
  if (!prototypes || !assignment || !concentration) return undefined;
  const [rows, dim] = prototypes.shape as [number, number];
  return {
    prototypes: { rows, dim, data: Float32Array.from(prototypes.data) },
    assignment: Int32Array.from(assignment.data),
    concentration: Float32Array.from(concentration.data),
  };
};
