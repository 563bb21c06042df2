import type { Tally } from './comparisons.js';

/** How a method stands to a control over several columns. */
export type OverallStanding = 'above' | 'partly' | 'level' | 'mixed' | 'partly below' | 'below' | 'unknown';

/**
 * What the counts of columns come to, the same wherever `above` is said. Above: a difference for the better in at least half of
 * the columns, and for the worse in none; below the other way round. Level: no difference at all. Otherwise what prevails,
 * partly, or mixed. Unknown where that is so of every column, or there is none.
 */
export const overallStanding = ({ columns, better, worse, unknown }: Tally): OverallStanding => {
  if (unknown === columns) return 'unknown';
  if (better === 0 && worse === 0) return 'level';
  if (better === worse) return 'mixed';
  if (better > worse) return worse === 0 && 2 * better >= columns ? 'above' : 'partly';
  return better === 0 && 2 * worse >= columns ? 'below' : 'partly below';
};
