import { UsageError } from '../../src/pipeline/usage-error.js';
import type { ImageMethod } from '../methods/image-method.js';
import { architectureNames } from '../benchmark/params.js';
import type { PretrainParams } from '../benchmark/params.js';
import type { Variant } from '../rows/variants.js';

/** A point of the study: how much data, which trunk, how hard the task. */
export type Point = {
  readonly pictures: number;
  readonly trunk: PretrainParams['architecture'];
  /** Absent for a method whose task has no such axis. */
  readonly hardness: number | undefined;
};

/** The axes of a study; every combination is a point. */
export type Axes = {
  readonly pictures: readonly number[];
  readonly trunks: readonly PretrainParams['architecture'][];
  readonly hardness: readonly (number | undefined)[];
};

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

const numbersOf = (flag: string, text: string): number[] =>
  listOf(text).map((part) => {
    const value = Number(part);
    if (part !== '' && Number.isFinite(value) && value > 0) return value;
    throw new UsageError(`Expected ${flag} to be numbers above 0 between commas, got \`${part}\` in \`${text}\``);
  });

const once = <T>(flag: string, values: readonly T[]): readonly T[] => {
  if (new Set(values).size === values.length) return values;
  throw new UsageError(`Expected ${flag} to name each value once, got \`${values.join(',')}\``);
};

const trunksOf = (text: string): PretrainParams['architecture'][] =>
  listOf(text).map((name) => {
    const found = architectureNames.find((known) => known === name);
    if (found) return found;
    throw new UsageError(`Expected --trunks to name some of ${architectureNames.join(', ')}, got \`${name}\``);
  });

/** Whether a method can be as hard as that. */
const checkHardness = (method: ImageMethod, value: number): void => {
  const { parameter } = method.hardness!;
  const { error } = method.params.safeParse({ [parameter]: value });
  if (!error) return;
  const why = error.issues.map(({ message }) => message).join('; ');
  throw new UsageError(`Expected --hardness to be values of ${method.name}.${parameter}, got \`${value}\`: ${why}`);
};

/**
 * Reads `--pictures`, `--trunks` and `--hardness`.
 *
 * @throws UsageError for what is no number or no trunk, and for a hardness of a method that has none
 */
export const axesOf = (
  { images, pictures, trunks, hardness }: Readonly<Record<string, string | undefined>>,
  method: ImageMethod,
): Axes => {
  if (hardness !== undefined && !method.hardness) {
    throw new UsageError(`Expected no --hardness for ${method.name}, whose task has no such axis, got \`${hardness}\``);
  }
  const counts = numbersOf('--pictures', pictures ?? (images === undefined ? '50,100,200' : '500,1000,2500,5000'));
  const fraction = counts.find((count) => !Number.isInteger(count));
  if (fraction !== undefined) {
    throw new UsageError(`Expected --pictures to be whole numbers, got \`${fraction}\``);
  }
  const steps = hardness === undefined ? (method.hardness?.values ?? []) : numbersOf('--hardness', hardness);
  for (const step of steps) checkHardness(method, step);
  return {
    pictures: once(
      '--pictures',
      [...counts].sort((a, b) => a - b),
    ),
    trunks: once('--trunks', trunksOf(trunks ?? 'small-half,small')),
    hardness: method.hardness ? once('--hardness', steps) : [undefined],
  };
};

/** Every point of the study. */
export const pointsOf = ({ pictures, trunks, hardness }: Axes): Point[] =>
  trunks.flatMap((trunk) =>
    hardness.flatMap((step) => pictures.map((count) => ({ pictures: count, trunk, hardness: step }))),
  );

/** What stays the same along a curve: `small, 100 permutations`. */
export const curveName = (method: ImageMethod, { trunk, hardness }: Point): string =>
  hardness === undefined ? trunk : `${trunk}, ${hardness} ${method.hardness!.words}`;

/** The row of a point. */
export const variantAt = (method: ImageMethod, point: Point): Variant => ({
  name: `${method.name}, ${point.pictures} pictures, ${curveName(method, point)}`,
  architecture: point.trunk,
  maxImages: point.pictures,
  ...(point.hardness === undefined ? {} : { own: { [method.hardness!.parameter]: point.hardness } }),
});

/** The row that the points of a trunk must beat: its weights as they were drawn. */
export const untrainedAt = (trunk: Point['trunk']): Variant => ({ name: `random, ${trunk}`, architecture: trunk });
