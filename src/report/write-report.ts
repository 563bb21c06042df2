import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../drawing/image-file.js';
import type { Json } from '../pipeline/json.js';
import type { Result } from '../pipeline/result.js';
import { drawChart, namesOfKind } from './draw-chart.js';
import { orderFigures } from './figure-section.js';
import { readFigures, type ReadFigure } from './read-figures.js';
import type { RejectedRun } from './rejected-runs.js';
import type { RunSummary } from './run-summary.js';
import type { TrainingRow } from './training-table.js';
import { writeMarkdown } from './write-markdown.js';

/** One stage of the run, for the report. */
export type ReportStage = {
  readonly name: string;
  readonly key: string;
  readonly seconds: number;
  readonly items: { readonly done: number; readonly rejected: number; readonly failed: number };
  /** Items that were refused or failed, with the reason. */
  readonly problems?: readonly {
    readonly label: string;
    readonly status: 'rejected' | 'failed';
    readonly reason: string;
  }[];
};

/** Everything a report is made of. */
export type ReportInput = {
  /** Folder to write into; made if absent. */
  readonly dir: string;
  readonly pipeline: string;
  readonly version: string;
  readonly config: Json;
  /** What was run, for the first paragraph. */
  readonly run: RunSummary;
  readonly stages: readonly ReportStage[];
  readonly results: readonly Result[];
  /** What each method's training took and came to. @default none */
  readonly training?: readonly TrainingRow[];
  /** Training runs that were refused: why a row is missing, or has fewer seeds than others. @default none */
  readonly rejected?: readonly RejectedRun[];
  /** Rows that learn from single patches, by name: what rows on tracks are held against. @default none */
  readonly onPatches?: readonly string[];
  /** Paths of `<name>.figure.json` files, their pictures beside them. */
  readonly figures: readonly string[];
  /** Versions, runtime, thread count, ffmpeg, hashes, seeds: any JSON object; nested keys are joined by dots. */
  readonly provenance: { readonly [key: string]: Json };
  /**
   * What a reader must know before any number: sentences, names between backticks. They stand above everything else.
   * @default none
   */
  readonly warnings?: readonly string[];
  /** Mining: how many windows or time-steps met each fate, by reason. */
  readonly mining?: Readonly<Record<string, number>>;
};

/** A figure's file inside the report folder. */
export type PlacedFigure = ReadFigure & { readonly file: string };

/**
 * Writes `report.md`, `report.json` and the figures (`figures/`: curves as SVG, pictures copied) into `dir`, from result and
 * figure files alone. The same input gives the same bytes. Returns the path of `report.md`.
 */
export const writeReport = async (input: ReportInput): Promise<string> => {
  const folder = path.join(input.dir, 'figures');
  const figures = orderFigures(await readFigures(input.figures));
  await rm(folder, { recursive: true, force: true }); // pictures of an earlier report must not stay beside this one's
  await mkdir(folder, { recursive: true });
  const placed: PlacedFigure[] = [];
  for (const [index, read] of figures.entries()) {
    const ending = read.figure.image === undefined ? '.svg' : path.extname(read.figure.image).toLowerCase();
    // Numbered, since figures of different stages may share a name; and no character that a link would need escaped.
    const file = `${String(index + 1).padStart(2, '0')}-${read.name.replace(/[^\w.-]+/g, '_').slice(0, 80)}${ending}`;
    // One method has one colour in all charts of a kind.
    const drawn = read.image ?? (await drawChart(read.figure, namesOfKind(read.figure.kind, figures)));
    await writeWhole(path.join(folder, file), drawn);
    placed.push({ ...read, file: `figures/${file}` });
  }
  const { pipeline, version, config, run, results, training, rejected, provenance, mining, warnings } = input;
  const stages = input.stages.map(({ name, key, seconds, items, problems = [] }) => ({
    name,
    key,
    seconds,
    items,
    problems,
  }));
  const json = {
    ...{ pipeline, version },
    ...(warnings === undefined ? {} : { warnings }),
    ...{ config, run, stages, results },
    ...(training === undefined ? {} : { training }),
    ...(rejected === undefined ? {} : { rejected }),
    ...{ provenance },
    ...(mining === undefined ? {} : { mining }),
    figures: placed.map(({ figure, file }) => ({
      kind: figure.kind,
      title: figure.title,
      file,
      sha256: figure.sha256,
    })),
  };
  await writeWhole(path.join(input.dir, 'report.json'), `${JSON.stringify(json, null, 2)}\n`);
  const target = path.join(input.dir, 'report.md');
  await writeWhole(target, writeMarkdown(input, placed));
  return target;
};
