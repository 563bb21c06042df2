import { assessStage, finishedItems, outputOf, recipesOf, type StageState } from './assess-stage.js';
import { toJson } from './canonical-json.js';
import { FileHashes } from './file-hashes.js';
import { Ledger, type StoredStageRun } from './ledger/ledger.js';
import { differences } from './params.js';
import { brokenItems, RunFolder } from './run-folder.js';
import { checkStages, foresee, surroundingsOf, type RunRequest } from './run-pipeline.js';
import type { Stage, StageOutput } from './stage.js';

/** What a run would do with one stage, and why. */
export type PlanEntry = {
  readonly stage: string;
  readonly action: 'reuse' | 'resume' | 'run' | 'left out';
  /** Items that are finished, and how many there are; absent where they are known only once an earlier stage has run. */
  readonly items?: { readonly finished: number; readonly total: number };
  readonly reasons: readonly string[];
};

/** Says what a run would do, without writing anything. */
export async function planPipeline(request: RunRequest, log: (line: string) => void): Promise<PlanEntry[]> {
  checkStages(request);
  const ledger = Ledger.openExisting(request.workDir);
  try {
    const folder = new RunFolder(request.workDir);
    const surroundings = surroundingsOf(
      request,
      folder,
      ledger,
      new FileHashes(ledger, request.verify ? 'verify' : 'read'),
      log,
    );
    const recipes = recipesOf(request.stages, request.params);
    const finished = new Map<string, StageOutput>();
    const entries: PlanEntry[] = [];
    const last = request.until ? request.stages.findIndex((stage) => stage.name === request.until) : Infinity;
    for (const [position, stage] of request.stages.entries()) {
      const before = ledger?.lastStageRun(stage.name);
      const own = ownReasons(stage, request, before);
      const waits = stage.inputs.filter((input) => !finished.has(input));
      if (position > last)
        entries.push({ stage: stage.name, action: 'left out', reasons: [`after --until ${request.until!}`] });
      else if (waits.length > 0) {
        const kept = ledger?.items(stage.name, recipes.get(stage.name)!.item).size ?? 0;
        const reasons = before ? [...own, `input ${waits.join(' and ')} changes`] : [...own];
        if (stage.items) reasons.push(`its items are known once ${waits.at(-1)!} is done`);
        if (kept > 0) reasons.push(`up to ${kept} finished items may be kept`);
        entries.push({ stage: stage.name, action: 'run', reasons });
      } else {
        const broken = ledger ? await brokenItems(ledger, folder, stage.name, request.verify) : [];
        const state = await assessStage(stage, finished, surroundings, new Set(broken));
        entries.push(entryOf(state, own, before, broken));
        if (state.manifest) {
          const items = finishedItems(state.items, state.standing, folder);
          const output = outputOf(state.manifest, items, folder, state.params);
          finished.set(stage.name, output);
          foresee(request.stages.slice(position + 1, last + 1), output, request.params);
        }
      }
    }
    return entries;
  } finally {
    ledger?.close();
  }
}

/** The plan as lines: `mine  resume 812/1000  2 new items`. */
export function formatPlan(entries: readonly PlanEntry[]): string[] {
  const action = ({ action: verb, items }: PlanEntry): string =>
    verb === 'resume' && items ? `${verb} ${items.finished}/${items.total}` : verb;
  const width = Math.max(...entries.map((entry) => entry.stage.length));
  const actions = Math.max(...entries.map((entry) => action(entry).length));
  return entries.map((entry) =>
    `${entry.stage.padEnd(width)}  ${action(entry).padEnd(actions)}  ${entry.reasons.join('; ')}`.trimEnd(),
  );
}

const ownReasons = (stage: Stage, request: RunRequest, before: StoredStageRun | undefined): string[] => {
  if (!before) return ['never ran here'];
  const reasons =
    before.version === stage.version ? [] : [`${stage.name} version ${before.version} -> ${stage.version}`];
  return [...reasons, ...differences(stage.name, before.params, toJson(request.params.get(stage.name) ?? {}))];
};

const entryOf = (
  state: StageState,
  own: readonly string[],
  before: StoredStageRun | undefined,
  broken: readonly string[],
): PlanEntry => {
  const { stage, items: list, pending, standing, manifest, retried } = state;
  const items = { finished: list.length - pending.length, total: list.length };
  if (manifest)
    return {
      stage: stage.name,
      action: 'reuse',
      items,
      reasons: [list.length > 0 ? plural(list.length, 'item') : 'unchanged'],
    };
  const reasons = [...own];
  for (const input of state.inputs) {
    const was = before?.inputs[input.stage];
    if (was && was.digest !== input.digest) reasons.push(`input ${input.stage} changed`);
  }
  if (before) {
    const [old, now] = [new Set(before.contents), new Set(list.map((item) => item.content))];
    const added = [...now].filter((content) => !old.has(content)).length;
    const gone = [...old].filter((content) => !now.has(content)).length;
    if (added > 0) reasons.push(plural(added, 'new item'));
    if (gone > 0) reasons.push(`${plural(gone, 'item')} gone`);
  }
  const retry = new Set(retried);
  const lost = new Set(broken);
  const missing = list.filter((item) => lost.has(item.key)).length;
  if (missing > 0) reasons.push(`the files of ${plural(missing, 'finished item')} are missing or changed`);
  if (retry.size > 0) reasons.push(`${plural(retry.size, 'item')} to try again`);
  if (list.length > 0 && standing.size === list.length) reasons.push('all items are finished, the stage is not');
  else if (reasons.length === 0 && before && before.outcome !== 'done' && before.outcome !== 'reused')
    reasons.push(`the last run was ${before.outcome}`);
  if (reasons.length === 0) reasons.push('its result is missing or no longer fits what it was made from');
  return { stage: stage.name, action: standing.size > 0 ? 'resume' : 'run', items, reasons };
};

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
