import { runDigestOf } from './keys.js';
import type { Ledger, StoredItem, StoredRun } from './ledger/ledger.js';
import { printable } from './printable.js';
import { formatBytes, formatSeconds } from './rate.js';
import type { RunFolder } from './run-folder.js';
import { readManifest } from './stage-manifest.js';
import { RunError } from './run-errors.js';
import { lockHolder } from './run-lock.js';
import { commandFromHere } from './repeat-run.js';
import { shortened } from './shortened.js';

/** How one stage of the latest run stands. */
export type StageStatus = {
  readonly stage: string;
  readonly outcome: string;
  readonly counts: { readonly done: number; readonly rejected: number; readonly failed: number; readonly open: number };
  /** Reasons of rejections and failures, the most frequent first. */
  readonly reasons: readonly {
    readonly status: 'rejected' | 'failed';
    readonly reason: string;
    readonly count: number;
    /** Of the items, in the order of the stage's list. */
    readonly labels: readonly string[];
  }[];
  readonly bytes: number;
  readonly seconds: number;
  readonly digest: string | undefined;
};

/** How a run folder stands, as its latest run left it. */
export type RunStatus = {
  readonly run: StoredRun;
  readonly stages: readonly StageStatus[];
  readonly digest: string | undefined;
};

/** Reads the state of the latest run. The digest is absent unless every stage of that run finished, and has its verdicts and result still. */
export async function runStatus(ledger: Ledger, folder: RunFolder): Promise<RunStatus> {
  const run = latestRun(ledger);
  if (!run) throw new RunError(`No run has begun in ${folder.root}.`);
  const stages: StageStatus[] = [];
  for (const row of ledger.stageRuns(run.id)) {
    const wanted = new Set(row.contents);
    const known = new Map(
      [...ledger.items(row.stage, row.itemRecipe).values()].map((item): [string, StoredItem] => [item.content, item]),
    );
    const items = [...wanted].flatMap((content) => known.get(content) ?? []);
    const count = (status: string): number => items.filter((item) => item.status === status).length;
    const manifest = await readManifest(folder, row.stage, row.stageKey);
    const files = [...items.flatMap((item) => item.artefacts), ...(manifest?.artefacts ?? [])];
    stages.push({
      ...{
        stage: row.stage,
        outcome: row.outcome === 'running' && run.outcome !== 'running' ? 'interrupted' : row.outcome,
        digest: manifest?.digest,
        seconds: manifest?.seconds ?? ledger.secondsOf(row.stageKey),
      },
      counts: {
        done: count('done'),
        rejected: count('rejected'),
        failed: count('failed'),
        open: wanted.size - items.length,
      },
      reasons: tally(items),
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    });
  }
  const isThere = ({ digest, counts }: StageStatus): boolean => digest !== undefined && counts.open === 0;
  const whole = run.outcome === 'done' && stages.length > 0 && stages.every(isThere);
  const digest = whole
    ? runDigestOf(Object.fromEntries(stages.map((stage) => [stage.stage, stage.digest!])))
    : undefined;
  return { run, stages, digest };
}

/** Of a run whose process is gone without a word. */
const gone = 'interrupted (its process is gone)';

/** The latest run; one that is said to be running is looked for among the processes. */
const latestRun = (ledger: Ledger): StoredRun | undefined => {
  const run = ledger.runs()[0];
  if (run?.outcome !== 'running' || lockHolder(ledger)) return run;
  // A run ends before it gives its lock back: one that did both just now has ended when it is read again.
  const again = ledger.runs()[0];
  return again?.id === run.id && again.outcome === 'running' ? { ...run, outcome: gone } : again;
};

/** Items that are named for each stage, at most. */
const namedItems = 20;

/** Most characters of a reason or a name. */
const longestText = 2000;

const shown = (text: string): string => printable(shortened(text, longestText));

/** The status as lines; texts of a ledger that would fill a terminal are cut. */
export function formatStatus({ run, stages, digest }: RunStatus): string[] {
  const lines = [
    `${shown(run.pipeline)}: ${shown(run.outcome)}, started ${shown(run.started)}${run.ended ? `, ended ${shown(run.ended)}` : ''}`,
    `  ${commandFromHere(run)}`,
  ];
  for (const { stage, outcome, counts, reasons, bytes, seconds } of stages) {
    const parts = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
    lines.push(`${shown(stage)}: ${[shown(outcome), ...parts, formatBytes(bytes), formatSeconds(seconds)].join(', ')}`);
    let named = 0;
    for (const { status, reason, count, labels } of reasons) {
      lines.push(`  ${count} ${status}: ${shown(reason)}`);
      const first = labels.slice(0, namedItems - named);
      named += first.length;
      lines.push(...first.map((label) => `    ${shown(label)}`));
      if (first.length < count) lines.push(`    and ${count - first.length} more`);
    }
  }
  if (digest) lines.push(`digest ${digest}`);
  if (run.outcome === gone) lines.push('To go on:', `  ${commandFromHere(run)}`);
  return lines;
}

const tally = (items: readonly StoredItem[]): StageStatus['reasons'] => {
  const found = new Map<string, { status: 'rejected' | 'failed'; reason: string; labels: string[] }>();
  for (const { status, reason = 'no reason given', label } of items) {
    if (status === 'done') continue;
    const known = found.get(`${status} ${reason}`);
    if (known) known.labels.push(label);
    else found.set(`${status} ${reason}`, { status, reason, labels: [label] });
  }
  return [...found.values()]
    .map((entry) => ({ ...entry, count: entry.labels.length }))
    .sort((a, b) => b.count - a.count);
};
