/**
 * Sees to it that there are no more clusters than samples to make them of.
 *
 * @throws RangeError
 */
export const checkClusters = (clusters: number, samples: number): void => {
  if (clusters <= samples) return;
  throw new RangeError(`Expected \`clusters\` to be at most the ${samples} samples there are, got \`${clusters}\``);
};
