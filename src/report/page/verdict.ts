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

/** `triplet` if it was run (the network that tracks taught), otherwise the only method; undefined where several stand side by side. */
export const mainVerdict = (verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.find(({ method }) => method === 'triplet') ?? (verdicts.length === 1 ? verdicts[0] : undefined);

/** What is asked of a run, and how it is answered. */
export type RunVerdict = {
  readonly question: string;
  readonly answer: Verdict['answer'];
  /** In a sentence or two; names stand between backticks. */
  readonly text: string;
};

/** Asked of the network that tracks taught where it is among the methods, otherwise of all of them. */
const questionOf = (methods: readonly string[]): string => {
  if (methods.includes('triplet')) return 'Does the video-trained network stand above its controls?';
  return `${methods.length === 1 ? 'Does the method stand above its' : 'Do the methods stand above their'} controls?`;
};

/** `yes`, `no` or `unknown` where that is so of every method; `partly` where some stand above a control; otherwise `no`. */
const answerOfAll = (verdicts: readonly Verdict[]): Verdict['answer'] => {
  const answers = new Set(verdicts.map(({ answer }) => answer));
  return answers.size === 1 ? verdicts[0]!.answer : answers.has('yes') || answers.has('partly') ? 'partly' : 'no';
};

const describeAll = (verdicts: readonly Verdict[]): string => {
  const answer = answerOfAll(verdicts);
  const opening = openings[answer];
  if (answer === 'unknown') {
    return `${opening} With one seed the spread is unknown: any lead of a method over its controls may be chance.`;
  }
  const clauses = (
    [
      ['yes', 'above all of their controls'],
      ['partly', 'above some of their controls, or partly above them'],
      ['no', 'above none'],
      ['unknown', 'not to be told (spread unknown)'],
    ] as const
  ).flatMap(([wanted, words]) => {
    const names = verdicts.filter((verdict) => verdict.answer === wanted).map(({ method }) => `\`${method}\``);
    return names.length > 0 ? [`${words}: ${joined(names)}`] : [];
  });
  const text = clauses.join('; ');
  return `${opening} ${text[0]!.toUpperCase()}${text.slice(1)}.`;
};

/** The verdict on a run whose table has `methods`, of which those in `verdicts` could be compared with a control. */
export const judgeRun = (verdicts: readonly Verdict[], methods: readonly string[]): RunVerdict => {
  const question = questionOf(verdicts.length > 0 ? verdicts.map(({ method }) => method) : methods);
  if (verdicts.length === 0) {
    return { question, answer: 'unknown', text: 'Not to be told: no method was evaluated beside a control.' };
  }
  const main = mainVerdict(verdicts);
  if (main) return { question, answer: main.answer, text: describeVerdict(main) };
  return { question, answer: answerOfAll(verdicts), text: describeAll(verdicts) };
};
