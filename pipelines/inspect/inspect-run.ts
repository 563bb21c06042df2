import { mkdir, stat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../src/pipeline/usage-error.js';
import type { ShownCounts } from '../../src/report/inspect/choose-shown.js';
import { InspectionPage, type InspectionHead } from '../../src/report/inspect/inspection-page.js';
import { NumberTally } from '../../src/report/inspect/number-tally.js';
import { fileFinder } from './find-files.js';
import { inspectVideo, readLog, scaleOfVideo } from './inspect-video.js';
import { readRun, type MinedItem, type RunToInspect } from './read-run.js';

/** What `inspect` is asked for. */
export type InspectRequest = {
  /** The run folder. */
  readonly workDir: string;
  /** Where its videos lie; by default where the run's own command says. */
  readonly videos?: string | undefined;
  /** Only videos whose name holds this text. */
  readonly only?: string | undefined;
  /** Most videos that are shown; totals are over all. */
  readonly limit: number;
  /** How many decisions of each are drawn. */
  readonly shown: ShownCounts;
  /** The folder of the page. */
  readonly out: string;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
};

const byName = (a: MinedItem, b: MinedItem): number => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0);

/** The ledger's counts over all videos: every outcome there is, also those that never fell. */
const reasonsOf = (items: readonly MinedItem[]): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const { mined } of items) {
    for (const [reason, count] of Object.entries(mined.decisions)) total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
};

const leadOf = (run: RunToInspect, shown: readonly MinedItem[]): string[] => {
  const { items, open, packed, folder } = run;
  const pairs = items.reduce((sum, { mined }) => sum + mined.pairs, 0);
  const giving = items.filter(({ mined }) => mined.pairs > 0).length;
  const most = items.reduce((best, { mined }) => Math.max(best, mined.pairs), 0);
  const share = pairs > 0 ? `; the most fruitful gave ${((100 * most) / pairs).toFixed(1)} % of them` : '';
  return [
    `${pairs} pairs from ${giving} of ${items.length} mined videos${share}.${packed ? ` ${packed.size} of them are in the shards that are trained on.` : ''}${
      open > 0 ? ` ${open} more videos are not mined yet.` : ''
    }`,
    `${shown.length} of the ${items.length} videos are shown below; totals and numbers are over all of them. Run folder: \`${path.relative('', folder) || '.'}\`.`,
  ];
};

const warningsOf = (shown: readonly MinedItem[], missing: number): string[] =>
  missing > 0
    ? [
        `The files of ${missing} of ${shown.length} videos shown were not found as they were mined: these have no frames. Each says why.`,
      ]
    : [];

/**
 * Makes the folder of the page. Its parents are made one by one: `mkdir` with `recursive` never returns where a file system that
 * makes no folders says that there is no such parent.
 *
 * @throws UsageError
 */
const makeOut = async (out: string): Promise<void> => {
  const found = await stat(out).catch(() => undefined);
  if (found?.isDirectory()) return;
  try {
    if (found) throw new Error('it is a file');
    if (path.dirname(out) !== out) await makeOut(path.dirname(out));
    await mkdir(out);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Expected --out to be a folder that can be made, got \`${out}\`: ${(error as Error).message}`);
  }
};

/** Refuses a folder that holds another page or something of the run: it would be written over, or mixed up. */
const checkOut = async (out: string, run: string): Promise<void> => {
  const page = await readFile(path.join(out, 'index.html'), 'utf8').catch(() => undefined);
  if (page?.includes('<h1>What mining saw')) return;
  if (page !== undefined) {
    throw new UsageError(
      `Expected --out to hold no other page, got \`${out}\`: its index.html is not one of inspect's`,
    );
  }
  const [first] = path.relative(run, out).split(path.sep);
  const owned =
    first === '' ||
    (first !== '..' && first !== 'inspect' && (await stat(path.join(run, first!)).catch(() => undefined)));
  if (owned) throw new UsageError(`Expected --out to be a folder of its own, got \`${out}\`, which belongs to the run`);
};

/**
 * Makes the inspection page of a run folder: `index.html` and its pictures in `out`. Reads the ledger, the logs and the shards
 * and decodes only videos that are shown, one after the other. Returns the page's path.
 *
 * @throws RunError, UsageError
 */
export const inspectRun = async (request: InspectRequest): Promise<string> => {
  const { workDir, videos, only, limit, shown: counts, out, say, signal } = request;
  const run = await readRun(workDir);
  const tally = new NumberTally(run.params);
  for (const item of run.items) {
    signal?.throwIfAborted();
    const scale = scaleOfVideo(item, run);
    for (const decision of (await readLog(item)).decisions) tally.add(decision, scale);
  }
  const asked = run.items.filter(({ label }) => only === undefined || label.includes(only));
  if (only !== undefined && asked.length === 0) {
    throw new UsageError(`Expected --only to be part of the name of a mined video, got \`${only}\``);
  }
  await checkOut(path.resolve(out), path.resolve(workDir));
  await makeOut(path.resolve(out));
  // Hashes are as good as a draw: the first so many are spread over all videos.
  const shown = asked.slice(0, limit).sort(byName);
  const find = await fileFinder(run, videos);
  const found = [];
  for (const item of shown) found.push(await find(item));
  const head: InspectionHead = {
    title: path.basename(run.folder),
    lead: leadOf(run, shown),
    command: run.command,
    warnings: warningsOf(shown, found.filter((one) => 'missing' in one).length),
    params: run.params,
    reasons: { ...reasonsOf(run.items), ...tally.reasons },
    numbers: tally.numbers,
    unmined: run.unmined,
    videos: shown.map(({ label, mined }) => ({ label, frames: mined.frames, reasons: mined.decisions })),
  };
  const pictures = { folder: path.join(out, 'pictures'), href: 'pictures' };
  await mkdir(pictures.folder, { recursive: true });
  const target = path.join(out, 'index.html');
  const page = await InspectionPage.begin(target, head);
  try {
    for (const [k, item] of shown.entries()) {
      signal?.throwIfAborted();
      say(`inspect: ${k + 1}/${shown.length} ${item.label}`);
      await page.add(
        await inspectVideo(item, run, { found: found[k]!, shown: counts, pictures, ...(signal && { signal }) }),
      );
    }
    await page.close();
  } catch (error) {
    await page.discard();
    throw error;
  }
  return target;
};
