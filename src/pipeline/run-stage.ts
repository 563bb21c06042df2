import { rmSync } from 'node:fs';
import path from 'node:path';
import { toJson } from './canonical-json.js';
import {
  digestOfFinished,
  digestOfItems,
  finishedItems,
  inputOf,
  lostInput,
  outputOf,
  type KeyedItem,
  type StageState,
  type Surroundings,
} from './assess-stage.js';
import type { Display, StageMeter } from './display.js';
import { moveFolder } from './durable-files.js';
import { itemDigestOf, stageDigestOf } from './keys.js';
import { killPoint } from './kill-point.js';
import type { Ledger, StoredItem } from './ledger/ledger.js';
import { RunError, explainSurroundings } from './run-errors.js';
import { storeReduced, tidyStage, writeManifest, type StageManifest } from './stage-manifest.js';
import type { ReduceContext, StageOutput } from './stage.js';
import { printable } from './printable.js';
import { makeWorker, type ItemWorker } from './workers/worker-pool.js';
import type { WorkerVerdict } from './workers/worker-messages.js';

/** What running needs beside looking. */
export type Running = Surroundings & {
  readonly ledger: Ledger;
  readonly display: Display;
  /** Aborted when the run is asked to stop. */
  readonly stop: AbortSignal;
  /** Aborted when it is to end at once. */
  readonly stopNow: AbortSignal;
  readonly workerEnvironment: Readonly<Record<string, string>>;
  /** Lines that workers print and nobody needs. */
  readonly isNoise?: ((line: string) => boolean) | undefined;
  onChild(pid: number, alive: boolean): void;
  /** How long workers may take to stop by themselves, in milliseconds. */
  readonly graceMs: number;
};

/** Turns the pending items of a stage into verdicts, then folds all of them. */
export async function runStage(
  state: StageState,
  finished: ReadonlyMap<string, StageOutput>,
  running: Running,
): Promise<StageOutput> {
  const { stage, items } = state;
  const verdicts = new Map(state.standing);
  if (state.manifest) {
    tidyStage(running.folder, state.manifest);
    tidyFolders(stage.name, running);
    return outputOf(state.manifest, finishedItems(items, verdicts, running.folder), running.folder, state.params);
  }
  const begun = performance.now();
  running.ledger.forgetItems(state.retried);
  if (state.pending.length > 0) await runItems(state, verdicts, running);
  running.stop.throwIfAborted();
  const manifest = await reduceStage(state, verdicts, finished, running, begun);
  tidyFolders(stage.name, running);
  return outputOf(manifest, finishedItems(items, verdicts, running.folder), running.folder, state.params);
}

/** A finished stage needs no temporary folders, and of checkpoints only those of failed items: others belong to items that are no longer listed. */
const tidyFolders = (stage: string, { folder, ledger }: Running): void => {
  folder.removeScratchExcept(stage, new Set(ledger.failedKeys(stage)));
  folder.removeTemporary(stage);
};

async function runItems(state: StageState, verdicts: Map<string, StoredItem>, running: Running): Promise<void> {
  const { stage, params, inputs, items, pending } = state;
  const { settings, display, stop, stopNow, folder } = running;
  const work = stage.work!;
  const read = work.reads ? inputs.filter((input) => work.reads!.includes(input.stage)) : inputs;
  const setup = { module: work.module.href, params, settings, inputs: read };
  const options = { environment: running.workerEnvironment, onChild: running.onChild, isNoise: running.isNoise };
  const most = work.atOnce?.(params) ?? settings.jobs;
  const count = work.runs === 'tensors' ? 1 : Math.max(1, Math.min(most, pending.length));
  const workers = Array.from({ length: count }, () => makeWorker(work.runs, setup, options));
  const meter = display.stage(stage.name, items.length, items.length - pending.length);
  const release = stopWorkers(workers, stop, stopNow, running.graceMs);
  const queue = [...pending];
  let halted: Error | undefined;
  const halt = (error: Error): void => {
    halted ??= error;
    for (const worker of workers) worker.abort();
  };
  const serve = async (worker: ItemWorker): Promise<void> => {
    while (!halted && !stop.aborted) {
      const item = queue.shift();
      if (!item) return;
      const shown = printable(item.label);
      const began = performance.now();
      const outputs = folder.makeTemporary(stage.name, item.key);
      const scratch = folder.makeScratch(stage.name, item.key);
      const listener = {
        progress: (progress: Parameters<StageMeter['item']>[1]) => meter.item(shown, progress),
        log: (line: string) => display.log(`${stage.name} ${shown}: ${line}`),
      };
      const came = await worker.run({ item: strip(item), outputs, scratch }, listener);
      const lost = came.status === 'aborted' ? undefined : await running.hashes.changeIn(item.payload);
      const verdict: WorkerVerdict = lost === undefined ? came : { status: 'failed', reason: lost, lostInput: true };
      // Ctrl-C reaches helpers of the work (ffmpeg) before the wish to stop reaches the work: what fails then is no verdict.
      if (verdict.status === 'aborted' || (verdict.status === 'failed' && stop.aborted)) return;
      const surroundings = verdict.status === 'failed' ? explainSurroundings(verdict, folder.root) : undefined;
      if (surroundings)
        throw new RunError(
          `${surroundings} (${stage.name}, ${shown}: ${printable((verdict as { reason: string }).reason)})`,
        );
      const stored = recordVerdict(state, item, verdict, outputs, (performance.now() - began) / 1000, running);
      verdicts.set(item.key, stored);
      meter.ended(shown, stored.status);
      if (verdict.status === 'failed') {
        display.log(`${stage.name} ${shown} failed: ${printable(verdict.reason)}`);
        if (stage.onFailure === 'stop') throw new RunError(stoppedBy(stage.name, shown, printable(verdict.reason)));
        if (verdict.stack) display.log(verdict.stack);
      } else if (verdict.status === 'rejected')
        display.log(`${stage.name} ${shown} rejected: ${printable(verdict.reason)}`);
    }
  };
  try {
    await Promise.all(workers.map((worker) => serve(worker).catch((error: unknown) => halt(error as Error))));
  } finally {
    release();
    await Promise.all(workers.map((worker) => (halted || stop.aborted ? worker.kill() : worker.close())));
    meter.close();
  }
  if (halted) throw halted;
  stop.throwIfAborted();
}

/** Passes the wish to stop on to the workers; ends those that do not follow in time. Returns a function that lets go of the signals. */
const stopWorkers = (
  workers: readonly ItemWorker[],
  stop: AbortSignal,
  stopNow: AbortSignal,
  graceMs: number,
): (() => void) => {
  let late: NodeJS.Timeout | undefined;
  const killAll = (): void => workers.forEach((worker) => void worker.kill());
  const abortAll = (): void => {
    workers.forEach((worker) => worker.abort());
    late = setTimeout(killAll, graceMs);
  };
  stop.addEventListener('abort', abortAll);
  stopNow.addEventListener('abort', killAll);
  return () => {
    clearTimeout(late);
    stop.removeEventListener('abort', abortAll);
    stopNow.removeEventListener('abort', killAll);
  };
};

/** First the files in their place, then the row: a row always has its files. */
function recordVerdict(
  state: StageState,
  item: KeyedItem,
  verdict: Exclude<WorkerVerdict, { status: 'aborted' }>,
  outputs: string,
  seconds: number,
  { folder, ledger }: Running,
): StoredItem {
  const done = verdict.status === 'done' ? verdict : undefined;
  const place = folder.itemPath(state.stage.name, item.key);
  if (done && done.files.length > 0) moveFolder(outputs, path.join(folder.root, place));
  else {
    killPoint('before removing the outputs of no result');
    rmSync(outputs, { recursive: true, force: true });
  }
  const stored = {
    ...{ key: item.key, stage: state.stage.name, recipe: state.itemRecipe, content: item.content, label: item.label },
    ...{ status: verdict.status, seconds, executions: 1 },
    reason: 'reason' in verdict ? verdict.reason : undefined,
    data: 'data' in verdict ? verdict.data : null,
    notes: verdict.status === 'failed' && verdict.lostInput ? lostInput : (done?.notes ?? null),
    artefacts: (done?.files ?? []).map((file) => ({
      ...file,
      path: path.join(place, file.name),
      volatile: done!.volatile.includes(file.name),
    })),
  };
  ledger.recordItem(stored);
  folder.removeScratch(state.stage.name, item.key, verdict.status === 'failed');
  return stored;
}

async function reduceStage(
  state: StageState,
  verdicts: ReadonlyMap<string, StoredItem>,
  finished: ReadonlyMap<string, StageOutput>,
  { folder, ledger, settings, display }: Running,
  begun: number,
): Promise<StageManifest> {
  const { stage, stageKey, items, params } = state;
  const outputs = folder.makeTemporary(stage.name, stageKey);
  // Whoever looks at all that finished depends on all of it, and is folded again when any of it changes.
  let looked = false;
  const folded = finishedItems(items, verdicts, folder);
  const context: ReduceContext<unknown> = {
    ...{ params, settings, outputs, items: folded, input: inputOf(stage, finished) },
    get finished() {
      looked = true;
      return finished;
    },
    log: (line) => display.log(`${stage.name}: ${line}`),
  };
  const result = await stage.reduce?.(context).catch((error: unknown) => {
    if (error instanceof RunError)
      error.message += wordsOnFailed([...finished.values(), { stage: stage.name, items: folded }]);
    throw error;
  });
  const artefacts = storeReduced(folder, stage.name, stageKey, outputs, result?.volatile ?? []);
  const data = toJson(result?.data ?? null, 'data');
  const manifest: StageManifest = {
    ...{ stage: stage.name, version: stage.version, key: stageKey, itemsDigest: digestOfItems(items, verdicts) },
    ...(looked ? { finishedDigest: digestOfFinished(finished) } : {}),
    digest: stageDigestOf(
      items.map((item) => itemDigestOf(verdicts.get(item.key)!)),
      data,
      artefacts,
    ),
    ...{ data, notes: toJson(result?.notes ?? null, 'notes'), artefacts, items: items.map((item) => item.key) },
    seconds: ledger.secondsOf(stageKey) + (performance.now() - begun) / 1000,
  };
  writeManifest(folder, manifest);
  return manifest;
}

/** Where a stage cannot be folded: items that failed may be what is lacking, and only `--retry` tries them again. */
const wordsOnFailed = (stages: readonly Pick<StageOutput, 'stage' | 'items'>[]): string => {
  const failed = stages.flatMap(({ stage, items }) => {
    const count = items.filter(({ status }) => status === 'failed').length;
    return count > 0 ? [`${count} of ${stage}`] : [];
  });
  return failed.length > 0 ? `\nItems failed (${failed.join(', ')}): \`--retry failed\` works on them again.` : '';
};

const strip = ({
  label,
  content,
  payload,
}: KeyedItem): { label: string; content: string; payload: KeyedItem['payload'] } => ({
  ...{ label, content, payload },
});

const stoppedBy = (stage: string, label: string, reason: string): string =>
  `${stage} stopped at ${label}: ${reason}\nWhat was finished is kept: the same command goes on, and tries this item again.`;
