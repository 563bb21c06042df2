import { groupBy } from './group-by.js';
import { digitsOf, isControl, lead, type Lead, type TransferTable } from './transfer-table.js';

/** A method against a control on one data set: a lead a column, undefined where one of the two was not evaluated so. */
export type Comparison = {
  readonly method: string;
  readonly control: string;
  readonly leads: readonly (Lead | undefined)[];
};

/** In how many columns a method stands how to a control. `ahead` counts `beyond` in; leads that are not numbers count nowhere. */
export type Tally = {
  readonly columns: number;
  readonly beyond: number;
  readonly ahead: number;
  readonly behind: number;
  /** Whether a spread is known in every column: without it nothing can be beyond. */
  readonly spreadKnown: boolean;
};

/** Every method of a table against every control that shares a column with it, in the order of the rows. */
export const compareWithControls = ({ methods, cells, columns }: TransferTable): Comparison[] =>
  methods
    .flatMap((method, row) => (isControl(method) ? [] : [{ method, row }]))
    .flatMap(({ method, row }) =>
      methods.flatMap((control, other) => {
        if (!isControl(control)) return [];
        const leads = columns.map((_, k) => {
          const [mine, theirs] = [cells[row]![k], cells[other]![k]];
          return mine === undefined || theirs === undefined ? undefined : lead(mine, theirs);
        });
        return leads.some((entry) => entry !== undefined) ? [{ method, control, leads }] : [];
      }),
    );

/** Counts a comparison's columns. */
export const tally = ({ leads }: Pick<Comparison, 'leads'>): Tally => {
  const known = leads.filter((entry): entry is Lead => entry !== undefined && !Number.isNaN(entry.by));
  const count = (test: (entry: Lead) => boolean): number => known.filter(test).length;
  return {
    columns: known.length,
    beyond: count(({ by, spread }) => by > spread),
    ahead: count(({ by }) => by > 0),
    behind: count(({ by }) => by < 0),
    spreadKnown: known.every(({ spread }) => spread !== Infinity),
  };
};

/** `●` ahead beyond the spread, `○` ahead or level but not beyond it (or the spread is unknown), `▼` behind. */
export const markOf = ({ by, spread }: Lead): string => (by < 0 ? '▼' : by > spread ? '●' : '○');

/** `+6.25 ●`: the lead in the metric's good direction with its mark; `-` where there is none. */
export const formatLead = (entry: Lead | undefined, metric: string): string => {
  if (entry === undefined || !Number.isFinite(entry.by)) return '-';
  const sign = entry.by > 0 ? '+' : entry.by < 0 ? '-' : '';
  return `${sign}${Math.abs(entry.by).toFixed(digitsOf({ metric }))} ${markOf(entry)}`;
};

/**
 * What a table shows, in words: a sentence a method with the columns in which it beats each control beyond the spread and in
 * which it is behind, and before them whether the spread is known at all. Where there is nothing to compare, that.
 */
export const describeComparisons = (table: TransferTable): string[] => {
  const comparisons = compareWithControls(table);
  if (table.methods.every(isControl)) return ['Only controls were evaluated here: there is no method to compare.'];
  if (comparisons.length === 0) {
    return ['No control was evaluated here: the numbers cannot tell what the pairs were worth.'];
  }
  const unknown = comparisons.some((comparison) => !tally(comparison).spreadKnown);
  return [
    ...(unknown
      ? [
          'With fewer than two seeds the spread over seeds is unknown: a lead may be chance, and none is counted as won.',
        ]
      : []),
    ...[...groupBy(comparisons, ({ method }) => method)].map(([method, rows]) => describeMethod(method, rows)),
  ];
};

const describeMethod = (method: string, rows: readonly Comparison[]): string => {
  const counted = rows.map((row) => ({ control: row.control, counts: tally(row) }));
  const won = counted.filter(({ counts }) => counts.spreadKnown);
  const open = counted.filter(({ counts }) => !counts.spreadKnown);
  const clauses = [
    listed('beats', ' beyond the spread in', won, (counts) => counts.beyond),
    listed('is ahead of', ' in', open, (counts) => counts.ahead),
    open.length === 0 && rows.length > 1 ? `beats all of them at once in ${jointlyWon(rows)}` : '',
  ];
  return `${method} ${clauses.filter(Boolean).join('; it ')}.`;
};

/** `beats random beyond the spread in 5 of 5 columns, self in 1 of 5 (behind in 2)`; empty for no controls. */
const listed = (
  verb: string,
  how: string,
  entries: readonly { readonly control: string; readonly counts: Tally }[],
  wins: (counts: Tally) => number,
): string => {
  const parts = entries.map(({ control, counts }, k) => {
    const { columns, behind } = counts;
    const share = `${wins(counts)} of ${columns}${k > 0 ? '' : columns === 1 ? ' column' : ' columns'}`;
    return `${control}${k > 0 ? ' in' : how} ${share}${behind > 0 ? ` (behind in ${behind})` : ''}`;
  });
  return parts.length > 0 ? `${verb} ${parts.join(', ')}` : '';
};

const jointlyWon = (rows: readonly Comparison[]): string => {
  const columns = rows[0]!.leads.map((_, k) => rows.flatMap(({ leads }) => leads[k] ?? []));
  const shared = columns.filter((leads) => leads.length > 0);
  return `${shared.filter((leads) => leads.every(({ by, spread }) => by > spread)).length} of ${shared.length}`;
};
