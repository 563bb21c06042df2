import { readFileSync, writeFileSync } from 'node:fs';
import type { ClipsResult } from './scale-clips.js';
import type { CountResult } from './scale-count.js';
import { perVideoStages, type Derived } from './scale-derive.js';
import type { LengthResult } from './scale-length.js';

/** What the bench has measured, by part. */
export type ScaleResult = {
  readonly few?: CountResult;
  readonly count?: CountResult;
  readonly length?: readonly LengthResult[];
  readonly clips?: ClipsResult;
  readonly derive?: Derived;
};

type Cell = string | number;

const rounded = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return String(Number(value.toFixed(digits)));
};

const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => (typeof cell === 'number' ? rounded(cell) : cell)).join(' | ')} |`)
    .join('\n');

const lengthTable = (results: readonly LengthResult[]): string =>
  table(
    [
      ...[
        'video',
        'frames',
        'pairs',
        'process at most, MB',
        'first tenth, MB',
        'last tenth, MB',
        'MB a minute of video',
      ],
      'ffmpeg at most, MB',
    ],
    results.map(({ video, frames, pairs, peakMb, tenthsMb, growthMbAMinute, ffmpegPeakMb }) => [
      ...[video, String(frames), String(pairs), peakMb, tenthsMb[0] ?? NaN, tenthsMb.at(-1) ?? NaN],
      ...[growthMbAMinute ?? '-', ffmpegPeakMb],
    ]),
  );

const countTable = ({ stretches }: CountResult): string =>
  table(
    ['stage', 'items done', 'processor seconds an item', 'process, MB', 'ledger, MB'],
    Object.entries(stretches).flatMap(([stage, list]) =>
      list.map(({ items, processorSecondsAnItem, residentMb, ledgerMb }) => [
        ...[stage, String(items), processorSecondsAnItem, residentMb, ledgerMb],
      ]),
    ),
  );

const againTable = (results: readonly CountResult[]): string =>
  table(
    ['videos', 'run', 'items worked on', 'processor seconds', 'seconds', 'process at most, MB'],
    results.flatMap(({ videos, added, again, plan, withMore }) => [
      [String(videos), 'again', String(again.executed), again.processorSeconds, again.seconds, again.peakMb],
      [String(videos), '`--plan`', String(plan.executed), plan.processorSeconds, plan.seconds, plan.peakMb],
      [
        ...[String(videos), `${added} more`, String(withMore.executed), withMore.processorSeconds, withMore.seconds],
        withMore.peakMb,
      ],
    ]),
  );

const clipsTable = ({ runs }: ClipsResult): string =>
  table(
    ['workers', 'mining, s', 'mining, processor s', 'process at most, MB', 'one ffmpeg at most, MB'],
    runs.map(({ jobs, seconds, processorSeconds, peakMb, ffmpegPeakMb }) => [
      ...[String(jobs), seconds['mine'] ?? NaN, processorSeconds['mine'] ?? NaN, peakMb, ffmpegPeakMb],
    ]),
  );

const deriveTable = ({ assumed, stages, hashingHours, coreHours, days, disk, ...rest }: Derived): string =>
  table(
    ['', ''],
    [
      ...perVideoStages.map((stage): Cell[] => [
        `\`${stage}\`, core-hours (${rounded(1000 * stages[stage].secondsAFile)} ms a file, ${rounded(1000 * stages[stage].secondsAFrame)} ms a frame)`,
        stages[stage].coreHours,
      ]),
      [`sha256 of the files, hours of the coordinator`, hashingHours],
      [`core-hours in all`, coreHours],
      [`days on ${assumed.cores} cores`, days],
      [`videos, GB`, disk.videosGb],
      [`ledger, GB`, disk.ledgerGb],
      [`fingerprints, GB`, disk.printsGb],
      [
        `pairs, decisions and figures of \`mine\` without a cap, GB (${rounded(rest.pairs / 1e6)} million pairs)`,
        disk.minedGb,
      ],
      [
        `the same at ${assumed.pairs} pairs a video at most, as by default, GB (${rounded(rest.pairsCapped / 1e6)} million pairs)`,
        disk.minedCappedGb,
      ],
      [`files in the run folder, million`, disk.files / 1e6],
      [`memory of the coordinator in a run that has nothing to do, GB`, rest.coordinatorGb],
    ],
  );

/** The tables of the page, by name; those that were not measured are absent. */
export const tablesOf = ({ few, count, length, clips, derive }: ScaleResult): Record<string, string> => ({
  ...(length ? { length: lengthTable(length) } : {}),
  ...(count ? { count: countTable(count) } : {}),
  ...(count ? { again: againTable(few ? [few, count] : [count]) } : {}),
  ...(clips ? { clips: clipsTable(clips) } : {}),
  ...(derive ? { derive: deriveTable(derive) } : {}),
});

/** Puts the tables between the marks of the page, `<!-- table: NAME -->` and `<!-- end -->`. */
export const fillPage = (page: string, tables: Readonly<Record<string, string>>): string =>
  page.replaceAll(
    /(<!-- table: (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (whole, open: string, name: string, close: string) =>
      tables[name] === undefined ? whole : `${open}\n${tables[name]}\n\n${close}`,
  );

/** Writes the tables of a result into a page. */
export const writeScalePage = (page: string, result: ScaleResult): void =>
  writeFileSync(page, fillPage(readFileSync(page, 'utf8'), tablesOf(result)));
