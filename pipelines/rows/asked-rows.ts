import { nearestOf } from '../../src/pipeline/nearest.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import type { Row } from './row.js';

/**
 * The rows that a list of names asks for, in the table's order, whatever order they were named in; those of `otherwise` where
 * there is no list.
 *
 * @throws UsageError for a name that is none, with the nearest one that is, and for one that stands there twice
 */
export const askedRows = (
  flag: string,
  list: string | undefined,
  rows: readonly Row[],
  otherwise: readonly string[],
): readonly Row[] => {
  const names = rows.map(({ name }) => name);
  const asked = list === undefined ? otherwise : list.split(',').map((name) => name.trim());
  for (const [position, name] of asked.entries()) {
    if (asked.indexOf(name) < position) {
      throw new UsageError(`Expected ${flag} to name each row once, got \`${name}\` twice`);
    }
    if (!names.includes(name)) {
      throw new UsageError(`Expected ${flag} to name rows of the table, got \`${name}\`: ${nearestOf(name, names)}`);
    }
  }
  return rows.filter(({ name }) => asked.includes(name));
};
