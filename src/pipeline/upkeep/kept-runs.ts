import { itemKeyOf } from '../keys.js';
import type { Ledger, StoredRun } from '../ledger/ledger.js';

/** What stays when a run folder is cleared out. */
export type KeptRuns = {
  readonly runs: readonly StoredRun[];
  /** Keys of the items and results that these refer to. */
  readonly needed: ReadonlySet<string>;
};

/** Keys of the items and results that a run refers to. */
export function needsOf(ledger: Ledger, run: StoredRun): Set<string> {
  const keys = new Set<string>();
  for (const { stageKey, itemRecipe, contents } of ledger.stageRuns(run.id)) {
    keys.add(stageKey);
    for (const content of contents) keys.add(itemKeyOf(itemRecipe, content));
  }
  return keys;
}

/**
 * The newest `keep` runs of each pipeline, runs that came to the same counting as one. A run that did not finish all its stages (`--until`, an
 * interruption) would find the rest where an earlier one left it: so for each such stage the newest run that finished it stays too, and
 * the newest that began it (its checkpoints).
 */
export function keptRuns(ledger: Ledger, keep: number): KeptRuns {
  const runs = ledger.runs();
  const kept = [...new Set(runs.map(({ pipeline }) => pipeline))].flatMap((pipeline) =>
    keptOf(
      ledger,
      runs.filter((run) => run.pipeline === pipeline),
      keep,
    ),
  );
  const needed = new Set<string>();
  for (const run of kept) for (const key of needsOf(ledger, run)) needed.add(key);
  return { runs: kept, needed };
}

/** Of the runs of one pipeline, newest first. */
const keptOf = (ledger: Ledger, runs: readonly StoredRun[], keep: number): StoredRun[] => {
  const states = new Set<string>();
  const wanted = new Set<string>();
  const [finished, begun] = [new Set<string>(), new Set<string>()];
  return runs.filter((run) => {
    const stages = ledger.stageRuns(run.id);
    const state = stages.map(({ stageKey }) => stageKey).join(' ');
    const isOne = states.size < keep || states.has(state);
    if (isOne) {
      states.add(state);
      for (const stage of stagesAskedFor(ledger, run)) wanted.add(stage);
    }
    const brings = stages.some(
      ({ stage, outcome }) => wanted.has(stage) && (!begun.has(stage) || (isResult(outcome) && !finished.has(stage))),
    );
    if (!isOne && !brings) return false;
    for (const { stage, outcome } of stages) {
      begun.add(stage);
      if (isResult(outcome)) finished.add(stage);
    }
    return true;
  });
};

const isResult = (outcome: string): boolean => outcome === 'done' || outcome === 'reused';

/** All stages of a run's pipeline: its configuration names them, also those that it did not come to. */
const stagesAskedFor = (ledger: Ledger, run: StoredRun): string[] =>
  Object.keys(JSON.parse(String(ledger.rows('SELECT config FROM runs WHERE id = ?', run.id)[0]!['config'])) as object);
