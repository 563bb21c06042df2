import { RandomStream } from '../../numeric/random.js';
import { Reservoir } from '../../tracking/track-strip.js';
import { counts, holds, isLength, limitOf, type Limit, type MiningParams } from './limits.js';
import { isKept, reasonOf, type LoggedDecision, type LoggedValue } from './logged-decision.js';

/** One number of the log over many decisions; lengths in pixels of the paper's frame, so that videos of all sizes compare. */
export type TalliedNumber = {
  readonly kind: string;
  readonly field: string;
  readonly limit: Limit | undefined;
  /** Values of decisions that went on, and of those that did not (a sample each, where there are too many to hold). */
  readonly kept: readonly number[];
  readonly refused: readonly number[];
  /** How many values there were, and how many did not keep to the limit. */
  readonly seen: number;
  readonly beyond: number;
};

type Entry = {
  readonly kind: string;
  readonly field: string;
  readonly kept: Reservoir<number>;
  readonly refused: Reservoir<number>;
  seen: number;
  beyond: number;
};

/** Frames and places, which are no measure of anything. */
const isPlace = (field: string): boolean => /(^|\.)(lostAt|\w*[fF]rame)$/.test(field);

/** Adds up the reasons and the numbers of mining logs in bounded memory: beyond `most` values a number it keeps a sample, drawn by seed. */
export class NumberTally {
  readonly #params: MiningParams;
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();
  readonly #reasons = new Map<string, number>();

  constructor(params: MiningParams, most = 20_000) {
    this.#params = params;
    this.#most = most;
  }

  /** Counts a decision of a video whose pixels are `scale` of the paper's. */
  add(decision: LoggedDecision, scale: number): void {
    const reason = reasonOf(decision);
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    for (const [field, value] of Object.entries(decision.values)) {
      if (!isPlace(field)) this.#count(decision, field, value, isLength(field) ? scale : 1);
    }
  }

  /** How often each outcome fell, in the order of first appearance. */
  get reasons(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#reasons);
  }

  /** Every number that was seen, time-steps first, in the order of the log. */
  get numbers(): TalliedNumber[] {
    const entries = [...this.#entries.values()].map(({ kept, refused, ...entry }) => ({
      ...entry,
      ...{ kept: kept.kept, refused: refused.kept, limit: limitOf(entry.field, this.#params, 1) },
    }));
    const kinds = [...new Set(entries.map(({ kind }) => kind))];
    return kinds.flatMap((kind) => entries.filter((entry) => entry.kind === kind));
  }

  #count(decision: LoggedDecision, field: string, value: LoggedValue, unit: number): void {
    const values = typeof value === 'number' ? [value] : typeof value === 'object' ? value : [];
    if (values.length === 0) return;
    const { kind } = decision;
    const name = `${kind} ${field}`;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      const sample = (end: string): Reservoir<number> =>
        new Reservoir<number>(this.#most, RandomStream.of(1, 'inspection', name, end));
      entry = { kind, field, kept: sample('kept'), refused: sample('refused'), seen: 0, beyond: 0 };
      this.#entries.set(name, entry);
    }
    const limit = limitOf(field, this.#params, 1);
    for (const one of values) {
      const measured = one / unit;
      entry.seen++;
      if (limit !== undefined && !holds(measured, limit) && counts(field, decision.outcome)) entry.beyond++;
      (isKept(decision) ? entry.kept : entry.refused).offer(() => measured);
    }
  }
}
