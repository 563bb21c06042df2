import { printable } from '../../src/pipeline/printable.js';
import { shortened } from '../../src/pipeline/shortened.js';
import type { StageOutput } from '../../src/pipeline/stage.js';
import type { RefusedVideo } from './too-few-pairs.js';

const videoStages: readonly string[] = ['fetch', 'index', 'mine'];

/** What the stages up to mining refused, or failed at. */
export const refusedVideos = (finished: ReadonlyMap<string, StageOutput>): readonly RefusedVideo[] =>
  [...finished.values()]
    .filter(({ stage }) => videoStages.includes(stage))
    .flatMap(({ stage, items }) =>
      items.flatMap(({ label, status, reason = '' }): RefusedVideo[] =>
        status === 'done' ? [] : [{ video: label, stage, status, reason }],
      ),
    );

/** How many are named; `status` names more. */
const named = 5;

/** `a.mp4 (no video stream), b.mp4 (…), and 7 more`, on one line. */
export const describeRefused = (refused: readonly RefusedVideo[]): string => {
  const parts = refused
    .slice(0, named)
    .map(({ video, reason }) => `${printable(video)} (${shortened(printable(reason), 300)})`);
  return [...parts, ...(refused.length > named ? [`and ${refused.length - named} more`] : [])].join(', ');
};
