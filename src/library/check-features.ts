import { checkFinite, checkMatrix, type FeatureMatrix } from '../neighbors/feature-matrix.js';
import { shown } from './check-arguments.js';

/** @throws RangeError naming features that are not `rows x dim` values, or the first row of them with one that is not finite */
export const checkFeatures = (name: string, features: FeatureMatrix | undefined): void => {
  const data: unknown = features?.data;
  if (!(data instanceof Float32Array)) {
    const got = typeof features === 'object' && features !== null ? `\`data\` that is ${shown(data)}` : shown(features);
    throw new RangeError(`Expected \`${name}\` to be features, { rows, dim, data: Float32Array }, got ${got}`);
  }
  checkMatrix(name, features!);
  checkFinite(name, features!);
};

/** @throws RangeError where there is not one label, an integer from 0, a row */
export const checkLabels = (name: string, labels: ArrayLike<number> | undefined, { rows }: FeatureMatrix): void => {
  if (labels?.length !== rows)
    throw new RangeError(
      `Expected \`${name}\` to have one label a row (${rows}), got ${labels?.length ?? shown(labels)}`,
    );
  for (let i = 0; i < labels.length; i++) {
    if (!Number.isInteger(labels[i]) || labels[i]! < 0)
      throw new RangeError(`Expected \`${name}\` to be integers from 0, got \`${labels[i]}\` at ${i}`);
  }
};
