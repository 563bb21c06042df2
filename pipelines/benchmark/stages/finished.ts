import path from 'node:path';
import type { StageOutput } from '../../../src/pipeline/stage.js';
import type { TargetKind } from './targets.js';

/** A trained (or untrained) network that an earlier stage left. */
export type FinishedNetwork = {
  readonly method: string;
  readonly seed: number;
  /** sha256 of the weights. */
  readonly weights: string;
  /** Folder of the weights. */
  readonly model: string;
};

/** The networks of a stage whose items are training runs, in its order. */
export const networksOf = ({ items }: StageOutput): FinishedNetwork[] =>
  items.flatMap(({ data, artefacts, label, status }) => {
    if (status !== 'done') return [];
    const { method, seed, weights } = data as { method: string; seed: number; weights: string };
    const model = artefacts.find(({ name }) => name === 'model.json');
    if (!model) throw new Error(`Expected the run ${label} to have written model.json`);
    return [{ method, seed, weights, model: path.dirname(model.path) }];
  });

/** A decoded target that the stage `targets` left. */
export type FinishedTarget = {
  readonly label: string;
  readonly kind: TargetKind;
  /** sha256 of its content. */
  readonly digest: string;
  /** Folder of its arrays. */
  readonly folder: string;
  /** Training pictures, where it is a classification target. */
  readonly train?: number;
};

/** The targets of the stage `targets`, in its order. */
export const openedTargets = ({ items }: StageOutput): FinishedTarget[] =>
  items.map(({ data, artefacts, label }) => ({
    ...(data as { kind: TargetKind; digest: string; train?: number }),
    label,
    folder: path.dirname(artefacts[0]?.path ?? ''),
  }));
