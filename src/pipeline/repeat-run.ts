import { existsSync } from 'node:fs';
import { shellWord } from './invocation.js';
import { Ledger, type StoredRun } from './ledger/ledger.js';
import { RunError } from './run-errors.js';
import { ownWordsOf } from './shell-words.js';
import { shortened } from './shortened.js';
import { longestMessage } from './usage-error.js';

/** A run of the ledger whose command is carried out once more. */
export type RepeatedRun = {
  readonly run: StoredRun;
  /** Where its folder is now (absolute). */
  readonly workDir: string;
  /** Only tell whether this program would compute what the run had. */
  readonly onlyAsk?: boolean;
};

/**
 * Carries the command of a recorded run out once more, from the folder it was given in where that is still there: paths in it may be
 * relative.
 *
 * @throws RunError where its words are not known
 */
export async function repeatRun(
  repeated: RepeatedRun,
  carryOut: (argv: readonly string[], repeated: RepeatedRun) => Promise<number>,
): Promise<number> {
  const { command, origin } = repeated.run;
  const argv = origin?.argv ?? ownWordsOf(command);
  if (!argv)
    throw new RunError(`Expected the words of a command, got \`${command}\`: run it again to repair the folder.`);
  const here = process.cwd();
  if (origin && existsSync(origin.directory)) process.chdir(origin.directory);
  try {
    return await carryOut(argv, repeated);
  } finally {
    process.chdir(here);
  }
}

/**
 * The command of a recorded run as it is shown, to be given here: its paths may be relative to another folder, which then stands before it. One that would
 * fill a terminal is cut.
 */
export const commandFromHere = ({ command, origin }: StoredRun): string =>
  shortened(
    origin === undefined || origin.directory === process.cwd() || !existsSync(origin.directory)
      ? command
      : `cd ${shellWord(origin.directory)} && ${command}`,
    longestMessage,
  );

/**
 * Refuses to repair with a program that would compute something else: of another version, or with other files of parameters.
 *
 * @throws RunError naming the stages, and the command for whoever wants that
 */
export function expectSameStages(
  { run, workDir }: RepeatedRun,
  recipes: ReadonlyMap<string, { readonly stage: string }>,
): void {
  const ledger = Ledger.open(workDir);
  try {
    const other = ledger
      .stageRuns(run.id)
      .filter(({ stage, recipe }) => recipes.get(stage)?.stage !== recipe)
      .map(({ stage }) => stage);
    if (other.length === 0) return;
    throw new RunError(
      `Expected to repair with the stages and parameters that the run had, but ${other.join(', ')} would be computed anew: this program, or a file of ` +
        `parameters, has changed since. Nothing was changed. Use the program of then, or compute all of that again:\n  ${commandFromHere(run)}`,
    );
  } finally {
    ledger.close();
  }
}
