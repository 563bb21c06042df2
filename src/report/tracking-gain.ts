import type { Result } from '../pipeline/result.js';
import { patchesRowOf } from '../transfer/statistics/rows-on-tracks.js';
import { formatLead, leadOf, tally, type ColumnLead, type Standing } from './comparisons.js';
import { arrowOf, describeColumn, formatValue, type TransferTable } from './transfer-table.js';

/** One method on the two ends of tracks beside itself on single patches, column by column over all data sets. */
export type TrackingGain = {
  readonly patches: string;
  readonly tracks: string;
  readonly columns: readonly {
    readonly dataset: string;
    readonly patches: Result;
    readonly tracks: Result;
    readonly lead: ColumnLead;
  }[];
};

/** The heading of these tables. */
export const gainTitle = 'What tracking adds to augmentation';

/** How they are to be read. */
export const aboutGains =
  'The same method, trunk and budget: once the views of a sample are two augmentations of one patch, once the two ends of a track, augmented alike (`-tracks`) or not at all (`-tracks-plain`). The difference is that of tracks over patches, in the direction that is better; where it was tested on the same images, Holm’s correction runs over the rows on tracks of a column, apart from the comparisons with controls.';

/**
 * The rows on tracks against their row on single patches, wherever both were evaluated.
 *
 * @param onPatches the rows that learn from single patches, by name: names alone do not tell them from rows on pictures
 */
export const trackingGains = (tables: readonly TransferTable[], onPatches: readonly string[]): TrackingGain[] => {
  const methods = [...new Set(tables.flatMap((table) => table.methods))];
  return methods.flatMap((tracks) => {
    const patches = patchesRowOf(tracks, onPatches);
    if (patches === undefined) return [];
    const columns = tables.flatMap((table) => columnsOf(table, { patches, tracks }));
    return columns.length > 0 ? [{ patches, tracks, columns }] : [];
  });
};

const columnsOf = (
  { dataset, columns, methods, cells }: TransferTable,
  { patches, tracks }: Pick<TrackingGain, 'patches' | 'tracks'>,
): TrackingGain['columns'] => {
  const rowOf = (method: string) => cells[methods.indexOf(method)];
  return columns.flatMap((_, k) => {
    const [theirs, mine] = [rowOf(patches)?.[k], rowOf(tracks)?.[k]];
    return theirs && mine ? [{ dataset, patches: theirs, tracks: mine, lead: leadOf(mine, theirs) }] : [];
  });
};

const verdicts: Readonly<Record<Standing, string>> = {
  better: 'better by a difference',
  worse: 'worse by a difference',
  level: 'no difference shown',
  unknown: 'unknown (one seed)',
};

/** What a comparison comes to, in a sentence; names between backticks. */
export const describeGain = ({ patches, tracks, columns }: TrackingGain): string => {
  const { better, worse, unknown, columns: count } = tally({ leads: columns.map(({ lead }) => lead) });
  const noun = count === 1 ? 'column' : 'columns';
  if (unknown === count) return `\`${tracks}\` cannot be told from \`${patches}\` with one seed.`;
  return (
    `\`${tracks}\` is better by a difference than \`${patches}\` in ${better} of ${count} ${noun}, ` +
    `worse by a difference in ${worse}.`
  );
};

/** Column heads, and a row a column of the tables, as plain text. */
export const gainCells = ({
  patches,
  tracks,
  columns,
}: TrackingGain): { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } => ({
  head: ['data set', 'metric', patches, tracks, 'difference', 'verdict'],
  rows: columns.map(({ dataset, patches: theirs, tracks: mine, lead }) => [
    dataset,
    `${describeColumn(mine)} ${arrowOf(mine)}`,
    formatValue(theirs),
    formatValue(mine),
    formatLead(lead, mine.metric),
    Number.isFinite(lead.by) ? verdicts[lead.standing] : '-',
  ]),
});
