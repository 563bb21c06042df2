import { isKept, type LoggedDecision } from './logged-decision.js';

/** How many decisions of a video are drawn. */
export type ShownCounts = {
  readonly steps: number;
  readonly kept: number;
  readonly refused: number;
};

/** `count` of the items, evenly spread, the first and the last among them. */
const spread = <T>(items: readonly T[], count: number): T[] => {
  if (items.length <= count) return [...items];
  if (count < 2) return items.slice(0, count);
  return Array.from({ length: count }, (_, k) => items[Math.round((k * (items.length - 1)) / (count - 1))]!);
};

/** `count` of the items: as many of every outcome as of any other while there are any left, each evenly spread over the video. */
const spreadByOutcome = (items: readonly LoggedDecision[], count: number): LoggedDecision[] => {
  const outcomes = [...new Set(items.map(({ outcome }) => outcome))];
  const groups = outcomes.map((outcome) => items.filter((item) => item.outcome === outcome));
  const shares = groups.map(() => 0);
  let left = Math.min(count, items.length);
  while (left > 0) {
    for (const [k, group] of groups.entries()) {
      if (left === 0 || shares[k]! >= group.length) continue;
      shares[k]!++;
      left--;
    }
  }
  const chosen = new Set(groups.flatMap((group, k) => spread(group, shares[k]!)));
  return items.filter((item) => chosen.has(item));
};

/**
 * Which decisions of a video are worth a picture: time-steps at which motion was measured, all outcomes alike; tracks that became
 * pairs, spread over the video; tracks that did not, all reasons alike. In the order of the log; all others stand in the table.
 */
export const chooseShown = (
  decisions: readonly LoggedDecision[],
  { steps, kept, refused }: ShownCounts,
): { readonly steps: LoggedDecision[]; readonly tracks: LoggedDecision[] } => {
  const measured = decisions.filter(({ kind, values }) => kind === 'step' && values['points'] !== undefined);
  const tracks = decisions.filter(({ kind }) => kind === 'track');
  const shown = new Set([
    ...spread(
      tracks.filter((track) => isKept(track)),
      kept,
    ),
    ...spreadByOutcome(
      tracks.filter((track) => !isKept(track)),
      refused,
    ),
  ]);
  return { steps: spreadByOutcome(measured, steps), tracks: tracks.filter((track) => shown.has(track)) };
};
