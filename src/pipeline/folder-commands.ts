import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { aloneIn } from './alone-in-folder.js';
import { printResult } from './closed-output.js';
import { collectGarbage } from './upkeep/collect-garbage.js';
import { Ledger } from './ledger/ledger.js';
import { formatBytes } from './rate.js';
import { RunError } from './run-errors.js';
import { RunFolder } from './run-folder.js';
import { formatStatus, runStatus } from './run-status.js';
import { UsageError } from './usage-error.js';
import { verifyCommand, type VerifyHooks } from './upkeep/verify-command.js';
import { commandFromHere } from './repeat-run.js';

/** What these commands need of the program around them. */
export type FolderCommandHooks = VerifyHooks & {
  /** Where runs lie if no folder is named. */
  readonly places: readonly string[];
  /** Takes the exit code. */
  end(code: number): void;
};

/** Adds `status`, `verify` and `gc`. */
export function addFolderCommands(program: Command, hooks: FolderCommandHooks): void {
  program
    .command('status')
    .description('how a run stands: stages, items, reasons of rejection, sizes')
    .option('--work <DIR>', 'the run folder (default: that of a pipeline)', folderName)
    .option('--digest', 'one sha256 over all that should not depend on when or how often the run was interrupted')
    .option('--unlock', 'take away the lock of a run on another machine that is over')
    .action((options: { work?: string; digest?: boolean; unlock?: boolean }) => status(options, hooks.places));
  program
    .command('verify')
    .description('hash everything again that the runs of a folder claim, and run what is missing or damaged')
    .option('--work <DIR>', 'the run folder (default: that of a pipeline)', folderName)
    .option('--check', 'only look, and end with 1 if something is wrong')
    .action(async (options: { work?: string; check?: boolean }) => {
      const workDir = findRunFolder(options.work, hooks.places);
      hooks.end(await verifyCommand(workDir, options.check === true, hooks));
    });
  program
    .command('gc')
    .description(
      'remove what no run needs: results of parameters that were changed since, checkpoints of what is finished',
    )
    .option('--work <DIR>', 'the run folder (default: that of a pipeline)', folderName)
    .option('--keep <N>', 'how many runs of each pipeline stay', '1')
    .option('--plan', 'say what would go, and remove nothing')
    .action(async (options: { work?: string; keep: string; plan?: boolean }) => {
      const keep = Number(options.keep);
      if (!/^\d+$/.test(options.keep) || keep < 1)
        throw new UsageError(`--keep: expected a whole number of at least 1, got ${JSON.stringify(options.keep)}`);
      await collect(findRunFolder(options.work, hooks.places), keep, options.plan === true, hooks.say);
    });
}

/** An option that names a folder. Throws UsageError for no name. */
export const folderName = (value: string): string => {
  if (value.trim() === '') throw new UsageError(`--work: expected the name of a folder, got ${JSON.stringify(value)}`);
  return value;
};

/** The run folder asked for, or the first of the usual ones that holds a run (absolute). Throws UsageError where there is none. */
export function findRunFolder(asked: string | undefined, usual: readonly string[]): string {
  const places = asked === undefined ? usual : [asked];
  const place = places.find((folder) => existsSync(path.join(folder, 'ledger.sqlite')));
  if (place !== undefined) return path.resolve(place);
  throw new UsageError(
    `Expected a run in ${places.join(' or ')}, got no ledger.sqlite there: give its folder with --work DIR`,
  );
}

const status = async (
  options: { work?: string; digest?: boolean; unlock?: boolean },
  places: readonly string[],
): Promise<void> => {
  const place = findRunFolder(options.work, places);
  const ledger = options.unlock ? Ledger.open(place) : Ledger.look(place);
  try {
    if (options.unlock) ledger.transaction(() => ledger.execute('DELETE FROM lock'));
    const state = await runStatus(ledger, new RunFolder(place));
    if (!options.digest) await printResult(formatStatus(state));
    else if (state.digest) await printResult([state.digest]);
    else {
      const lacks =
        state.run.outcome === 'done' ? 'lacks some of what it had' : `is not finished (${state.run.outcome})`;
      throw new RunError(
        `The latest run in ${place} ${lacks}: there is no digest of it. To go on:\n  ${commandFromHere(state.run)}`,
      );
    }
  } finally {
    ledger.close();
  }
};

const collect = (workDir: string, keep: number, plan: boolean, say: (line: string) => void): Promise<void> => {
  const open = (): Ledger => (plan ? Ledger.look(workDir) : Ledger.open(workDir));
  return aloneIn(workDir, open, say, async (ledger, folder, signal) => {
    if (!plan) ledger.migrate();
    const bytes = await collectGarbage(ledger, folder, { keep, plan, signal, say });
    say(bytes === 0 ? 'nothing that no run needs' : `${formatBytes(bytes)} ${plan ? 'would go' : 'removed'}`);
  });
};
