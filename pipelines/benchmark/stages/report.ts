import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { Json } from '../../../src/pipeline/json.js';
import { ownPackage } from '../../../src/pipeline/own-package.js';
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
import type { RejectedRun } from '../../../src/report/rejected-runs.js';
import type { TrainingRow } from '../../../src/report/training-table.js';
import { patchesName } from '../../rows/index.js';
import type { Row } from '../../rows/row.js';
import { usableVideos, type VideoOrigin } from '../../video-ssl/stages/index-videos.js';
import type { FoundLeak } from '../../video-ssl/stages/leaks.js';
import type { MinedVideo } from '../../video-ssl/stages/mine.js';
import { reportParams } from '../params.js';
import type { ReportParams } from '../params.js';
import { filePart } from '../transfer/measured.js';
import { watchFile, type WatchedCurve } from '../watch-folder.js';
import type { DecodedPictures, PictureOrigin } from './images.js';
import type { PretrainPayload } from './pretrain.js';
import type { TargetPayload } from './targets.js';

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
/** What a training run took, as its notes say. */
type Effort = { readonly seconds: number; readonly imagesPerSecond: number; readonly memoryMb?: number };
type Run = {
  readonly method: string;
  readonly seed: number;
  readonly history: readonly Entry[];
  /** Absent where it was not watched. */
  readonly watched: WatchedCurve | undefined;
  readonly effort: Effort;
};

/** The items that are training runs. */
const trainingItems = (finished: ReadonlyMap<string, StageOutput>): FinishedItem[] =>
  ['pretrain', 'iterate'].flatMap((name) =>
    (finished.get(name)?.items ?? []).filter(({ status }) => status === 'done'),
  );

const readRuns = async (items: readonly FinishedItem[]): Promise<Run[]> => {
  const runs: Run[] = [];
  for (const { data, notes, artefacts } of items) {
    const { method, seed } = data as { method: string; seed: number };
    const file = artefacts.find(({ name }) => name === 'history.json');
    if (!file) continue;
    const history = JSON.parse(await readFile(file.path, 'utf8')) as Entry[];
    runs.push({ method, seed, history, watched: await watchedBy(artefacts), effort: notes as Effort });
  }
  return runs;
};

const meanOf = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
};

/** What each method's training took and came to, means over its seeds. */
const trainingRows = (runs: readonly Run[]): TrainingRow[] =>
  orderMethods(runs.map(({ method }) => method)).map((method) => {
    const own = runs.filter((run) => run.method === method);
    const last = (key: string) => meanOf(own.map(({ history }) => history.at(-1)?.[key]));
    const effort = (key: keyof Effort) => meanOf(own.map((run) => run.effort[key]));
    return {
      method,
      runs: own.length,
      steps: own[0]!.history.at(-1)?.step ?? 0,
      seconds: effort('seconds')!,
      imagesPerSecond: effort('imagesPerSecond')!,
      memoryMb: effort('memoryMb'),
      loss: last('loss'),
      uniform: last('uniform'),
      effectiveRank: last('effectiveRank'),
    };
  });

/** What a training was watched by, beside its curve. */
const watchedBy = async (artefacts: FinishedItem['artefacts']): Promise<WatchedCurve | undefined> => {
  const file = artefacts.find(({ name }) => name === watchFile);
  return file && (JSON.parse(await readFile(file.path, 'utf8')) as WatchedCurve);
};

const points = (history: readonly Entry[], name: string): [number, number][] =>
  history.flatMap((entry) => (entry[name] === undefined ? [] : [[entry.step, entry[name]] as [number, number]]));

/** The loss of a network that has learned nothing: a value, or a curve where it changes with what is compared; none on record. */
const uniformLines = (history: readonly Entry[]): { [key: string]: Json }[] => {
  const uniform = points(history, 'uniform');
  if (uniform.length === 0) return [];
  const isConstant = uniform.every(([, value]) => value === uniform[0]![1]);
  return [{ name: 'uniform', ...(isConstant ? { y: uniform[0]![1] } : { points: uniform }) }];
};

const signals = [
  ['effectiveRank', 'effective rank', 'Effective rank of the embeddings of a batch: near 1 means collapse.'],
  [
    'uniformity',
    'uniformity',
    'How evenly embeddings of a batch lie on the sphere: 0 when all are alike, about -4 at right angles.',
  ],
  ['positive', 'similarity of positives', 'Mean cosine of the two views of a sample.'],
  ['negative', 'similarity of negatives', 'Mean cosine with other samples.'],
  ['active', 'active terms', 'Share of the hinge terms that still push.'],
] as const;

/** As many curves as a chart has colours for. */
const mostCurves = 8;

/** Curves in charts of as many as can be told apart. */
const chartsOf = <T>(series: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(series.length / mostCurves) }, (_, chart) =>
    series.slice(chart * mostCurves, (chart + 1) * mostCurves),
  );

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
  const uniformKey = ({ history }: Run): string => JSON.stringify(uniformLines(history));
  for (const key of new Set(shown.map(uniformKey))) {
    const own = shown.filter((run) => uniformKey(run) === key);
    const lines = uniformLines(own[0]!.history);
    const caption =
      lines.length === 0
        ? 'Loss over steps.'
        : 'Loss over steps; the dashed line is the loss of a network that has learned nothing.';
    for (const series of chartsOf(seriesOf(own, 'loss'))) {
      const title = `Loss of ${series.map(({ name }) => name).join(', ')}`;
      await draw(`curve-loss-${filePart(series[0]!.name)}`, title, caption, { x: 'step', y: 'loss', series, lines });
    }
  }
  const watched = shown.flatMap((run) => (run.watched ? [{ method: run.method, ...run.watched }] : []));
  for (const [k, own] of chartsOf(watched).entries()) {
    const { pictures, classes, layer } = own[0]!;
    await draw(
      `curve-knn-${k + 1}`,
      `k-NN while training, of ${own.map(({ method }) => method).join(', ')}`,
      `Leave-one-out k-NN on ${pictures} labelled pictures of ${classes} classes (\`--watch\`; chance is ${(100 / classes).toFixed(1)} %), frozen ${layer}, from the first weights on. To look at: nothing was chosen by it.`,
      {
        x: 'step',
        y: 'accuracy, %',
        series: own.map(({ method, knn }) => ({ name: method, points: knn.map((entry) => [entry.step, entry.knn]) })),
      },
    );
  }
  for (const [key, y, caption] of signals) {
    const charts = chartsOf(seriesOf(shown, key));
    for (const [k, series] of charts.entries()) {
      const part = charts.length === 1 ? '' : `, ${k + 1} of ${charts.length}`;
      const title = `${y[0]!.toUpperCase()}${y.slice(1)} while training${part}`;
      await draw(`curve-${key}-${k + 1}`, title, caption, { x: 'step', y, series });
    }
  }
  return names.map((name) => path.join(dir, `${name}.figure.json`));
};

const figuresOf = (output: StageOutput | undefined): string[] =>
  (output?.artefacts ?? []).filter(({ name }) => name.endsWith('.figure.json')).map(({ path: file }) => file);

/** The contact sheet of the pictures that were learned from. */
const pictureFigures = (images: StageOutput | undefined): string[] =>
  (images?.items ?? [])
    .flatMap(({ artefacts }) => artefacts)
    .filter(({ name }) => name.endsWith('.figure.json'))
    .map(({ path: file }) => file);

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
  const trained = trainingItems(ctx.finished);
  const runs = trained.map(({ data }) => data as { method: string; seed: number });
  const [pack, index, images] = ['pack', 'index', 'images'].map((name) => ctx.finished.get(name));
  const packed = pack?.data as { pairs: number; videos: number } | undefined;
  return {
    ...(packed && index
      ? { videos: countOf(index.items, 'done'), pairs: packed.pairs, videosWithPairs: packed.videos }
      : {}),
    ...(images ? { pictures: (images.data as DecodedPictures).pictures } : {}),
    methods: [...new Set(runs.map(({ method }) => method))],
    seeds: [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b),
    runtimes: runtimesOf(trained),
  };
};

const miningTotals = (mine: StageOutput, index: StageOutput | undefined): Record<string, number> => {
  const repeated = index ? usableVideos(index).filter(({ repeats }) => repeats !== undefined).length : 0;
  const total: Record<string, number> = repeated > 0 ? { 'video: same recording as another': repeated } : {};
  for (const { data, status } of mine.items) {
    if (status !== 'done') continue;
    for (const [reason, count] of Object.entries((data as MinedVideo).decisions))
      total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
};

const provenanceOf = async (
  ctx: ReduceContext<ReportParams>,
  rows: readonly Row[],
): Promise<{ [key: string]: Json }> => {
  const runs = trainingItems(ctx.finished);
  const ffmpeg = await findFfmpeg();
  return {
    command: ctx.settings.command,
    'video-ssl': ownPackage().version,
    node: process.version,
    runtime: runtimesOf(runs),
    ffmpeg: `${ffmpeg.version} (${ffmpeg.source})`,
    ...Object.fromEntries(
      Object.entries({ videos: 'index', pairs: 'pack', pictures: 'images' }).flatMap(([name, stage]) => {
        const output = ctx.finished.get(stage);
        return output ? [[name, output.digest]] : [];
      }),
    ),
    targets: Object.fromEntries(
      ctx.input('targets').items.map(({ label, data }) => [label, (data as { digest: string }).digest]),
    ),
    weights: Object.fromEntries(runs.map(({ label, data }) => [label, (data as { weights: string }).weights])),
    methods: Object.fromEntries(rows.map(({ name, summary }) => [name, summary])),
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

/** Where the data of a report came from. */
export type ReportSources = { readonly videos?: VideoOrigin; readonly pictures?: PictureOrigin };

/** Where the data came from, as far as its folders say. */
const sourcesOf = async (
  ctx: ReduceContext<ReportParams>,
  { videos, pictures }: ReportSources,
): Promise<DataSource[]> => {
  const rendered = { origin: 'rendered by this program', terms: 'as this program' };
  const learned = async (
    origin: VideoOrigin | PictureOrigin | undefined,
    [role, stage]: readonly [string, string],
  ): Promise<DataSource[]> => {
    if (!origin) return [];
    const note = origin.kind === 'demo' ? rendered : await findDataNote(origin.path);
    const name = origin.kind === 'demo' ? `demo ${role}` : path.basename(path.resolve(origin.path));
    return [{ name, role, digest: ctx.input(stage).digest, ...note }];
  };
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
  return [
    ...(await learned(pictures, ['pictures', 'images'])),
    ...(await learned(videos, ['videos', 'index'])),
    ...(await Promise.all(targets)),
  ];
};

/** Methods on single patches of the tracks: they bear their method's name there, or a name of their own beside pictures. */
const rowsOnPatches = (rows: readonly Row[]): string[] =>
  rows
    .filter(({ learnsFrom, imageMethod }) => learnsFrom === 'pairs' && imageMethod !== undefined)
    .filter(({ name, imageMethod }) => name === imageMethod || name === patchesName(imageMethod!))
    .map(({ name }) => name);

/** Trainings that went nowhere: their rows are missing, or stand without a seed. */
const rejectedRuns = (pretrain: StageOutput): RejectedRun[] =>
  pretrain.items.flatMap(({ payload, status, reason = '' }) => {
    if (status !== 'rejected') return [];
    const { method, seed, variant } = payload as PretrainPayload;
    return [{ method: variant?.name ?? method, seed, reason }];
  });

/** What was left out of the pictures to learn from. */
const brokenPictures = (images: StageOutput | undefined): string[] => {
  const { broken = [], pictures = 0 } = (images?.data ?? {}) as Partial<DecodedPictures>;
  if (broken.length === 0) return [];
  return [
    `${broken.length} picture(s) to learn from could not be decoded and were left out (${broken.slice(0, 3).join(', ')}${broken.length > 3 ? ', …' : ''}), ${pictures} were learned from.`,
  ];
};

/** A terminal's 100 columns less the stage's name before each line. */
const lineWidth = 100 - 'report: '.length;

/** What a report is of. */
export type ReportOptions = {
  /** Name of the pipeline. */
  readonly pipeline: string;
  readonly rows: readonly Row[];
  readonly sources: ReportSources;
  /** Stages that are reported on. */
  readonly inputs: readonly string[];
  /** Further figures, drawn from the results; paths of `.figure.json` files in `dir`. */
  readonly draw?: (dir: string, results: readonly Result[]) => Promise<string[]>;
};

/** `report`: tables, curves and pictures of everything that ran before. */
export const reportStage = ({ pipeline, rows, sources, inputs, draw }: ReportOptions) =>
  defineStage({
    name: 'report',
    version: 9,
    summary: 'write the report: a page, Markdown and JSON',
    params: reportParams,
    inputs,
    onFailure: 'stop',
    reduce: async (ctx) => {
      const outputs = [...ctx.finished.values()];
      const resultFile = ctx.input('transfer').artefacts.find(({ name }) => name === 'results.json');
      if (!resultFile) throw new Error('Expected the stage `transfer` to have written results.json');
      const results = JSON.parse(await readFile(resultFile.path, 'utf8')) as Result[];
      const runs = await readRuns(trainingItems(ctx.finished));
      const curves = await drawCurves(ctx.outputs, runs);
      const drawn = (await draw?.(ctx.outputs, results)) ?? [];
      const pictures = sortByMethod(
        figuresOf(ctx.input('transfer')),
        results.map(({ method }) => method),
      );
      const rejected = rejectedRuns(ctx.input('pretrain'));
      const [mine, leaks, images] = ['mine', 'leaks', 'images'].map((name) => ctx.finished.get(name));
      const input = {
        dir: ctx.outputs,
        pipeline,
        version: ownPackage().version,
        config: Object.fromEntries(outputs.map(({ stage, params }) => [stage, params])),
        stages: outputs.map(stageOf),
        run: summaryOf(ctx),
        results,
        training: trainingRows(runs),
        ...(rejected.length > 0 ? { rejected } : {}),
        onPatches: rowsOnPatches(rows),
        figures: [...pictureFigures(images), ...figuresOf(ctx.finished.get('pack')), ...drawn, ...curves, ...pictures],
        provenance: await provenanceOf(ctx, rows),
        ...(mine ? { mining: miningTotals(mine, ctx.finished.get('index')) } : {}),
        warnings: [...(leaks ? leakWarnings(leaks) : []), ...brokenPictures(images)],
      };
      await writeReport(input);
      await writePage({ ...input, sources: await sourcesOf(ctx, sources) });
      for (const line of formatForTerminal(results, lineWidth)) ctx.log(line);
      // Times and versions stand in both.
      return { volatile: ['index.html', 'report.md', 'report.json'] };
    },
  });
