import { formatSeconds } from '../pipeline/rate.js';
import type { Result } from '../pipeline/result.js';
import { escapeMarkdown, oneLine } from './markdown.js';
import { isControl, orderMethods } from './transfer-table.js';

/** What was run, in numbers: the report's first paragraph. */
export type RunSummary = {
  /** Where pairs were mined: videos that could be read, training pairs, and the videos that gave some. */
  readonly videos?: number;
  readonly pairs?: number;
  readonly videosWithPairs?: number;
  /** Where single pictures were learned from: how many. */
  readonly pictures?: number;
  /** Methods and controls that were trained (or drawn), and the seeds of each. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  /** `tensorflow 2.21.0, 2 threads`; more than one where a run was continued elsewhere. */
  readonly runtimes: readonly string[];
};

const listed = (names: readonly string[]): string => (names.length > 0 ? names.map(oneLine).join(', ') : 'none');

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** The first paragraph: what was mined, what was trained and how often, on what it was tried, with what, and how long it took. */
export const describeRun = (run: RunSummary, results: readonly Result[], seconds: number): string =>
  escapeMarkdown(runInWords(run, results, seconds));

/** The same as plain text, for whoever escapes in another way. */
export const runInWords = (run: RunSummary, results: readonly Result[], seconds: number): string => {
  const names = orderMethods([...run.methods, ...results.map(({ method }) => method)]);
  const targets = new Set(results.map(({ dataset, task }) => `${dataset} (${task})`));
  const sentences = [
    ...(run.pictures === undefined ? [] : [`${counted(run.pictures, 'picture')} without labels to learn from.`]),
    ...(run.videos === undefined
      ? []
      : [
          `${counted(run.videos, 'video')} gave ${counted(run.pairs ?? 0, 'pair')} of patches (from ${run.videosWithPairs} of them).`,
        ]),
    `Methods: ${listed(names.filter((name) => !isControl(name)))}; controls: ${listed(names.filter(isControl))};`,
    `${counted(run.seeds.length, 'seed')} each (${run.seeds.join(', ')}).`,
    `The features were tried on: ${listed([...targets])}.`,
    `Runtime: ${listed(run.runtimes)}; the stages took ${formatSeconds(seconds)} in all.`,
  ];
  return sentences.join(' ');
};
