import { minImages } from '../transfer/statistics/compare-rows.js';
import { describeUnits, seedCounts, type TransferTable } from './transfer-table.js';

/** `values in %; 3 seeds a row; 390 test images`: what holds for a whole table; empty where nothing is to be said. */
export const tableCaption = (table: TransferTable): string => {
  const units = describeUnits(table);
  return [units.startsWith('in ') ? `values ${units}` : units, describeSeeds(table), describeImages(table)]
    .filter(Boolean)
    .join('; ');
};

const describeSeeds = (table: TransferTable): string => {
  const counts = seedCounts(table);
  if (counts.length > 1) return 'numbers of seeds in brackets';
  return counts.length === 1 ? `${counts[0]} ${counts[0] === 1 ? 'seed' : 'seeds'} a row` : '';
};

/** `390 test images`, `22 test images in 5 groups, too few for an interval`; empty where it is not on record. */
const describeImages = ({ cells }: TransferTable): string => {
  const texts = cells.flat().flatMap((result) => {
    if (result?.images === undefined) return [];
    const groups = result.groups === undefined ? '' : ` in ${result.groups} groups`;
    const few = (result.groups ?? result.images) < minImages ? ', too few for an interval' : '';
    return [`${result.images} test images${groups}${few}`];
  });
  return [...new Set(texts)].join(' or ');
};
