import { groupBy } from '../../numeric/group-by.js';
import type { TransferTable } from '../transfer-table.js';
import { compareWithControls, tally, type Tally } from '../comparisons.js';
import { overallStanding, type OverallStanding } from '../overall-standing.js';

/** How a method stands to one control over all columns of all tables. */
export type ControlVerdict = {
  readonly control: string;
  readonly counts: Tally;
  readonly answer: OverallStanding;
};

/** How a method stands to all of its controls. */
export type Verdict = {
  readonly method: string;
  readonly answer: 'yes' | 'partly' | 'no' | 'unknown';
  readonly controls: readonly ControlVerdict[];
};

/**
 * Whether each method stands above its controls, in the order of the rows. A method stands above a control where it is better by
 * a difference in at least half of the columns and worse by one in none; `yes` where it stands so above every control.
 */
export const verdictsOf = (tables: readonly TransferTable[]): Verdict[] => {
  const rows = tables.flatMap((table) => compareWithControls(table));
  return [...groupBy(rows, ({ method }) => method)].map(([method, own]) => {
    const controls = [...groupBy(own, ({ control }) => control)].map(([control, entries]) => {
      const counts = tally({ leads: entries.flatMap(({ leads }) => leads) });
      return { control, counts, answer: overallStanding(counts) };
    });
    return { method, answer: overall(controls), controls };
  });
};

const overall = (controls: readonly ControlVerdict[]): Verdict['answer'] => {
  if (controls.every(({ answer }) => answer === 'unknown')) return 'unknown';
  if (controls.every(({ answer }) => answer === 'above')) return 'yes';
  return controls.some(({ answer }) => answer === 'above' || answer === 'partly') ? 'partly' : 'no';
};

const named = (controls: readonly ControlVerdict[], wanted: ControlVerdict['answer']): string[] =>
  controls
    .filter(({ answer }) => answer === wanted)
    .map(({ control, counts }) => `\`${control}\`${shareOf(wanted, counts)}`);

/** ` (8 of 54)` where "partly" alone could mean one column or nearly half of them. */
const shareOf = (answer: ControlVerdict['answer'], { better, worse, columns }: Tally): string => {
  if (answer === 'partly') return ` (${better} of ${columns})`;
  return answer === 'partly below' ? ` (${worse} of ${columns})` : '';
};

const joined = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;

const openings: Readonly<Record<Verdict['answer'], string>> = {
  yes: 'Yes.',
  partly: 'In part.',
  no: 'No.',
  unknown: 'Not to be told.',
};

/** The verdict in a sentence or two; names stand between backticks. */
export const describeVerdict = ({ method, answer, controls }: Verdict): string => {
  if (answer === 'unknown') {
    return `${openings.unknown} With one seed the spread is unknown: any lead of \`${method}\` over its controls may be chance.`;
  }
  const clauses = [
    { verb: 'stands above', names: named(controls, 'above') },
    { verb: 'stands partly above', names: named(controls, 'partly') },
    { verb: 'cannot be told from', names: named(controls, 'level') },
    { verb: 'wins as many columns as it loses against', names: named(controls, 'mixed') },
    { verb: 'stands partly below', names: named(controls, 'partly below') },
    { verb: 'stands below', names: named(controls, 'below') },
    { verb: 'cannot be compared (spread unknown) with', names: named(controls, 'unknown') },
  ].filter(({ names }) => names.length > 0);
  const parts = clauses.map(({ verb, names }) => `${verb} ${joined(names)}`);
  return `${openings[answer]} \`${method}\` ${parts.join('; it ')}.`;
};

/** `triplet` if it was run (the network that tracks taught), otherwise the first method. */
export const mainVerdict = (verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.find(({ method }) => method === 'triplet') ?? verdicts[0];
