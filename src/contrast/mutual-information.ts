/**
 * Normalised mutual information of two assignments of the same samples, `I(A; B) / sqrt(H(A) H(B))` (Caron et al. 2018, 4.1):
 * 1 where they are the same but for the clusters' numbers, 0 where one says nothing about the other, or is a single cluster and
 * the other is not. From one epoch to the next it says how settled a clustering is.
 *
 * @param a cluster of each sample, from 0
 * @throws RangeError where there are no samples, or not equally many
 */
export function normalisedMutualInformation(a: Int32Array, b: Int32Array): number {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`Expected two assignments of the same samples, got ${a.length} and ${b.length}`);
  }
  const width = b.reduce((most, cluster) => Math.max(most, cluster), 0) + 1;
  const joint = entropyOf(a.map((cluster, i) => cluster * width + b[i]!));
  const [ofA, ofB] = [entropyOf(a), entropyOf(b)];
  if (ofA === 0 && ofB === 0) return 1;
  if (ofA === 0 || ofB === 0) return 0;
  return Math.min(1, Math.max(0, (ofA + ofB - joint) / Math.sqrt(ofA * ofB)));
}

/** Entropy of how often each number occurs, nats. */
const entropyOf = (clusters: Int32Array): number => {
  const counts = new Map<number, number>();
  for (const cluster of clusters) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / clusters.length) * Math.log(count / clusters.length);
  return entropy;
};
