import { createHash } from 'node:crypto';
import path from 'node:path';
import { encodeSafetensors, type StoredTensor } from '../network/safetensors.js';
import type { Trunk } from '../network/trunk.js';
import { weightsOf } from '../network/weights.js';
import { hashOfFile, makeFolder } from '../pipeline/durable-files.js';
import { explainFailedWrite } from './checkpoint-problem.js';
import { bytesOf, writeWhole } from './write-parts.js';
import type { HistoryEntry, TrainState } from './train-state.js';

/** How a train state names the arrays: `best/features.0.weight`. */
export const bestPrefix = 'best/';

/** Which weights are the best: those at the point of the curve where a signal was highest, or lowest. */
export type BestRule = {
  /** Name of the signal, as points of the curve have it (`knn`, `loss`). Points without it are passed over. */
  readonly signal: string;
  /** Whether more of it is better. */
  readonly higher: boolean;
};

/** The best point so far. */
export type BestPoint = BestRule & { readonly step: number; readonly value: number };

/** The best point with the trunk's weights there, in PyTorch's names and layout. */
export type BestWeights = { readonly point: BestPoint; readonly weights: ReadonlyMap<string, StoredTensor> };

/** The file that the best weights stand in, beside the checkpoints. */
export const bestFile = 'best.safetensors';

/** The weights of the better of two points, `best` and the newest of the curve; at equal values the earlier stays. */
export function betterOf(
  best: BestWeights | undefined,
  { signal, higher }: BestRule,
  entry: HistoryEntry,
  trunk: Trunk,
): BestWeights | undefined {
  const value = entry[signal];
  if (value === undefined || !Number.isFinite(value)) return best;
  if (best && (higher ? value <= best.point.value : value >= best.point.value)) return best;
  return { point: { signal, higher, step: entry.step, value }, weights: weightsOf(trunk) };
}

/** The arrays of the best weights as a train state holds them. */
export const arraysOfBest = (best: BestWeights | undefined): [string, StoredTensor][] =>
  [...(best?.weights ?? [])].map(([name, array]) => [bestPrefix + name, array]);

/**
 * The best weights out of a train state, if it has any by this rule. Where it has not though the signal was there (the rule is another
 * than before), the run watches from there on, which a line to `log` says.
 */
export function bestOfState(
  rule: BestRule,
  { progress, arrays }: TrainState,
  log: (line: string) => void,
): BestWeights | undefined {
  const { best: point, history, step } = progress;
  if (point?.signal === rule.signal && point.higher === rule.higher) {
    const own = [...arrays].filter(([name]) => name.startsWith(bestPrefix));
    return { point, weights: new Map(own.map(([name, array]) => [name.slice(bestPrefix.length), array])) };
  }
  if (history.some((entry) => Number.isFinite(entry[rule.signal])))
    log(
      `The checkpoint does not hold the best weights by \`${rule.signal}\`: they are watched for from step ${step} on`,
    );
  return undefined;
}

/**
 * Writes the best weights to `best.safetensors` in `dir`, whole or not at all, unless just these bytes stand there. PyTorch reads it;
 * its metadata say step, signal and value. The train state holds the same, so that the file may be lost, and comes again.
 *
 * @param newest step of the newest checkpoint there
 * @throws CheckpointProblem where the disk or the folder does not allow it
 */
export async function writeBest(dir: string, { point, weights }: BestWeights, newest?: number): Promise<void> {
  const { signal, step, value } = point;
  const parts = encodeSafetensors(weights, { format: 'pt', signal, step: String(step), value: String(value) });
  const file = path.join(dir, bestFile);
  if (await holds(file, parts)) return;
  try {
    makeFolder(path.resolve(dir));
    await writeWhole(file, parts);
  } catch (error) {
    const what = `The best weights (\`${signal}\` ${value} at step ${step})`;
    throw await explainFailedWrite(error, { dir, what, bytes: bytesOf(parts), newest });
  }
}

/** Whether a file has just these bytes. */
async function holds(file: string, parts: readonly Uint8Array[]): Promise<boolean> {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return (await hashOfFile(file).catch(() => undefined)) === hash.digest('hex');
}
