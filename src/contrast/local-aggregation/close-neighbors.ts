import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { kMeans } from '../../neighbors/k-means.js';
import type { RandomStream } from '../../numeric/random.js';

/** How the bank is clustered. */
export type ClusteringOptions = {
  /** Clusterings from different starts, H. */
  readonly clusterings: number;
  /** Clusters of each. */
  readonly clusters: number;
  /** Most rounds of k-means. */
  readonly iterations: number;
};

/**
 * Close neighbours C (Zhuang et al. 2019, 3.1 and 3.2): the samples that share a cluster with a sample in any of H clusterings, itself
 * among them. One clustering cuts neighbours apart at its borders; the union of several, from different starts, mends that.
 */
export class CloseNeighbors {
  readonly samples: number;
  readonly clusterings: number;
  /** `[clusterings, samples]`, row-major: the cluster of each sample. */
  readonly assignments: Int32Array;
  /** Of each clustering, the samples of each cluster. */
  readonly #members: readonly (readonly Int32Array[])[];

  /** @throws RangeError if `assignments` are not `clusterings` times the same number of samples */
  constructor(assignments: Int32Array, clusterings: number) {
    if (assignments.length === 0 || assignments.length % clusterings !== 0) {
      throw new RangeError(
        `Expected ${clusterings} clusterings of the same samples, got ${assignments.length} numbers`,
      );
    }
    this.clusterings = clusterings;
    this.samples = assignments.length / clusterings;
    this.assignments = assignments;
    this.#members = Array.from({ length: clusterings }, (_, h) => membersOf(this.#of(h)));
  }

  /** Clusters bank rows by k-means (Euclidean, from randomly chosen rows, as released with faiss). */
  static find(points: FeatureMatrix, options: ClusteringOptions, random: RandomStream): CloseNeighbors {
    const { clusterings, clusters, iterations } = options;
    const assignments = new Int32Array(clusterings * points.rows);
    for (let h = 0; h < clusterings; h++) {
      const { assignment } = kMeans(points, { clusters, iterations, start: 'random', random });
      assignments.set(assignment, h * points.rows);
    }
    return new CloseNeighbors(assignments, clusterings);
  }

  /** 1 for the close neighbours of each of those samples, else 0; `[indices, samples]`, row-major. */
  mask(indices: Int32Array): Float32Array {
    const mask = new Float32Array(indices.length * this.samples);
    indices.forEach((sample, row) => {
      for (let h = 0; h < this.clusterings; h++) {
        for (const member of this.#beside(h, sample)) mask[row * this.samples + member] = 1;
      }
    });
    return mask;
  }

  /** How many close neighbours each sample has, itself among them. */
  sizes(): Int32Array {
    const seen = new Int32Array(this.samples).fill(-1);
    return Int32Array.from({ length: this.samples }, (_, sample) => {
      let size = 0;
      for (let h = 0; h < this.clusterings; h++) {
        for (const member of this.#beside(h, sample)) {
          if (seen[member] === sample) continue;
          seen[member] = sample;
          size++;
        }
      }
      return size;
    });
  }

  #of(clustering: number): Int32Array {
    return this.assignments.subarray(clustering * this.samples, (clustering + 1) * this.samples);
  }

  #beside(clustering: number, sample: number): Int32Array {
    return this.#members[clustering]![this.#of(clustering)[sample]!]!;
  }
}

const membersOf = (assignment: Int32Array): Int32Array[] => {
  const lists: number[][] = [];
  assignment.forEach((cluster, sample) => (lists[cluster] ??= []).push(sample));
  return lists.map((list) => Int32Array.from(list));
};
