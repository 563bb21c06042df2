import { rmSync } from 'node:fs';
import path from 'node:path';
import { checkFolder, extentOf, runsThatCount, stagesOf, strays, type Flaw } from './check-folder.js';
import type { Display } from '../display.js';
import { needsOf } from './kept-runs.js';
import { runDigestOf } from '../keys.js';
import type { Ledger, StoredRun } from '../ledger/ledger.js';
import { isStageName } from '../ledger/ledger-walk.js';
import { printable } from '../printable.js';
import { formatBytes, formatSeconds } from '../rate.js';
import type { RunFolder } from '../run-folder.js';
import { readManifest, removeResult, tidyStage } from '../stage-manifest.js';

/** What a look at a whole folder came to. */
export type CheckSummary = {
  readonly flaws: readonly Flaw[];
  /** Whether the latest run has to go on for everything to be there again. */
  readonly latestLacks: boolean;
  /** Commands of earlier runs that lack something now, newest first. */
  readonly lacking: readonly string[];
};

/** How to look, and what to do about what is found. */
export type VerifyOptions = {
  readonly display: Display;
  readonly signal: AbortSignal;
  /** Read every byte. @default true */
  readonly hash?: boolean;
  /** After a ledger was saved from ruins. */
  readonly strict?: boolean;
};

/** Strays that are named, at most. */
const namedStrays = 20;

/** Looks at everything that the runs of a folder claim, tells every flaw, and changes nothing. The caller holds the run lock. */
export async function verifyFolder(ledger: Ledger, folder: RunFolder, options: VerifyOptions): Promise<CheckSummary> {
  const { display, signal, hash = true, strict = false } = options;
  const begun = performance.now();
  const extent = extentOf(ledger);
  const meter = display.stage('verify', extent.parts, 0);
  const flaws: Flaw[] = [];
  let [bytes, parts] = [0, 0];
  const looked = (more: number): void => {
    bytes += more;
    parts += 1;
    meter.ended(formatBytes(bytes), 'done');
  };
  try {
    for await (const flaw of checkFolder(ledger, folder, { hash, strict, signal, looked })) {
      flaws.push(flaw);
      display.log(flaw.text);
    }
  } finally {
    meter.close();
  }
  tellStrays(ledger, folder, display);
  const how = hash
    ? `${formatBytes(bytes)} read in ${formatSeconds((performance.now() - begun) / 1000)}`
    : 'sizes alone';
  display.log(
    `${parts} verdicts and results, ${how}: ${flaws.length === 0 ? 'all sound' : `${flaws.length} not as they were`}`,
  );
  const gone = new Set(flaws.flatMap(({ claim }) => ('key' in claim ? [claim.key] : [])));
  return { flaws, ...runsThatLack(ledger, gone) };
}

/** sha256 over what the latest run's command came to when it was last done, as its stages recorded it; absent where it never was. */
export function recordedDigest(ledger: Ledger): string | undefined {
  const { latest, whole } = runsThatCount(ledger);
  if (!whole || whole.command !== latest!.command) return undefined;
  const stages = ledger.stageRuns(whole.id);
  if (stages.length === 0 || stages.some(({ digest }) => digest === null)) return undefined;
  return runDigestOf(Object.fromEntries(stages.map(({ stage, digest }) => [stage, digest!])));
}

/**
 * Withdraws claims that do not hold: rows first, then files, so that what is claimed is there at every moment. Links are made anew. What is
 * withdrawn is computed again by the runs that need it. The caller holds the run lock. Returns the flaws that are left.
 */
export async function withdrawFlaws(
  ledger: Ledger,
  folder: RunFolder,
  flaws: readonly Flaw[],
): Promise<readonly Flaw[]> {
  const left: Flaw[] = [];
  // Of all stages, and before anything is taken back: the run that is to bring it again would refuse them.
  const claimed = flaws.flatMap(({ claim }) => ('stage' in claim && isStageName(claim.stage) ? [claim.stage] : []));
  for (const stage of new Set([...stagesOf(ledger), ...claimed])) folder.refuseOtherThanFolders(stage);
  for (const flaw of flaws) if (!(await withdraw(ledger, folder, flaw))) left.push(flaw);
  return left;
}

const withdraw = async (ledger: Ledger, folder: RunFolder, { claim }: Flaw): Promise<boolean> => {
  if (claim.kind === 'ledger') return mendStructure(ledger);
  if (claim.kind === 'item') {
    ledger.forgetItems([claim.key]);
    // A row may be so torn that what it names is no folder of ours.
    if (isStageName(claim.stage) && /^[0-9a-f]{64}$/.test(claim.key))
      rmSync(path.join(folder.root, folder.itemPath(claim.stage, claim.key)), { recursive: true, force: true });
    return true;
  }
  if (claim.kind === 'result') {
    removeResult(folder, claim.stage, claim.key);
    ledger.transaction(() =>
      ledger.execute(
        `UPDATE stage_runs SET outcome = 'gone' WHERE stage = ? AND stage_key = ?`,
        claim.stage,
        claim.key,
      ),
    );
    return true;
  }
  const row = ledger.lastStageRun(claim.stage);
  const manifest = row && (await readManifest(folder, claim.stage, row.stageKey));
  if (manifest) tidyStage(folder, manifest);
  folder.removeTemporary(claim.stage);
  return manifest !== undefined;
};

/** Indices follow from tables, and rows of files from rows of items. */
const mendStructure = (ledger: Ledger): boolean => {
  ledger.transaction(() => {
    ledger.execute('REINDEX');
    ledger.execute('DELETE FROM artefacts WHERE item NOT IN (SELECT key FROM items)');
    ledger.execute('DELETE FROM stage_runs WHERE run NOT IN (SELECT id FROM runs)');
  });
  return ledger.rows('PRAGMA integrity_check(1)').every((row) => Object.values(row)[0] === 'ok');
};

const tellStrays = (ledger: Ledger, folder: RunFolder, display: Display): void => {
  let count = 0;
  for (const stray of strays(ledger, folder)) {
    count += 1;
    if (count <= namedStrays) display.log(`belongs to no run, and is left alone: ${printable(stray)}`);
  }
  if (count > namedStrays) display.log(`and ${count - namedStrays} more that belong to no run`);
};

/** Runs that refer to something withdrawn: the latest, and commands of earlier ones. */
const runsThatLack = (ledger: Ledger, gone: ReadonlySet<string>): Pick<CheckSummary, 'latestLacks' | 'lacking'> => {
  if (gone.size === 0) return { latestLacks: false, lacking: [] };
  const { latest, whole } = runsThatCount(ledger);
  const lacking = ledger.runs().filter((run) => [...needsOf(ledger, run)].some((key) => gone.has(key)));
  const lacks = (run: StoredRun | undefined): boolean => lacking.some(({ id }) => id === run?.id);
  // A run that did not finish may not have come to what its command had made before.
  const latestLacks = lacks(latest) || (whole?.command === latest?.command && lacks(whole));
  const others = new Set(lacking.map(({ command }) => command));
  // What the latest run lacks, its own command brings, whoever gave that before.
  if (latestLacks) others.delete(latest!.command);
  return { latestLacks, lacking: [...others] };
};
