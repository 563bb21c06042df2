import { bootstrap } from '../src/numeric/bootstrap.js';
import { quantile } from '../src/numeric/statistics.js';
import type { MinedChange, MinedClip } from './mining-side.js';

const RESAMPLES = 2000;

/** What counts as a visible change: a quarter of the side, a fifth in size, or a correlation of the two ends below 0.75. */
const changesVisibly = ({ travelPx, sidePx, scaleChange, appearanceChange }: MinedChange): boolean =>
  travelPx > 0.25 * sidePx || Math.abs(Math.log(scaleChange)) > Math.log(1.2) || appearanceChange > 0.25;

const sumOf = <T>(values: readonly T[], pick: (value: T, i: number) => number): number =>
  values.reduce((sum, value, i) => sum + pick(value, i), 0);

const addUp = (records: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const record of records)
    for (const [name, value] of Object.entries(record)) total[name] = (total[name] ?? 0) + value;
  return Object.fromEntries(Object.entries(total).sort(([a], [b]) => (a < b ? -1 : 1)));
};

const shares = (record: Readonly<Record<string, number>>, whole: number): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, value / whole]));

/** One way of mining over several clips. */
export class MiningRow {
  readonly clips: MinedClip[] = [];

  /** Frames a processor second, each clip counted `weights[i]` times. */
  rate(weights?: ArrayLike<number>): number {
    const weight = (i: number): number => weights?.[i] ?? 1;
    return (
      sumOf(this.clips, ({ frames }, i) => weight(i) * frames) /
      sumOf(this.clips, ({ cpuSeconds }, i) => weight(i) * cpuSeconds)
    );
  }

  summary() {
    const { clips } = this;
    const pairs = clips.map((clip) => clip.pairs.length);
    const all = clips.flatMap((clip) => clip.pairs);
    const cpuSeconds = sumOf(clips, (clip) => clip.cpuSeconds);
    return {
      frames: sumOf(clips, ({ frames }) => frames),
      cpuSeconds,
      framesAProcessorSecond: this.rate(),
      pairs: all.length,
      clipsWithPairs: pairs.filter((count) => count > 0).length,
      changingShare: all.length > 0 ? all.filter(changesVisibly).length / all.length : 0,
      largestShare: all.length > 0 ? Math.max(...pairs) / all.length : 0,
      profile: shares(addUp(clips.map(({ profile }) => profile)), cpuSeconds),
      outcomes: addUp(clips.map(({ outcomes }) => outcomes)),
      pairsOfClips: pairs,
    };
  }
}

/** How many times the frames a processor second of another row one has, over the same clips, with the 95 % interval of a bootstrap over clips. */
export const ratioOfRates = (row: MiningRow, other: MiningRow): { ratio: number; interval: [number, number] } => {
  const statistic = (weights: Int32Array): number => row.rate(weights) / other.rate(weights);
  const [values] = bootstrap([statistic], row.clips.length, { seed: 1, resamples: RESAMPLES });
  return { ratio: row.rate() / other.rate(), interval: [quantile(values, 0.025), quantile(values, 0.975)] };
};
