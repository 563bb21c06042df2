import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { Json } from '../../../src/pipeline/json.js';
import type { Result } from '../../../src/pipeline/result.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { FinishedItem, ReduceContext, StageOutput } from '../../../src/pipeline/stage.js';
import { findDataNote } from '../../../src/report/page/data-source.js';
import type { DataSource } from '../../../src/report/page/data-source.js';
import { writePage } from '../../../src/report/page/write-page.js';
import { writeReport } from '../../../src/report/write-report.js';
import type { RunSummary } from '../../../src/report/run-summary.js';
import { formatForTerminal } from '../../../src/report/terminal-tables.js';
import { orderMethods } from '../../../src/report/transfer-table.js';
import { findFfmpeg } from '../../../src/video/ffmpeg-binary.js';
import type { MethodEntry } from '../methods.js';
import { reportParams } from '../params.js';
import { filePart } from '../transfer/measured.js';
import type { ReportParams } from '../params.js';
import type { VideoOrigin } from './index-videos.js';
import type { FoundLeak } from './leaks.js';
import type { MinedVideo } from './mine.js';
import type { TargetPayload } from './targets.js';

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

/** The items that are training runs. */
const trainingItems = (finished: ReadonlyMap<string, StageOutput>): FinishedItem[] =>
  ['pretrain', 'iterate'].flatMap((name) => finished.get(name)?.items ?? []);

const readRuns = async (items: readonly FinishedItem[]): Promise<Run[]> => {
  const runs: Run[] = [];
  for (const { data, artefacts } of items) {
    const { method, seed } = data as { method: string; seed: number };
    const file = artefacts.find(({ name }) => name === 'history.json');
    if (file) runs.push({ method, seed, history: JSON.parse(await readFile(file.path, 'utf8')) as Entry[] });
  }
  return runs;
};

const points = (history: readonly Entry[], name: string): [number, number][] =>
  history.flatMap((entry) => (entry[name] === undefined ? [] : [[entry.step, entry[name]] as [number, number]]));

const signals = [
  ['effectiveRank', 'effective rank', 'Effective rank of the embeddings of a batch: near 1 means collapse.'],
  ['positive', 'similarity of positives', 'Mean cosine of the two views of a sample.'],
  ['negative', 'similarity of negatives', 'Mean cosine with other samples.'],
  ['active', 'active terms', 'Share of the hinge terms that still push.'],
] as const;

/**
 * The losses beside their uniform value (those that share it on one chart: they are the same loss), and the signals that tell
 * learning from collapse; first seed. Returns the figures' paths in the order of the report.
 */
const drawCurves = async (dir: string, runs: readonly Run[]): Promise<string[]> => {
  const firstSeed = Math.min(...runs.map(({ seed }) => seed));
  const first = runs.filter(({ seed }) => seed === firstSeed);
  const shown = orderMethods(first.map(({ method }) => method)).flatMap((name) =>
    first.filter(({ method }) => method === name),
  );
  const seriesOf = (own: readonly Run[], key: string) =>
    own
      .map(({ method, history }) => ({ name: method, points: points(history, key) }))
      .filter((entry) => entry.points.length > 0);
  const names: string[] = [];
  const draw = async (name: string, title: string, caption: string, data: { [key: string]: Json }): Promise<void> => {
    names.push(name);
    await writeFigure(dir, name, { kind: 'curves', title, caption: `${caption} Seed ${firstSeed}.`, data });
  };
  const uniformOf = ({ history }: Run): number | undefined => history.at(-1)?.['uniform'];
  for (const uniform of new Set(shown.map(uniformOf))) {
    const own = shown.filter((run) => uniformOf(run) === uniform);
    const series = seriesOf(own, 'loss');
    if (series.length === 0) continue;
    const title = `Loss of ${series.map(({ name }) => name).join(', ')}`;
    const caption =
      uniform === undefined
        ? 'Loss over steps.'
        : 'Loss over steps; the dashed line is the loss of a network that has learned nothing.';
    const lines = uniform === undefined ? [] : [{ name: 'uniform', y: uniform }];
    await draw(`curve-loss-${series[0]!.name}`, title, caption, { x: 'step', y: 'loss', series, lines });
  }
  for (const [key, y, caption] of signals) {
    const series = seriesOf(shown, key);
    if (series.length === 0) continue;
    await draw(`curve-${key}`, `${y[0]!.toUpperCase()}${y.slice(1)} while training`, caption, { x: 'step', y, series });
  }
  return names.map((name) => path.join(dir, `${name}.figure.json`));
};

const figuresOf = (output: StageOutput): string[] =>
  output.artefacts.filter(({ name }) => name.endsWith('.figure.json')).map(({ path: file }) => file);

/** Figures `figure-<kind>-<target>-<method>`, the methods of one target in the order of the tables. */
const sortByMethod = (files: readonly string[], methods: readonly string[]): string[] => {
  const order = orderMethods(methods);
  const parts = files.map((file) => {
    const name = path.basename(file, '.figure.json');
    const ended = order.filter((method) => name.endsWith(`-${filePart(method)}`)).sort((a, b) => b.length - a.length);
    const method = ended[0] ?? '';
    return { file, group: name.slice(0, name.length - method.length), rank: order.indexOf(method) };
  });
  return parts
    .sort((a, b) => (a.group === b.group ? a.rank - b.rank : a.group < b.group ? -1 : 1))
    .map(({ file }) => file);
};

const runtimesOf = (items: readonly FinishedItem[]): string[] => [
  ...new Set(
    items.map(({ notes }) => {
      const { runtime, threads } = notes as { runtime?: string; threads?: number };
      return `${runtime}, ${threads} threads`;
    }),
  ),
];

const summaryOf = (ctx: ReduceContext<ReportParams>): RunSummary => {
  const { pairs, videos } = ctx.input('pack').data as { pairs: number; videos: number };
  const trained = trainingItems(ctx.finished);
  const runs = trained.map(({ data }) => data as { method: string; seed: number });
  return {
    videos: countOf(ctx.input('index').items, 'done'),
    pairs,
    videosWithPairs: videos,
    methods: [...new Set(runs.map(({ method }) => method))],
    seeds: [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b),
    runtimes: runtimesOf(trained),
  };
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
  const runs = trainingItems(ctx.finished);
  const ffmpeg = await findFfmpeg();
  return {
    command: ctx.settings.command,
    'video-ssl': packageVersion(),
    node: process.version,
    runtime: runtimesOf(runs),
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

/** What a reader must know who takes a number from a target that was seen in training. */
const leakWarnings = ({ data }: StageOutput): string[] => {
  const { leaks } = data as unknown as { leaks: readonly FoundLeak[] };
  return [...new Set(leaks.map(({ target }) => target))].map((target) => {
    const own = leaks.filter((leak) => leak.target === target);
    const pictures = new Set(own.map(({ picture }) => picture)).size;
    const videos = [...new Set(own.map(({ video }) => video))];
    return (
      `${pictures} picture(s) of ${target} are frames of videos that were learned from (${videos.slice(0, 3).join(', ')}` +
      `${videos.length > 3 ? ', …' : ''}): what is measured on ${target} is not measured on new pictures.`
    );
  });
};

/** Where the data came from, as far as its folders say. */
const sourcesOf = async (ctx: ReduceContext<ReportParams>, videos: VideoOrigin): Promise<DataSource[]> => {
  const rendered = { origin: 'rendered by this program', terms: 'as this program' };
  const videoNote = videos.kind === 'demo' ? rendered : await findDataNote(videos.path);
  const name = videos.kind === 'demo' ? 'demo videos' : path.basename(path.resolve(videos.path));
  const targets = ctx.input('targets').items.map(async ({ label, data, payload }): Promise<DataSource> => {
    const { kind, digest } = data as { kind: string; digest: string };
    const own = ctx.finished
      .get('synthesize')
      ?.items.some(({ artefacts }) =>
        artefacts.some((file) => file.path.startsWith((payload as TargetPayload).folder + path.sep)),
      );
    const note = own ? rendered : await findDataNote((payload as TargetPayload).folder);
    return { name: label, role: kind, digest, ...note };
  });
  return [{ name, role: 'videos', digest: ctx.input('index').digest, ...videoNote }, ...(await Promise.all(targets))];
};

/** A terminal's 100 columns less the stage's name before each line. */
const lineWidth = 100 - 'report: '.length;

/** `report`: tables, curves and pictures of everything that ran before. */
export const reportStage = (methods: readonly MethodEntry[], videos: VideoOrigin) =>
  defineStage({
    name: 'report',
    version: 5,
    summary: 'write the report: a page, Markdown and JSON',
    params: reportParams,
    inputs: ['index', 'leaks', 'mine', 'pack', 'targets', 'pretrain', 'transfer'],
    onFailure: 'stop',
    reduce: async (ctx) => {
      const outputs = [...ctx.finished.values()];
      const resultFile = ctx.input('transfer').artefacts.find(({ name }) => name === 'results.json');
      if (!resultFile) throw new Error('Expected the stage `transfer` to have written results.json');
      const results = JSON.parse(await readFile(resultFile.path, 'utf8')) as Result[];
      const curves = await drawCurves(ctx.outputs, await readRuns(trainingItems(ctx.finished)));
      const pictures = sortByMethod(
        figuresOf(ctx.input('transfer')),
        results.map(({ method }) => method),
      );
      const input = {
        dir: ctx.outputs,
        pipeline: 'video-ssl',
        version: packageVersion(),
        config: Object.fromEntries(outputs.map(({ stage, params }) => [stage, params])),
        stages: outputs.map(stageOf),
        run: summaryOf(ctx),
        results,
        figures: [...figuresOf(ctx.input('pack')), ...curves, ...pictures],
        provenance: await provenanceOf(ctx, methods),
        mining: miningTotals(ctx.input('mine')),
        warnings: leakWarnings(ctx.input('leaks')),
      };
      await writeReport(input);
      await writePage({ ...input, sources: await sourcesOf(ctx, videos) });
      for (const line of formatForTerminal(results, lineWidth)) ctx.log(line);
      // Times and versions stand in both.
      return { volatile: ['index.html', 'report.md', 'report.json'] };
    },
  });
