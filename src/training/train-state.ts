import type { StoredTensor } from '../network/safetensors.js';
import type { Trunk } from '../network/trunk.js';
import { canonicalJson } from '../pipeline/canonical-json.js';
import type { Json } from '../pipeline/json.js';
import { UsageError } from '../pipeline/usage-error.js';
import { tf, type Variable } from '../runtime/tensors.js';
import { arraysOfBest, bestPrefix, type BestPoint, type BestWeights } from './best-weights.js';
import type { Method, NamedArrays } from './method.js';
import type { OptimizerState } from './optimizer.js';
import type { HealthState } from './health.js';

/** One point of a training curve; signals of the method stand beside the loss by their own names. */
export type HistoryEntry = { readonly step: number; readonly loss: number } & Readonly<Record<string, number>>;

/** Points of a curve out of JSON, which has `null` for a signal that is no number. */
export const numbersOf = (history: readonly HistoryEntry[]): HistoryEntry[] =>
  history.map(
    (entry) => Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, value ?? NaN])) as HistoryEntry,
  );

/** What decides the outcome of a run. A resumed run must share all of it. */
export type TrainConfig = Readonly<Record<string, Json>>;

/** Where a run stands, beside its arrays. */
export type TrainProgress = {
  readonly config: TrainConfig;
  /** Steps done. */
  readonly step: number;
  /** Updates the optimiser has made. */
  readonly optimizerStep: number;
  /** Of how many of them which variables had no part (`OptimizerState.missed`). */
  readonly optimizerMissed: Readonly<Record<string, number>>;
  /** Sampling weights of the running epoch, if the method gave any: the order of its samples follows from them. */
  readonly weights: readonly number[] | null;
  /** Losses since the last point of the curve. */
  readonly pendingLosses: readonly number[];
  readonly history: readonly HistoryEntry[];
  readonly health: HealthState;
  readonly runtime: string;
  readonly threads: number;
  /** The best point so far, where one is watched for; its weights stand among the arrays. */
  readonly best?: BestPoint;
};

/** All that a run needs to go on exactly: weights, running statistics, heads, optimiser, method state; and where it stands. */
export type TrainState = { readonly progress: TrainProgress; readonly arrays: ReadonlyMap<string, StoredTensor> };

/** The live things a train state is taken from and put back into. */
export type TrainedParts<V> = {
  readonly trunk: Trunk;
  readonly method: Method<V>;
  readonly optimizerState: OptimizerState;
};

/** Every variable of a run, by the name it has in a train state. */
function variablesOf<V>({ trunk, method, optimizerState }: TrainedParts<V>): Map<string, Variable> {
  const groups: [string, ReadonlyMap<string, Variable>][] = [
    ['trunk', trunk.variables],
    ['buffers', trunk.buffers],
    ['heads', method.variables()],
    ['optimizer', optimizerState.slots],
  ];
  return new Map(
    groups.flatMap(([group, variables]) => [...variables].map(([name, v]) => [`${group}/${name}`, v] as const)),
  );
}

/** Bytes of a checkpoint before the method's own state, about: what the disk must have room for. */
export function bytesOfState<V>(parts: TrainedParts<V>): number {
  return [...variablesOf(parts).values()].reduce((sum, { size }) => sum + 4 * size, 0);
}

/** Copies the arrays of a run out of its tensors; those of the best weights stand beside them. */
export function captureArrays<V>(parts: TrainedParts<V>, best?: BestWeights): Map<string, StoredTensor> {
  const arrays = new Map<string, StoredTensor>();
  for (const [name, variable] of variablesOf(parts)) {
    arrays.set(name, { shape: variable.shape, data: variable.dataSync() as Float32Array });
  }
  for (const [name, array] of Object.entries(parts.method.save())) arrays.set(`method/${name}`, array);
  for (const [name, array] of arraysOfBest(best)) arrays.set(name, array);
  return arrays;
}

/**
 * Puts the arrays of a train state into a freshly built run.
 *
 * @throws if a variable is missing, of another shape, or unknown to this run
 */
export function restoreArrays<V>(parts: TrainedParts<V>, { progress, arrays }: TrainState): void {
  const variables = variablesOf(parts);
  const problems: string[] = [];
  for (const [name, variable] of variables) {
    const stored = arrays.get(name);
    if (!stored) problems.push(`${name} is missing`);
    else if (stored.shape.join() !== variable.shape.join()) {
      problems.push(`${name} has shape [${stored.shape.join(', ')}], expected [${variable.shape.join(', ')}]`);
    }
  }
  for (const name of arrays.keys()) {
    const isOther = name.startsWith('method/') || name.startsWith(bestPrefix);
    if (!isOther && !variables.has(name)) problems.push(`${name} is unknown`);
  }
  if (problems.length > 0) throw new Error(`The train state does not fit this run:\n  ${problems.join('\n  ')}`);
  for (const [name, variable] of variables) {
    tf.tidy(() => variable.assign(tf.tensor(arrays.get(name)!.data, variable.shape, 'float32')));
  }
  const state: Record<string, NamedArrays[string]> = {};
  for (const [name, array] of arrays) {
    if (name.startsWith('method/')) state[name.slice('method/'.length)] = array;
  }
  parts.method.load(state);
  parts.optimizerState.step = progress.optimizerStep;
  for (const [name, count] of Object.entries(progress.optimizerMissed)) parts.optimizerState.missed.set(name, count);
}

/**
 * Refuses to go on from a state that was made with another configuration: the result would be that of neither.
 *
 * @throws UsageError naming every setting that differs, with both values (`optimizer.momentum: it has 0.9, this run has 0.5`)
 */
export function checkConfig(saved: TrainConfig, now: TrainConfig, dir: string): void {
  const differences = differencesOf('', saved, now);
  if (differences.length === 0) return;
  throw new UsageError(
    `The checkpoint in ${dir} belongs to another configuration:\n` +
      differences.map((line) => `  ${line}\n`).join('') +
      'Run with the old values to go on from it, or with another folder to begin anew; the checkpoint stays as it is',
  );
}

type JsonObject = { readonly [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One line a setting that differs, however deep it stands. */
function differencesOf(place: string, saved: Json | undefined, now: Json | undefined): string[] {
  if (isObject(saved) && isObject(now)) {
    const names = [...new Set([...Object.keys(saved), ...Object.keys(now)])].sort();
    return names.flatMap((name) => differencesOf(place === '' ? name : `${place}.${name}`, saved[name], now[name]));
  }
  const text = (value: Json | undefined): string => (value === undefined ? '' : canonicalJson(value));
  if (text(saved) === text(now)) return [];
  const show = (value: Json | undefined): string => (value === undefined ? 'nothing' : JSON.stringify(value));
  return [`${place}: it has ${show(saved)}, this run has ${show(now)}`];
}
