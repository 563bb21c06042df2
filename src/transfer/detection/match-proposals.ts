import type { DetectionObject } from '../../images/detection-dataset.js';

/** How the proposals of one picture lie on its objects. */
export type ProposalMatch = {
  /** Highest IoU of each proposal with an object that counts (neither difficult nor crowd). */
  readonly overlap: Float32Array;
  /** Which object that is, -1 where no object that counts is touched; of equals the first. */
  readonly object: Int32Array;
  /**
   * 1 where a proposal must serve neither as an object nor as background: it lies on no object that counts (IoU below 0.5) but on a
   * difficult one (IoU from 0.5) or inside a crowd (from half of its own area).
   */
  readonly ignored: Uint8Array;
};

/**
 * Finds for each proposal the object that it overlaps most. Difficult objects and crowds are left out of training, as VOC and COCO
 * leave them out of evaluation: what lies on them is `ignored` rather than called background.
 *
 * @param boxes `[n, 4]`, corners x0 y0 x1 y1
 */
export function matchProposals(boxes: Float32Array, objects: readonly DetectionObject[]): ProposalMatch {
  const count = boxes.length / 4;
  const overlap = new Float32Array(count);
  const object = new Int32Array(count).fill(-1);
  const ignored = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let onIgnored = false;
    objects.forEach((candidate, j) => {
      const { iou, share } = overlaps(boxes, i, candidate);
      if (candidate.difficult || candidate.crowd) onIgnored ||= (candidate.crowd ? share : iou) >= 0.5;
      else if (iou > overlap[i]!) {
        overlap[i] = iou;
        object[i] = j;
      }
    });
    ignored[i] = onIgnored && overlap[i]! < 0.5 ? 1 : 0;
  }
  return { overlap, object, ignored };
}

/**
 * Highest IoU of each proposal with an object of each class, `[n, classes]`; difficult objects count like others, and in a crowd
 * the share of the proposal that lies inside stands for the IoU: a proposal far below any threshold is surely no such object.
 */
export function overlapsByClass(
  boxes: Float32Array,
  objects: readonly DetectionObject[],
  classes: number,
): Float32Array {
  const count = boxes.length / 4;
  const highest = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) {
    for (const candidate of objects) {
      const { iou, share } = overlaps(boxes, i, candidate);
      const at = i * classes + candidate.label;
      highest[at] = Math.max(highest[at]!, candidate.crowd ? share : iou);
    }
  }
  return highest;
}

/** IoU of proposal i with an object, and the share of the proposal that lies inside. */
function overlaps(boxes: Float32Array, i: number, { box }: DetectionObject): { iou: number; share: number } {
  const [x0, y0, x1, y1] = [boxes[i * 4]!, boxes[i * 4 + 1]!, boxes[i * 4 + 2]!, boxes[i * 4 + 3]!];
  const width = Math.min(x1, box.x + box.width) - Math.max(x0, box.x);
  const height = Math.min(y1, box.y + box.height) - Math.max(y0, box.y);
  if (width <= 0 || height <= 0) return { iou: 0, share: 0 };
  const common = width * height;
  const own = (x1 - x0) * (y1 - y0);
  return { iou: common / (own + box.width * box.height - common), share: common / own };
}

/** Boxes of the objects that count, `[n, 4]`, corners x0 y0 x1 y1. */
export function truthBoxes(objects: readonly DetectionObject[]): Float32Array {
  return Float32Array.from(
    objects
      .filter(({ difficult, crowd }) => !difficult && !crowd)
      .flatMap(({ box: { x, y, width, height } }) => [x, y, x + width, y + height]),
  );
}

/** The first `count` boxes of `boxes`, with `more` behind them. */
export function joinBoxes(boxes: Float32Array, count: number, more: Float32Array = new Float32Array()): Float32Array {
  const first = boxes.subarray(0, Math.min(boxes.length, count * 4));
  const joined = new Float32Array(first.length + more.length);
  joined.set(first);
  joined.set(more, first.length);
  return joined;
}
