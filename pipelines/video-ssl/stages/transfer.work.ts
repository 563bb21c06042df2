import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contactSheet } from '../../../src/drawing/contact-sheet.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import { splitSweep } from '../../../src/images/sweep-split.js';
import { loadClasses, loadSavedNormals } from '../../../src/images/target-file.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { loadTrunk } from '../../../src/network/weights.js';
import type { Json } from '../../../src/pipeline/json.js';
import type { Work, WorkContext } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { extractFeatures } from '../../../src/transfer/features/extract.js';
import { neighbourRows, picturesOfRows } from '../../../src/transfer/figures/neighbour-rows.js';
import { normalPictures } from '../../../src/transfer/figures/normal-pictures.js';
import { evaluateKnn } from '../../../src/transfer/knn/weighted-knn.js';
import { evaluateLinear } from '../../../src/transfer/linear/logistic-regression.js';
import { top1 } from '../../../src/transfer/metric.js';
import type { Metric } from '../../../src/transfer/metric.js';
import { normalsMetrics } from '../../../src/transfer/normals/angular-error.js';
import { evaluateMeanNormals, evaluateNormals, gridOf } from '../../../src/transfer/normals/evaluate-normals.js';
import type { TransferParams } from '../params.js';
import { noImage } from './transfer.js';
import type { TransferPayload } from './transfer.js';

type Value = { protocol: string; metric: Metric; value: number; data: string; params: Json };
type Context = WorkContext<TransferParams>;

/** A file name for a figure, whatever the user's folder is called. */
const figureName = (kind: string, { target, method }: TransferPayload): string =>
  `figure-${kind}-${target.replace(/[^\w.-]+/g, '_')}-${method}`;

const classification = async (trunk: Trunk, payload: TransferPayload, ctx: Context): Promise<Value[]> => {
  const { layers, pooled, knnK, knnSigma } = ctx.params;
  const target = await loadClasses(payload.folder);
  const classes = target.classes.length;
  const train = extractFeatures(trunk, target.train, layers, { pool: pooled });
  const test = extractFeatures(trunk, target.test, layers, { pool: pooled });
  const values: Value[] = [];
  for (const layer of layers) {
    ctx.signal.throwIfAborted();
    const features = {
      train: train[layer]!,
      trainLabels: target.trainLabels,
      test: test[layer]!,
      testLabels: target.testLabels,
      classes,
    };
    const knn = evaluateKnn(features, { k: knnK, sigma: knnSigma });
    const linear = evaluateLinear(features);
    const common = { metric: top1, data: target.digest };
    values.push(
      { ...common, protocol: `knn/${layer}`, value: knn.top1, params: { k: knnK, sigma: knnSigma, pooled } },
      { ...common, protocol: `linear/${layer}`, value: linear.top1, params: { pooled } },
    );
  }
  const layer = layers.at(-1)!;
  if (payload.figures) {
    const rows = neighbourRows(test[layer]!, train[layer]!, { rows: 8, k: 5 });
    const shown = Math.min(5, target.train.count);
    const sheet = contactSheet(
      picturesOfRows(rows, target.test, target.train).map((rasters) => ({ raster: rasters })),
      { columns: 2 },
    );
    await writeFigure(
      ctx.outputs,
      figureName('neighbours', payload),
      {
        kind: 'neighbours',
        title: `${payload.target}: nearest neighbours, ${payload.method}`,
        caption: `A test picture, drawn by seed, and its ${shown === 5 ? 'five' : shown} nearest training pictures by ${layer} of \`${payload.method}\`, seed ${payload.seed}.`,
      },
      sheet,
    );
  }
  return values;
};

const normals = async (trunk: Trunk, payload: TransferPayload, ctx: Context): Promise<Value[]> => {
  const layers = ctx.params.normalsLayers;
  const target = await loadSavedNormals(payload.folder);
  const split = splitSweep(target.frames.length);
  const outcome =
    payload.method === noImage
      ? evaluateMeanNormals(target, split, ...gridOf(trunk, layers))
      : evaluateNormals(trunk, target, split, { layers });
  if (payload.figures) {
    const pictures = normalPictures(target, split.test, outcome.predicted);
    await writeFigure(
      ctx.outputs,
      figureName('normals', payload),
      {
        kind: 'normals',
        title: `${payload.target}: surface normals, ${payload.method}`,
        caption: `Image, predicted normals, true normals (black: unknown) of test frames spread evenly, \`${payload.method}\`, seed ${payload.seed}.`,
      },
      contactSheet(
        pictures.map(({ frame, image, predicted, truth }) => ({ raster: [image, predicted, truth], caption: frame })),
        { columns: 2, height: 120 },
      ),
    );
  }
  return normalsMetrics.map((metric) => ({
    protocol: `ridge/${layers.join('+')}`,
    metric,
    value: outcome.scores[metric.name as keyof typeof outcome.scores],
    data: target.digest,
    params: { layers, train: split.train.length, test: split.test.length },
  }));
};

/** Reads one network's features on one target and measures them. */
const work: Work<TransferParams> = async (item, ctx) => {
  const began = performance.now();
  const payload = item.payload as TransferPayload;
  await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });
  const { trunk } = await loadTrunk(payload.model!);
  const values =
    payload.kind === 'classification' ? await classification(trunk, payload, ctx) : await normals(trunk, payload, ctx);
  trunk.dispose();
  const cells = values.map(({ protocol, metric, value, data, params }) => ({
    task: payload.kind,
    dataset: payload.target,
    protocol,
    metric: metric.name,
    higherIsBetter: metric.higherIsBetter,
    method: payload.method,
    seed: payload.seed,
    value,
    weights: payload.weights,
    data,
    params,
  }));
  await writeFile(path.join(ctx.outputs, 'cells.json'), `${JSON.stringify(cells)}\n`);
  return { status: 'done', notes: { seconds: (performance.now() - began) / 1000 } };
};

export default work;
