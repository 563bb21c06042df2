import { suppressNonMaxima } from '../../numeric/nms.js';
import type { Detection } from './metrics/detections.js';

/** What a network says of the proposals of one picture, before anything is suppressed. */
export type ProposalScores = {
  /** The proposals, `[n, 4]`, corners x0 y0 x1 y1 in px of the raster. */
  readonly boxes: Float32Array;
  /** `[n, classes]`: probabilities (Fast R-CNN) or decision values (R-CNN); background is left out. */
  readonly scores: Float32Array;
  /** Where box regression moves each proposal for each class, `[n, classes, 4]`; absent without it. */
  readonly regressed?: Float32Array;
};

/** How scores become detections. */
export type DetectionOptions = {
  /**
   * Of boxes of one class that overlap by more than this (IoU), only the best is kept (Girshick et al. 2014).
   * @default 0.3
   */
  readonly nmsIou?: number;
  /**
   * Detections a picture at most, all classes together.
   * @default 100
   */
  readonly maxDetections?: number;
};

/** Detections of one network: `scores[i]` are those of test picture i. Best first within a picture. */
export const detectionsOf = (scores: readonly ProposalScores[], options: DetectionOptions = {}): Detection[] =>
  ensembleDetections([scores], options);

/**
 * Detections of several networks together (Wang & Gupta 2015, section 5): the scores of the same proposals are averaged over the
 * networks, regressed boxes too, and then suppressed once.
 *
 * @param networks for each network the scores of every test picture, on the same proposals in the same order
 * @throws RangeError where networks differ in pictures, proposals, classes, or in whether they regress boxes
 */
export function ensembleDetections(
  networks: readonly (readonly ProposalScores[])[],
  { nmsIou = 0.3, maxDetections = 100 }: DetectionOptions = {},
): Detection[] {
  const [first] = networks;
  if (!first) throw new RangeError('Expected scores of at least one network, got none');
  if (!(nmsIou >= 0 && nmsIou <= 1))
    throw new RangeError(`Expected \`nmsIou\` to be a number from 0 to 1, got \`${nmsIou}\` (${typeof nmsIou})`);
  if (!Number.isInteger(maxDetections) || maxDetections < 1)
    throw new RangeError(
      `Expected \`maxDetections\` to be an integer from 1, got \`${maxDetections}\` (${typeof maxDetections})`,
    );
  if (networks.some(({ length }) => length !== first.length))
    throw new RangeError(
      `Expected the networks to score the same pictures, got ${networks.map(({ length }) => length).join(' and ')}`,
    );
  return first.flatMap((_, image) => {
    const scores = averageScores(
      networks.map((network) => network[image]!),
      image,
    );
    return detectInPicture(scores, image, nmsIou, maxDetections);
  });
}

function averageScores(networks: readonly ProposalScores[], image: number): ProposalScores {
  const [first] = networks as [ProposalScores, ...ProposalScores[]];
  if (networks.length === 1) return first;
  for (const other of networks) {
    const same =
      other.boxes.length === first.boxes.length &&
      other.boxes.every((value, i) => value === first.boxes[i]) &&
      other.scores.length === first.scores.length &&
      (other.regressed === undefined) === (first.regressed === undefined);
    if (!same)
      throw new RangeError(
        `Expected the networks to score the same proposals of picture ${image} for the same classes, got different ones`,
      );
  }
  const mean = (pick: (scores: ProposalScores) => Float32Array): Float32Array =>
    pick(first).map((_, i) => networks.reduce((sum, network) => sum + pick(network)[i]!, 0) / networks.length);
  const scores = mean((network) => network.scores);
  return first.regressed
    ? { boxes: first.boxes, scores, regressed: mean((network) => network.regressed!) }
    : { boxes: first.boxes, scores };
}

function detectInPicture(
  { boxes, scores, regressed }: ProposalScores,
  image: number,
  nmsIou: number,
  maxDetections: number,
): Detection[] {
  const count = boxes.length / 4;
  if (count === 0) return [];
  const classes = scores.length / count;
  const found: Detection[] = [];
  for (let label = 0; label < classes; label++) {
    const own = Float32Array.from({ length: count }, (_, i) => scores[i * classes + label]!);
    const placed = regressed ? boxesOf(regressed, count, classes, label) : boxes;
    for (const i of suppressNonMaxima(placed, own, { iou: nmsIou, limit: maxDetections })) {
      const [x, y, x1, y1] = placed.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number];
      found.push({ image, label, score: own[i]!, box: { x, y, width: x1 - x, height: y1 - y } });
    }
  }
  return found.sort((a, b) => b.score - a.score || a.label - b.label).slice(0, maxDetections);
}

function boxesOf(regressed: Float32Array, count: number, classes: number, label: number): Float32Array {
  const own = new Float32Array(count * 4);
  for (let i = 0; i < count; i++)
    own.set(regressed.subarray((i * classes + label) * 4, (i * classes + label) * 4 + 4), i * 4);
  return own;
}
