import { existsSync, lstatSync } from 'node:fs';
import { closeQuietly } from './alone-in-folder.js';
import { assessStage, type Surroundings } from './assess-stage.js';
import { toJson } from './canonical-json.js';
import type { Display } from './display.js';
import { makeFolder } from './durable-files.js';
import { FileHashes } from './file-hashes.js';
import { commandLine } from './invocation.js';
import type { Json } from './json.js';
import { killPoint } from './kill-point.js';
import { Ledger, type RunOrigin } from './ledger/ledger.js';
import { isUnverified } from './ledger/mend-ledger.js';
import { RunFolder, recover } from './run-folder.js';
import { Interrupted, RunError, explainSurroundings, readOnly } from './run-errors.js';
import { takeRunLock, type RunLock } from './run-lock.js';
import { runStage, type Running } from './run-stage.js';
import type { RunSettings, Stage, StageOutput } from './stage.js';
import { UsageError } from './usage-error.js';

/** A pipeline with everything decided: what to run, where, and how. */
export type RunRequest = {
  readonly pipeline: string;
  readonly stages: readonly Stage[];
  /** Checked parameters, by stage. */
  readonly params: ReadonlyMap<string, unknown>;
  readonly workDir: string;
  readonly settings: RunSettings;
  /** The command and where it was given, for `verify` to run it again. */
  readonly origin: RunOrigin;
  /** Stages before this one are taken as they are; it is an error if they are not finished. */
  readonly from?: string | undefined;
  /** The last stage to run. */
  readonly until?: string | undefined;
  readonly retry: ReadonlySet<'failed' | 'rejected'>;
  /** Believe no remembered hash, and hash finished files again. */
  readonly verify: boolean;
};

/** How a run is shown and stopped. */
export type RunControls = {
  readonly display: Display;
  /** Aborted when the run is asked to stop. */
  readonly stop: AbortSignal;
  /** Aborted when it is to end at once. */
  readonly stopNow: AbortSignal;
  readonly workerEnvironment: Readonly<Record<string, string>>;
  /** Lines that workers print and nobody needs. */
  readonly isNoise?: ((line: string) => boolean) | undefined;
  /** How long workers may take to stop by themselves. @default 15000 */
  readonly graceMs?: number;
};

/**
 * Runs the stages in order; what is finished is taken as it is. Returns what finished, by stage.
 *
 * @throws Interrupted when asked to stop; RunError when it cannot go on; UsageError for stages that do not exist.
 */
export async function runPipeline(
  request: RunRequest,
  controls: RunControls,
): Promise<ReadonlyMap<string, StageOutput>> {
  checkStages(request);
  const { workDir, verify, stages } = request;
  let ledger: Ledger | undefined;
  let lock: RunLock | undefined;
  try {
    ledger = openLedger(workDir);
    lock = await takeRunLock(ledger);
    if (isUnverified(ledger)) throw new RunError(notVerified(workDir));
    ledger.migrate();
    const folder = new RunFolder(workDir);
    const names = stages.map((stage) => stage.name);
    for (const line of await recover(ledger, folder, names, verify)) controls.display.log(line);
    const surroundings = surroundingsOf(
      request,
      folder,
      ledger,
      new FileHashes(ledger, verify ? 'verify' : 'write', { signal: controls.stop, log: controls.display.log }),
      controls.display.log,
    );
    const held = lock;
    const running: Running = {
      ...{ graceMs: 15_000, ...surroundings, ...controls, ledger },
      onChild: (pid, alive) => (alive ? held.addChild(pid) : held.removeChild(pid)),
    };
    return await runStages(request, running);
  } catch (error) {
    const explained = explainSurroundings(error, workDir);
    throw explained ? new RunError(explained) : error;
  } finally {
    closeQuietly(ledger, lock);
  }
}

/** What plans and runs look at stages with. */
export const surroundingsOf = (
  request: RunRequest,
  folder: RunFolder,
  ledger: Ledger | undefined,
  hashes: FileHashes,
  log: (line: string) => void,
): Surroundings => {
  const { stages, params, settings, retry, verify } = request;
  return { stages, params, settings, retry, verify, folder, ledger, hashes, log };
};

/** Refuses a list of stages that cannot be run, and names of stages that are not in it. */
export function checkStages({ stages, from, until }: Pick<RunRequest, 'stages' | 'from' | 'until'>): void {
  const seen = new Set<string>();
  for (const stage of stages) {
    if (!/^[a-z][a-z0-9-]{2,}$/.test(stage.name))
      throw new Error(`Expected the name of a stage to be of small letters, got \`${stage.name}\``);
    if (seen.has(stage.name)) throw new Error(`Expected stages to have different names, got \`${stage.name}\` twice`);
    for (const input of stage.inputs) {
      if (!seen.has(input))
        throw new Error(
          `Expected input \`${input}\` of ${stage.name} to be an earlier stage, got: ${[...seen].join(', ')}`,
        );
    }
    for (const read of stage.work?.reads ?? []) {
      if (!stage.inputs.includes(read))
        throw new Error(
          `Expected what the work of ${stage.name} reads to be among its inputs (${stage.inputs.join(', ') || 'none'}), got \`${read}\``,
        );
    }
    if (Boolean(stage.items) !== Boolean(stage.work))
      throw new Error(`Expected ${stage.name} to have both \`items\` and \`work\`, or neither`);
    seen.add(stage.name);
  }
  const names = [...seen];
  if (from && until && names.indexOf(from) > names.indexOf(until)) {
    throw new UsageError(`Expected --from to be no later than --until, got --from ${from} --until ${until}`);
  }
}

async function runStages(request: RunRequest, running: Running): Promise<Map<string, StageOutput>> {
  const { pipeline, stages, params, settings, origin, from, until } = request;
  const { ledger } = running;
  const config = Object.fromEntries(
    stages.map(({ name }): [string, Json] => [name, toJson(params.get(name) ?? {}, name)]),
  );
  const run = ledger.beginRun({ pipeline, command: settings.command, ...origin, config });
  const finished = new Map<string, StageOutput>();
  const first = from ? stages.findIndex((stage) => stage.name === from) : 0;
  const last = until ? stages.findIndex((stage) => stage.name === until) : stages.length - 1;
  let outcome = 'failed';
  try {
    for (const [position, stage] of stages.entries()) {
      killPoint('before stage');
      running.stop.throwIfAborted();
      // What stands before `--from` is taken as it is, its failures too.
      const asked = position < first ? { ...stage, retriesFailed: false } : stage;
      const state = await assessStage(asked, finished, running);
      running.stop.throwIfAborted();
      if (position < first && !state.manifest) throw new RunError(notFinished(stage.name, from!, state.pending.length));
      const inputs = Object.fromEntries(
        state.inputs.map((input) => [input.stage, { recipe: recipeIn(ledger, input), digest: input.digest }]),
      );
      const row = ledger.beginStage({
        ...{ run, stage: stage.name, position, stageKey: state.stageKey, recipe: state.recipe },
        ...{
          itemRecipe: state.itemRecipe,
          version: stage.version,
          params: config[stage.name]!,
          inputs,
          contents: state.items.map((item) => item.content),
        },
      });
      const begun = performance.now();
      const seconds = (): number => (state.manifest ? 0 : (performance.now() - begun) / 1000);
      try {
        const output = await runStage(state, finished, running);
        ledger.endStage(row, state.manifest ? 'reused' : 'done', seconds(), output.digest);
        finished.set(stage.name, output);
        running.display.log(`${stage.name}: ${state.manifest ? 'reused' : 'done'}${countsOf(output)}`);
      } catch (error) {
        ledger.endStage(row, error instanceof Interrupted ? 'interrupted' : 'failed', seconds());
        throw error;
      }
      if (stage.name === until) break;
      foresee(stages.slice(position + 1, last + 1), finished.get(stage.name)!, params);
    }
    outcome = 'done';
    return finished;
  } catch (error) {
    if (error instanceof Interrupted) outcome = 'interrupted';
    throw error;
  } finally {
    ledger.endRun(run, outcome);
  }
}

/** Has later stages look at what just finished. */
export const foresee = (later: readonly Stage[], output: StageOutput, params: ReadonlyMap<string, unknown>): void => {
  for (const stage of later) if (stage.inputs.includes(output.stage)) stage.foresee?.(output, params.get(stage.name));
};

const openLedger = (workDir: string): Ledger => {
  try {
    makeFolder(workDir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') throw new RunError(readOnly(workDir));
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new UsageError(`Expected --work to be a folder, got ${workDir}, which ${whatIsThere(workDir)}`);
    if (code === 'ENOENT')
      throw new UsageError(`Expected --work to be a folder, got ${workDir}, where the system makes no folders`);
    throw error;
  }
  return Ledger.open(workDir);
};

const notVerified = (workDir: string): string =>
  `The ledger of ${workDir} was saved from a damaged one, and not held against the files yet: run \`${commandLine(['verify', '--work', workDir])}\` first.`;

const whatIsThere = (place: string): string =>
  lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() && !existsSync(place)
    ? 'is a link that leads nowhere: make the folder it names'
    : 'is a file';

const recipeIn = (ledger: Ledger, input: StageOutput): string => ledger.lastStageRun(input.stage)?.recipe ?? '';

const countsOf = ({ items }: StageOutput): string => {
  const count = (status: string): number => items.filter((item) => item.status === status).length;
  const parts = (['done', 'rejected', 'failed'] as const)
    .map((status) => `${count(status)} ${status}`)
    .filter((part) => !part.startsWith('0 '));
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
};

const notFinished = (stage: string, from: string, pending: number): string =>
  `Expected ${stage} to be finished before --from ${from}, ${pending > 0 ? `but ${pending} of its items are not` : 'but it is not'}: run without --from.`;
