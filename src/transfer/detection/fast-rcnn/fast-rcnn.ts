import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { LoadedDetection } from '../../../images/detection-dataset.js';
import { cloneTrunk } from '../../../network/clone-trunk.js';
import type { Trunk } from '../../../network/trunk.js';
import { detectionsOf, type DetectionOptions, type ProposalScores } from '../ensemble.js';
import { checkProposals } from '../check-proposals.js';
import type { Proposals } from '../proposals.js';
import type { Detection } from '../metrics/detections.js';
import { fastRcnnDefaults, trainFastRcnn, type FastRcnnOptions } from './train-fast-rcnn.js';

/** What a detector found in the test pictures. */
export type FastRcnnResult = {
  readonly detections: readonly Detection[];
  /** Scores of every proposal, by test picture; several networks' go into `ensembleDetections`. */
  readonly scores: readonly ProposalScores[];
  /** Loss of each training step. */
  readonly losses: readonly number[];
  /** With `finetune`, the tuned trunk, to be saved or trained on; the caller disposes. */
  readonly trunk?: Trunk;
};

/**
 * Fast R-CNN (Girshick 2015) on given proposals: trains on `data.train`, scores and detects in `data.test`. The trunk that is given
 * stays as it is; `finetune` trains a copy and hands it on. Head: one hidden layer behind the region features (its own, not the
 * trunk's dense layers, so that every layer and architecture is measured alike), then softmax over classes and background, and box
 * deltas a class.
 *
 * @throws RangeError for options or proposals that do not fit
 */
export async function fastRcnn(
  trunk: Trunk,
  data: LoadedDetection,
  proposals: Proposals,
  options: FastRcnnOptions & { readonly detection?: DetectionOptions },
): Promise<FastRcnnResult> {
  const { mode, steps, signal, onProgress, detection } = { ...fastRcnnDefaults, ...options };
  checkProposals(data, proposals);
  const tuned = mode === 'finetune' ? cloneTrunk(trunk) : undefined;
  const total = steps + data.test.length;
  try {
    const model = await trainFastRcnn(tuned ?? trunk, data.train, data.classes.length, proposals.train, {
      ...options,
      onProgress: (done) => onProgress?.(done, total),
    });
    try {
      const scores: ProposalScores[] = [];
      for (const [i, { raster }] of data.test.entries()) {
        signal?.throwIfAborted();
        scores.push(model.score(raster, proposals.test[i]!));
        onProgress?.(steps + i + 1, total);
        await yieldToEvents();
      }
      const { losses } = model;
      return { detections: detectionsOf(scores, detection), scores, losses, ...(tuned ? { trunk: tuned } : {}) };
    } finally {
      model.dispose();
    }
  } catch (error) {
    tuned?.dispose();
    throw error;
  }
}
