import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { collectGarbage } from './collect-garbage.js';
import type { Display } from './display.js';
import { listenForInterruption } from './interruption.js';
import { commandLine } from './invocation.js';
import { Ledger, type StoredRun } from './ledger.js';
import { TornLedger } from './ledger-problems.js';
import { mendLedger } from './mend-ledger.js';
import { formatBytes } from './rate.js';
import { RunError, explainSurroundings } from './run-errors.js';
import { RunFolder } from './run-folder.js';
import { takeRunLock } from './run-lock.js';
import { formatStatus, runStatus } from './run-status.js';
import { showRun } from './show-run.js';
import { UsageError } from './usage-error.js';
import { recordedDigest, verifyFolder } from './verify-folder.js';

/** What these commands need of the program around them. */
export type FolderCommandHooks = {
  /** Where runs lie if no folder is named. */
  readonly places: readonly string[];
  say(line: string): void;
  /** Takes the exit code. */
  end(code: number): void;
  /** Runs the recorded command of a run once more in this folder, believing no remembered hash; gives the exit code. */
  replay(run: StoredRun, workDir: string): Promise<number>;
};

/** Adds `status`, `verify` and `gc`. */
export function addFolderCommands(program: Command, hooks: FolderCommandHooks): void {
  program
    .command('status')
    .description('how a run stands: stages, items, reasons of rejection, sizes')
    .option('--work <DIR>', 'the run folder (default: that of a pipeline)', folderName)
    .option('--digest', 'one sha256 over all that should not depend on when or how often the run was interrupted')
    .option('--unlock', 'take away the lock of a run on another machine that is over')
    .action((options: { work?: string; digest?: boolean; unlock?: boolean }) => status(options, hooks));
  program
    .command('verify')
    .description('hash everything again that the runs of a folder claim, and run what is missing or damaged')
    .option('--work <DIR>', 'the run folder (default: that of a pipeline)', folderName)
    .option('--check', 'only look, and end with 1 if something is wrong')
    .action(async (options: { work?: string; check?: boolean }) => {
      const workDir = findRunFolder(options.work, hooks.places);
      hooks.end(await stoppable(hooks, workDir, (signal) => verify(workDir, options.check === true, hooks, signal)));
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
      const workDir = findRunFolder(options.work, hooks.places);
      await stoppable(hooks, workDir, (signal) => collect(workDir, keep, options.plan === true, hooks, signal));
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
  { places, say }: FolderCommandHooks,
): Promise<void> => {
  const place = findRunFolder(options.work, places);
  const ledger = options.unlock ? Ledger.open(place) : Ledger.look(place);
  try {
    if (options.unlock) ledger.transaction(() => ledger.execute('DELETE FROM lock'));
    const state = await runStatus(ledger, new RunFolder(place));
    if (!options.digest) for (const line of formatStatus(state)) say(line);
    else if (state.digest) say(state.digest);
    else
      throw new RunError(
        `The latest run in ${place} is not finished (${state.run.outcome}): there is no digest of it. To go on:\n  ${state.run.command}`,
      );
  } finally {
    ledger.close();
  }
};

const stoppable = async <T>(
  { say }: FolderCommandHooks,
  workDir: string,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const interruption = listenForInterruption(say);
  try {
    return await task(interruption.stop);
  } catch (error) {
    const explained = explainSurroundings(error, workDir);
    throw explained ? new RunError(explained) : error;
  } finally {
    interruption.release();
  }
};

/** Does something with a folder that no run is at work in meanwhile. A folder that cannot be written is one, too, if it is only looked at. */
const alone = async <T>(workDir: string, ledger: Ledger, task: (ledger: Ledger, folder: RunFolder) => Promise<T>) => {
  try {
    const lock = ledger.isCopy ? undefined : await takeRunLock(ledger);
    try {
      return await task(ledger, new RunFolder(workDir));
    } finally {
      lock?.release();
    }
  } finally {
    ledger.close();
  }
};

const verify = async (
  workDir: string,
  check: boolean,
  hooks: FolderCommandHooks,
  signal: AbortSignal,
): Promise<number> => {
  const display = showRun(process.stdout.isTTY === true, check ? {} : { logFile: path.join(workDir, 'run.log') });
  try {
    const { ledger, strict } = openToVerify(workDir, check, display);
    const before = await alone(workDir, ledger, async (own, folder) => {
      if (!check) own.migrate();
      const run = own.runs()[0];
      const digest = recordedDigest(own);
      return { run, digest, ...(await verifyFolder(own, folder, { display, signal, check, strict })) };
    });
    const { flaws, withdrawn, lacking, latestLacks, run, digest } = before;
    if (!run) throw new RunError(strict ? nothingSaved(workDir) : `No run has begun in ${workDir}.`);
    if (flaws === 0) return 0;
    if (check) {
      display.log(`To repair:\n  ${commandLine(['verify', '--work', path.relative('', workDir) || '.'])}`);
      return 1;
    }
    for (const command of lacking)
      display.log(`What an earlier run lacks now is computed again by its own command:\n  ${command}`);
    if (withdrawn < flaws) throw new RunError(`${flaws - withdrawn} of ${flaws} flaws could not be repaired.`);
    if (!latestLacks) {
      display.log('repaired: the latest run lacks nothing');
      return 0;
    }
    display.log(`running what is missing, as the latest run did:\n  ${run.command}`);
    const code = await hooks.replay(run, workDir);
    return code === 0 ? await compare(workDir, digest, display, signal) : code;
  } finally {
    display.close();
  }
};

const nothingSaved = (workDir: string): string =>
  `No run can be read of the ledger of ${workDir} any more. Run its command again: everything is computed again (checkpoints of unfinished items are kept).`;

const openToVerify = (workDir: string, check: boolean, display: Display): { ledger: Ledger; strict: boolean } => {
  try {
    return { ledger: check ? Ledger.look(workDir) : Ledger.open(workDir), strict: false };
  } catch (error) {
    if (check || !(error instanceof TornLedger)) throw error;
    const { kept, rows } = mendLedger(workDir);
    const counts = Object.entries(rows).map(([table, count]) => `${count} ${table.replace('_', ' ')}`);
    display.log(`ledger.sqlite was damaged: saved ${counts.join(', ')}; the damaged one is kept as ${kept}`);
    return { ledger: Ledger.open(workDir), strict: true };
  }
};

/** After a repair: everything in its place, and the digest as it was. */
const compare = async (
  workDir: string,
  digest: string | undefined,
  display: Display,
  signal: AbortSignal,
): Promise<number> => {
  const after = await alone(workDir, Ledger.open(workDir), async (ledger, folder) => ({
    digest: recordedDigest(ledger),
    ...(await verifyFolder(ledger, folder, { display, signal, check: true, hash: false })),
  }));
  if (after.flaws > 0) throw new RunError(`${after.flaws} flaws are left after the repair.`);
  if (digest !== undefined && after.digest !== digest) {
    throw new RunError(
      `Expected the digest ${digest} after the repair, as before it, got ${after.digest ?? 'none'}: what the run reads, or how it computes (--jobs, the processor), has changed since.`,
    );
  }
  display.log(`repaired: digest ${after.digest ?? 'none'}${digest === undefined ? '' : ', as before'}`);
  return 0;
};

const collect = async (
  workDir: string,
  keep: number,
  plan: boolean,
  { say }: FolderCommandHooks,
  signal: AbortSignal,
): Promise<void> => {
  await alone(workDir, plan ? Ledger.look(workDir) : Ledger.open(workDir), async (ledger, folder) => {
    if (!plan) ledger.migrate();
    const bytes = collectGarbage(ledger, folder, { keep, plan, signal, say });
    say(bytes === 0 ? 'nothing that no run needs' : `${formatBytes(bytes)} ${plan ? 'would go' : 'removed'}`);
  });
};
