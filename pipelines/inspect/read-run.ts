import { existsSync } from 'node:fs';
import path from 'node:path';
import { Ledger, type StoredItem, type StoredStageRun } from '../../src/pipeline/ledger/ledger.js';
import { RunError } from '../../src/pipeline/run-errors.js';
import { RunFolder } from '../../src/pipeline/run-folder.js';
import { readManifest } from '../../src/pipeline/stage-manifest.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import type { UnminedVideos } from '../../src/report/inspect/inspection-page.js';
import type { MiningParams } from '../../src/report/inspect/limits.js';
import { readShards } from '../../src/shards/read-shards.js';
import type { VideoInfo } from '../../src/video/probe-video.js';
import type { MinedVideo } from '../video-ssl/stages/mine.js';

/** One mined video of a run, and where its log and its shards lie (absolute). */
export type MinedItem = {
  readonly label: string;
  readonly sha256: string;
  readonly info: VideoInfo;
  readonly mined: MinedVideo;
  readonly warnings: readonly string[];
  readonly log: string;
  readonly shards: readonly string[];
};

/** What `inspect` needs of a run folder, finished or not. */
export type RunToInspect = {
  readonly folder: string;
  readonly command: string;
  /** Parameters of `mine` as they were in the latest run. */
  readonly params: MiningParams;
  /** In the order of their hashes. */
  readonly items: readonly MinedItem[];
  readonly unmined: readonly UnminedVideos[];
  /** Videos of the list that have no verdict yet. */
  readonly open: number;
  /** Videos the run rendered or fetched itself, by sha256. */
  readonly rendered: ReadonlyMap<string, string>;
  /** Keys of the pairs in the shards of `pack`; absent where it has not packed what was mined. */
  readonly packed: ReadonlySet<string> | undefined;
};

/** Videos that are named for each reason, at most. */
const namedVideos = 20;

/** The run folder asked for, or the first of the usual ones that holds a run. */
export const findRun = (asked: string | undefined, usual: readonly string[]): string => {
  const places = asked === undefined ? usual : [asked];
  const place = places.find((folder) => existsSync(path.join(folder, 'ledger.sqlite')));
  if (place === undefined) {
    throw new UsageError(
      `Expected a run in ${places.join(' or ')}, got no ledger.sqlite there: give its folder with --work DIR`,
    );
  }
  return path.resolve(place);
};

/** Items of a stage as its latest run listed them. */
const itemsOf = (ledger: Ledger, run: StoredStageRun | undefined): StoredItem[] => {
  if (run === undefined) return [];
  const wanted = new Set(run.contents);
  return [...ledger.items(run.stage, run.itemRecipe).values()].filter(({ content }) => wanted.has(content));
};

const unminedOf = (items: readonly StoredItem[]): UnminedVideos[] => {
  const found = new Map<string, { stage: string; status: string; reason: string; count: number; labels: string[] }>();
  for (const { stage, status, reason = 'no reason given', label } of items) {
    if (status === 'done') continue;
    const key = `${stage} ${status} ${reason}`;
    const entry = found.get(key) ?? { stage, status, reason, count: 0, labels: [] };
    found.set(key, entry);
    entry.count++;
    if (entry.labels.length < namedVideos) entry.labels.push(label);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
};

const packedKeys = async (
  ledger: Ledger,
  folder: RunFolder,
  mine: StoredStageRun,
): Promise<ReadonlySet<string> | undefined> => {
  const pack = ledger.lastStageRun('pack');
  if (pack === undefined || mine.digest === null || pack.inputs['mine']?.digest !== mine.digest) return undefined;
  const manifest = await readManifest(folder, 'pack', pack.stageKey);
  if (manifest === undefined) return undefined;
  const shards = folder.resolve(manifest.artefacts).filter(({ name }) => name.endsWith('.tar'));
  const keys = new Set<string>();
  for await (const { key } of readShards(shards.map((shard) => shard.path))) keys.add(key);
  return keys;
};

/**
 * Reads what was mined from the ledger of a run folder, as its latest run left it.
 *
 * @throws RunError where nothing was mined yet
 */
export const readRun = async (workDir: string): Promise<RunToInspect> => {
  const folder = new RunFolder(workDir);
  const ledger = Ledger.open(workDir);
  try {
    const mine = ledger.lastStageRun('mine');
    if (mine === undefined)
      throw new RunError(`Nothing was mined in ${workDir} yet: \`inspect\` shows what \`mine\` saw.`);
    const index = itemsOf(ledger, ledger.lastStageRun('index'));
    const info = new Map(index.map(({ content, data }) => [content, data as unknown as VideoInfo]));
    const items = itemsOf(ledger, mine);
    const done = items.flatMap((item): MinedItem[] => {
      const own = info.get(item.content);
      const files = folder.resolve(item.artefacts);
      const log = files.find(({ name }) => name === 'decisions.jsonl');
      if (item.status !== 'done' || own === undefined || log === undefined) return [];
      return [
        {
          ...{ label: item.label, sha256: item.content, info: own, mined: item.data as unknown as MinedVideo },
          warnings: (item.notes as { warnings?: readonly string[] } | null)?.warnings ?? [],
          log: log.path,
          shards: files.filter(({ name }) => name.endsWith('.tar')).map((file) => file.path),
        },
      ];
    });
    const rendered = ['synthesize', 'fetch'].flatMap((stage) =>
      [...ledger.items(stage).values()].flatMap(({ artefacts }) => folder.resolve(artefacts)),
    );
    return {
      folder: folder.root,
      command: ledger.runs()[0]?.command ?? '',
      params: mine.params as MiningParams,
      items: done.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)),
      unmined: unminedOf([...index, ...items]),
      open: new Set(mine.contents).size - items.length,
      rendered: new Map(rendered.map(({ sha256, path: file }) => [sha256, file])),
      packed: await packedKeys(ledger, folder, mine),
    };
  } finally {
    ledger.close();
  }
};
