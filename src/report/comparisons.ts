import type { Result } from '../pipeline/result.js';
import { significance } from '../transfer/statistics/compare-rows.js';
import { groupBy } from '../numeric/group-by.js';
import { digitsOf, isControl, lead, type TransferTable } from './transfer-table.js';

/** How a method stands to a control: better or worse by a difference, without one that can be shown, or nobody can tell. */
export type Standing = 'better' | 'worse' | 'level' | 'unknown';

/** The mark of each standing in tables. */
export const marks: Readonly<Record<Standing, string>> = { better: '▲', worse: '▼', level: '○', unknown: '?' };

/** A method against a control in one column. */
export type ColumnLead = {
  /** The difference of the means in the metric's good direction. */
  readonly by: number;
  readonly standing: Standing;
  /** 95 % interval of `by`, and p after Holm's correction over the column; absent where no paired test was possible. */
  readonly interval?: readonly [number, number];
  readonly p?: number;
};

/** A method against a control on one data set: a lead a column, undefined where one of the two was not evaluated so. */
export type Comparison = {
  readonly method: string;
  readonly control: string;
  readonly leads: readonly (ColumnLead | undefined)[];
};

/** In how many columns a method stands how to a control; leads that are not numbers count nowhere. */
export type Tally = Readonly<Record<Standing, number>> & { readonly columns: number };

/**
 * How `method` stands to `control`: by the paired test that the result carries (a difference where Holm's p is below 0.05);
 * without one by the spread over seeds, `sqrt(std_a^2 + std_b^2)`, which a lead must exceed in either direction.
 */
export const leadOf = (method: Result, control: Result): ColumnLead => {
  const test = method.paired?.find((entry) => entry.control === control.method);
  if (test) {
    const { difference: by, adjustedP: p, interval } = test;
    return { by, standing: p >= significance || by === 0 ? 'level' : by > 0 ? 'better' : 'worse', interval, p };
  }
  const { by, spread } = lead(method, control);
  if (spread === Infinity) return { by, standing: 'unknown' };
  return { by, standing: by > spread ? 'better' : by < -spread ? 'worse' : 'level' };
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
          return mine === undefined || theirs === undefined ? undefined : leadOf(mine, theirs);
        });
        return leads.some((entry) => entry !== undefined) ? [{ method, control, leads }] : [];
      }),
    );

/** Counts a comparison's columns. */
export const tally = ({ leads }: Pick<Comparison, 'leads'>): Tally => {
  const known = leads.filter((entry): entry is ColumnLead => entry !== undefined && !Number.isNaN(entry.by));
  const count = (standing: Standing): number => known.filter((entry) => entry.standing === standing).length;
  return {
    columns: known.length,
    ...{ better: count('better'), worse: count('worse'), level: count('level'), unknown: count('unknown') },
  };
};

/** `+1.20`, `-0.30`; what rounds to zero has no sign. */
export const formatSigned = (value: number, digits: number): string => {
  const size = Math.abs(value).toFixed(digits);
  return `${Number(size) === 0 ? '' : value > 0 ? '+' : '-'}${size}`;
};

/**
 * `▲ +6.2 [+1.1, +11.3]`: the mark, the lead in the metric's good direction and its interval; without an interval `▲ +6.25`;
 * `-` where there is no lead.
 */
export const formatLead = (entry: ColumnLead | undefined, metric: string): string => {
  if (entry === undefined || !Number.isFinite(entry.by)) return '-';
  const digits = digitsOf({ metric }) - (entry.interval ? 1 : 0);
  const interval = entry.interval ? ` [${entry.interval.map((end) => formatSigned(end, digits)).join(', ')}]` : '';
  return `${marks[entry.standing]} ${formatSigned(entry.by, digits)}${interval}`;
};

/**
 * What a table shows, in words: a sentence a method with the columns in which it is better and worse than each control by a
 * difference, and before them whether that can be told at all. Where there is nothing to compare, that.
 */
export const describeComparisons = (table: TransferTable): string[] => {
  const comparisons = compareWithControls(table);
  if (table.methods.every(isControl)) return ['Only controls were evaluated here: there is no method to compare.'];
  if (comparisons.length === 0) {
    return ['No control was evaluated here: the numbers cannot tell what the training was worth.'];
  }
  const unknown = comparisons.some((comparison) => tally(comparison).unknown > 0);
  return [
    ...(unknown
      ? ['With one seed nobody knows how far another seed would be off: such a lead may be chance, and is marked `?`.']
      : []),
    ...together(
      [...groupBy(comparisons, ({ method }) => method)].map(([method, rows]) => describeMethod(method, rows)),
    ),
  ];
};

/** What is said of a method. */
type Sentence = { readonly method: string; readonly said: string };

/** Up to this many methods are named where the same is said of them. */
const mostNamed = 3;

/** One sentence where the same is said of several methods, at the place of the first. */
const together = (sentences: readonly Sentence[]): string[] =>
  [...groupBy(sentences, ({ said }) => said)].map(([said, rows]) => {
    const names = rows.map(({ method }) => method);
    const listed = names.length > mostNamed ? `${names.length} methods, from ${names[0]} to ${names.at(-1)}` : '';
    return `${listed || names.join('; ')}${names.length > 1 ? ', each,' : ''} ${said}.`;
  });

const describeMethod = (method: string, rows: readonly Comparison[]): Sentence => {
  const counted = rows.map((row) => ({ control: row.control, counts: tally(row) }));
  const known = counted.filter(({ counts }) => counts.unknown < counts.columns);
  const open = counted.filter(({ counts }) => counts.unknown === counts.columns);
  const clauses = [
    known.length > 0 ? `is better by a difference than ${known.map(shareOf).join(', ')}` : '',
    known.length > 1 ? `is better than all of these at once in ${jointly(rows)}` : '',
    open.length > 0 ? `cannot be told from ${open.map(({ control }) => control).join(', ')} with one seed` : '',
  ];
  return { method, said: clauses.filter(Boolean).join('; it ') };
};

/** `random in 5 of 8 columns (worse in 1)`; only the first names the columns. */
const shareOf = ({ control, counts }: { readonly control: string; readonly counts: Tally }, k: number): string => {
  const { columns, better, worse } = counts;
  const noun = k > 0 ? '' : columns === 1 ? ' column' : ' columns';
  return `${control} in ${better} of ${columns}${noun}${worse > 0 ? ` (worse in ${worse})` : ''}`;
};

const jointly = (rows: readonly Comparison[]): string => {
  const columns = rows[0]!.leads.map((_, k) => rows.flatMap(({ leads }) => leads[k] ?? []));
  const shared = columns
    .map((leads) => leads.filter(({ standing }) => standing !== 'unknown'))
    .filter((leads) => leads.length > 0);
  return `${shared.filter((leads) => leads.every(({ standing }) => standing === 'better')).length} of ${shared.length}`;
};
