import path from 'node:path';
import { aloneIn } from '../alone-in-folder.js';
import type { Display } from '../display.js';
import { commandLine } from '../invocation.js';
import { Ledger, type StoredRun } from '../ledger/ledger.js';
import { TornLedger } from '../ledger/ledger-problems.js';
import { isUnverified, markVerified, mendLedger } from '../ledger/mend-ledger.js';
import { RunError } from '../run-errors.js';
import { shortened } from '../shortened.js';
import { showRun } from '../show-run.js';
import { longestMessage } from '../usage-error.js';
import { recordedDigest, verifyFolder, withdrawFlaws } from './verify-folder.js';
import { commandFromHere } from '../repeat-run.js';
import { refuseForeignLog } from '../run-log.js';

/** What `verify` needs of the program around it. */
export type VerifyHooks = {
  say(line: string): void;
  /**
   * Runs the recorded command of a run once more in this folder, believing no remembered hash; gives the exit code. With `onlyAsk` it does
   * nothing but tell whether this program would compute what the run had.
   */
  replay(run: StoredRun, workDir: string, how?: { readonly onlyAsk: boolean }): Promise<number>;
};

/**
 * `verify`: looks at everything that the runs of a folder claim; unless it only looks (`check`), takes back what does not hold, and runs what
 * the latest run lacks by then. Gives the exit code.
 */
export async function verifyCommand(workDir: string, check: boolean, hooks: VerifyHooks): Promise<number> {
  const logFile = path.join(workDir, 'run.log');
  if (!check) refuseForeignLog(workDir);
  const display = showRun(process.stdout.isTTY === true, check ? {} : { logFile });
  try {
    return check ? await look(workDir, display, hooks) : await repair(workDir, display, hooks);
  } finally {
    display.close();
  }
}

const look = async (workDir: string, display: Display, { say }: VerifyHooks): Promise<number> => {
  const { flaws } = await aloneIn(
    workDir,
    () => Ledger.look(workDir),
    say,
    (ledger, folder, signal) => verifyFolder(ledger, folder, { display, signal }),
  );
  if (flaws.length === 0) return 0;
  display.log(`To repair:\n  ${commandLine(['verify', '--work', path.relative('', workDir) || '.'])}`);
  return 1;
};

const repair = async (workDir: string, display: Display, hooks: VerifyHooks): Promise<number> => {
  const open = (): Ledger => {
    try {
      return Ledger.open(workDir);
    } catch (error) {
      if (!(error instanceof TornLedger)) throw error;
      return openMended(workDir, display);
    }
  };
  const found = await aloneIn(workDir, open, hooks.say, async (ledger, folder, signal) => {
    const strict = isUnverified(ledger);
    const seen = await verifyFolder(ledger, folder, { display, signal, strict });
    const run = ledger.runs()[0];
    if (!run) {
      if (!strict) throw new RunError(`No run has begun in ${workDir}.`);
      await withdrawFlaws(ledger, folder, seen.flaws);
      markVerified(ledger);
      throw new RunError(noRunSaved(workDir));
    }
    // Of a ledger saved from ruins nobody knows what it lacks: the latest run goes through all of it.
    const runAgain = seen.latestLacks || strict;
    const state = { ...seen, run, runAgain };
    if (seen.flaws.length === 0 && !strict) return { ...state, code: 0, digest: undefined };
    // Before anything is taken back: whether this program would compute the same again.
    const code = runAgain ? await hooks.replay(run, workDir, { onlyAsk: true }) : 0;
    if (code !== 0) return { ...state, code, digest: undefined };
    ledger.migrate();
    const digest = strict ? undefined : recordedDigest(ledger);
    const left = await withdrawFlaws(ledger, folder, seen.flaws);
    if (left.length > 0) throw new RunError(`${left.length} of ${seen.flaws.length} flaws could not be repaired.`);
    markVerified(ledger);
    return { ...state, code, digest };
  });
  const { flaws, runAgain, lacking, run, digest, code: refused } = found;
  if (refused !== 0) return refused;
  if (flaws.length === 0 && !runAgain) {
    if (run.outcome !== 'done')
      display.log(`the latest run is not finished (${run.outcome}); to go on:\n  ${commandFromHere(run)}`);
    return 0;
  }
  for (const command of lacking)
    display.log(
      `What an earlier run lacks now is computed again by its own command:\n  ${shortened(command, longestMessage)}`,
    );
  if (!runAgain) {
    display.log('repaired: the latest run lacks nothing');
    return 0;
  }
  display.log(`running what is missing, as the latest run did:\n  ${commandFromHere(run)}`);
  const code = await hooks.replay(run, workDir);
  return code === 0 ? await compare(workDir, digest, display, hooks) : code;
};

const openMended = (workDir: string, display: Display): Ledger => {
  const { kept, rows } = mendLedger(workDir);
  const counts = Object.entries(rows).map(([table, count]) => `${count} ${table.replace('_', ' ')}`);
  display.log(`ledger.sqlite was damaged: saved ${counts.join(', ')}; the damaged one is kept as ${kept}`);
  return Ledger.open(workDir);
};

const noRunSaved = (workDir: string): string =>
  `No run can be read of the ledger of ${workDir} any more. Run its command again: items that were saved are taken as they are, the others are computed again.`;

/** After a repair: everything in its place, and the digest as it was. */
const compare = async (
  workDir: string,
  digest: string | undefined,
  display: Display,
  { say }: VerifyHooks,
): Promise<number> => {
  const after = await aloneIn(
    workDir,
    () => Ledger.open(workDir),
    say,
    async (ledger, folder, signal) => ({
      digest: recordedDigest(ledger),
      ...(await verifyFolder(ledger, folder, { display, signal, hash: false })),
    }),
  );
  if (after.flaws.length > 0) throw new RunError(`${after.flaws.length} flaws are left after the repair.`);
  if (digest !== undefined && after.digest !== digest) {
    throw new RunError(
      `Expected the digest ${digest} after the repair, as before it, got ${after.digest ?? 'none'}: what the run reads, or how it computes (--jobs, the processor), has changed since.`,
    );
  }
  display.log(`repaired: digest ${after.digest ?? 'none'}${digest === undefined ? '' : ', as before'}`);
  return 0;
};
