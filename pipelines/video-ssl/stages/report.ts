import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { Json } from '../../../src/pipeline/json.js';
import type { Result } from '../../../src/pipeline/result.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { FinishedItem, ReduceContext, StageOutput } from '../../../src/pipeline/stage.js';
import { writeReport } from '../../../src/report/write-report.js';
import { formatTable } from '../../../src/report/transfer-table.js';
import { findFfmpeg } from '../../../src/video/ffmpeg-binary.js';
import type { MethodEntry } from '../methods.js';
import { reportParams } from '../params.js';
import type { ReportParams } from '../params.js';
import type { MinedVideo } from './mine.js';

const packageVersion = (): string => {
  let folder = import.meta.dirname;
  for (;;) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'video-ssl') return version!;
    } catch {
      // Not in this folder.
    }
    if (path.dirname(folder) === folder) throw new Error('Expected a package.json of video-ssl above this file');
    folder = path.dirname(folder);
  }
};

const countOf = (items: readonly FinishedItem[], status: FinishedItem['status']): number =>
  items.filter((item) => item.status === status).length;

const stageOf = ({ stage, key, seconds, items }: StageOutput) => ({
  name: stage,
  key,
  seconds,
  items: { done: countOf(items, 'done'), rejected: countOf(items, 'rejected'), failed: countOf(items, 'failed') },
  problems: items.flatMap(({ label, status, reason = '' }) => (status === 'done' ? [] : [{ label, status, reason }])),
});

type Entry = Readonly<Record<string, number>> & { readonly step: number };
type Run = { readonly method: string; readonly seed: number; readonly history: readonly Entry[] };

const readRuns = async (pretrain: StageOutput): Promise<Run[]> => {
  const runs: Run[] = [];
  for (const { data, artefacts } of pretrain.items) {
    const { method, seed } = data as { method: string; seed: number };
    const file = artefacts.find(({ name }) => name === 'history.json');
    if (file) runs.push({ method, seed, history: JSON.parse(await readFile(file.path, 'utf8')) as Entry[] });
  }
  return runs;
};

const points = (history: readonly Entry[], name: string): [number, number][] =>
  history.flatMap((entry) => (entry[name] === undefined ? [] : [[entry.step, entry[name]] as [number, number]]));

/** The loss of each method beside its uniform value, and the signals that tell learning from collapse; first seed. */
const drawCurves = async (dir: string, runs: readonly Run[]): Promise<void> => {
  const firstSeed = Math.min(...runs.map(({ seed }) => seed));
  const shown = runs.filter(({ seed }) => seed === firstSeed);
  for (const { method, seed, history } of shown) {
    const uniform = history.at(-1)?.['uniform'];
    await writeFigure(dir, `curve-loss-${method}`, {
      kind: 'curves',
      title: `Loss of ${method}`,
      caption: `Loss over steps, seed ${seed}; the line is the loss of a network that has learned nothing.`,
      data: {
        x: 'step',
        y: 'loss',
        series: [{ name: method, points: points(history, 'loss') }],
        ...(uniform === undefined ? {} : { lines: [{ name: 'uniform', y: uniform }] }),
      },
    });
  }
  const signals = [
    ['effectiveRank', 'effective rank', 'Effective rank of the embeddings of a batch: near 1 means collapse.'],
    ['positive', 'similarity of positives', 'Mean cosine of the two views of a sample.'],
    ['negative', 'similarity of negatives', 'Mean cosine with other samples.'],
    ['active', 'active terms', 'Share of the hinge terms that still push.'],
  ] as const;
  for (const [name, y, caption] of signals) {
    const series = shown
      .map(({ method, history }) => ({ name: method, points: points(history, name) }))
      .filter((entry) => entry.points.length > 0);
    if (series.length === 0) continue;
    await writeFigure(dir, `curve-${name}`, {
      kind: 'curves',
      title: `${y[0]!.toUpperCase()}${y.slice(1)} while training`,
      caption: `${caption} Seed ${firstSeed}.`,
      data: { x: 'step', y, series },
    });
  }
};

const miningTotals = (mine: StageOutput): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const { data, status } of mine.items) {
    if (status !== 'done') continue;
    for (const [reason, count] of Object.entries((data as MinedVideo).decisions))
      total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
};

const provenanceOf = async (
  ctx: ReduceContext<ReportParams>,
  methods: readonly MethodEntry[],
): Promise<{ [key: string]: Json }> => {
  const runs = ctx.input('pretrain').items;
  const notes = runs.map((item) => item.notes as { runtime?: string; threads?: number });
  const ffmpeg = await findFfmpeg();
  return {
    command: ctx.settings.command,
    'video-ssl': packageVersion(),
    node: process.version,
    runtime: [...new Set(notes.map(({ runtime, threads }) => `${runtime}, ${threads} threads`))],
    ffmpeg: `${ffmpeg.version} (${ffmpeg.source})`,
    videos: ctx.input('index').digest,
    pairs: ctx.input('pack').digest,
    targets: Object.fromEntries(
      ctx.input('targets').items.map(({ label, data }) => [label, (data as { digest: string }).digest]),
    ),
    weights: Object.fromEntries(runs.map(({ label, data }) => [label, (data as { weights: string }).weights])),
    methods: Object.fromEntries(methods.map(({ name, summary }) => [name, summary])),
  };
};

/** `report`: tables, curves and pictures of everything that ran before. */
export const reportStage = (methods: readonly MethodEntry[]) =>
  defineStage({
    name: 'report',
    version: 1,
    summary: 'write the report: Markdown and JSON',
    params: reportParams,
    inputs: ['index', 'mine', 'pack', 'targets', 'pretrain', 'transfer'],
    onFailure: 'stop',
    reduce: async (ctx) => {
      const outputs = [...ctx.finished.values()];
      const resultFile = ctx.input('transfer').artefacts.find(({ name }) => name === 'results.json');
      if (!resultFile) throw new Error('Expected the stage `transfer` to have written results.json');
      const results = JSON.parse(await readFile(resultFile.path, 'utf8')) as Result[];
      await drawCurves(ctx.outputs, await readRuns(ctx.input('pretrain')));
      const curves = readdirSync(ctx.outputs)
        .filter((name) => name.endsWith('.figure.json'))
        .sort();
      const figures = [
        ...['pack', 'transfer'].flatMap((stage) =>
          ctx
            .input(stage)
            .artefacts.filter(({ name }) => name.endsWith('.figure.json'))
            .map(({ path: file }) => file),
        ),
        ...curves.map((name) => path.join(ctx.outputs, name)),
      ];
      await writeReport({
        dir: ctx.outputs,
        pipeline: 'video-ssl',
        version: packageVersion(),
        config: Object.fromEntries(outputs.map(({ stage, params }) => [stage, params])),
        stages: outputs.map(stageOf),
        results,
        figures,
        provenance: await provenanceOf(ctx, methods),
        mining: miningTotals(ctx.input('mine')),
      });
      for (const line of formatTable(results).split('\n')) ctx.log(line);
      // Times and versions stand in both.
      return { volatile: ['report.md', 'report.json'] };
    },
  });
