import { runDigestOf } from './keys.js';
import type { Ledger, StoredItem, StoredRun } from './ledger.js';
import { formatBytes, formatSeconds } from './rate.js';
import type { RunFolder } from './run-folder.js';
import { readManifest } from './stage-manifest.js';
import { RunError } from './run-errors.js';

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

/** Reads the state of the latest run. The digest is absent unless every stage of that run finished. */
export async function runStatus(ledger: Ledger, folder: RunFolder): Promise<RunStatus> {
  const run = ledger.runs()[0];
  if (!run) throw new RunError(`No run has begun in ${folder.root}.`);
  const stages: StageStatus[] = [];
  for (const row of ledger.stageRuns(run.id)) {
    const wanted = new Set(row.contents);
    const items = [...ledger.items(row.stage, row.itemRecipe).values()].filter((item) => wanted.has(item.content));
    const count = (status: string): number => items.filter((item) => item.status === status).length;
    const manifest = await readManifest(folder, row.stage, row.stageKey);
    const files = [...items.flatMap((item) => item.artefacts), ...(manifest?.artefacts ?? [])];
    stages.push({
      ...{
        stage: row.stage,
        outcome: row.outcome,
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
  const whole = run.outcome === 'done' && stages.every((stage) => stage.digest !== undefined);
  const digest = whole
    ? runDigestOf(Object.fromEntries(stages.map((stage) => [stage.stage, stage.digest!])))
    : undefined;
  return { run, stages, digest };
}

/** The status as lines. */
export function formatStatus({ run, stages, digest }: RunStatus): string[] {
  const lines = [
    `${run.pipeline}: ${run.outcome}, started ${run.started}${run.ended ? `, ended ${run.ended}` : ''}`,
    `  ${run.command}`,
  ];
  for (const { stage, outcome, counts, reasons, bytes, seconds } of stages) {
    const parts = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
    lines.push(`${stage}: ${[outcome, ...parts, formatBytes(bytes), formatSeconds(seconds)].join(', ')}`);
    for (const { status, reason, count } of reasons) lines.push(`  ${count} ${status}: ${reason}`);
  }
  if (digest) lines.push(`digest ${digest}`);
  return lines;
}

const tally = (items: readonly StoredItem[]): StageStatus['reasons'] => {
  const counts = new Map<string, { status: 'rejected' | 'failed'; reason: string; count: number }>();
  for (const { status, reason = 'no reason given' } of items) {
    if (status === 'done') continue;
    const known = counts.get(`${status} ${reason}`);
    counts.set(`${status} ${reason}`, { status, reason, count: (known?.count ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
};
