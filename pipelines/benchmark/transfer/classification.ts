import { writeFigure } from '../../../src/drawing/write-figure.js';
import { loadClasses } from '../../../src/images/target-file.js';
import type { LoadedClasses } from '../../../src/images/class-dataset.js';
import { checkFinite, type FeatureMatrix } from '../../../src/neighbors/feature-matrix.js';
import type { Trunk } from '../../../src/network/trunk.js';
import type { Json } from '../../../src/pipeline/json.js';
import {
  pooledReading,
  probeReading,
  readFeatures,
  readingName,
  type Reading,
} from '../../../src/transfer/features/read-features.js';
import { featureMap } from '../../../src/transfer/figures/feature-map.js';
import { neighbourRows } from '../../../src/transfer/figures/neighbour-rows.js';
import { neighbourSheet } from '../../../src/transfer/figures/neighbour-sheet.js';
import { encoderLayer } from '../../../src/transfer/encoder/onnx-encoder.js';
import { evaluateKnn, type LabelledFeatures } from '../../../src/transfer/knn/weighted-knn.js';
import { evaluateLinear } from '../../../src/transfer/linear/logistic-regression.js';
import { evaluateMultiLayer } from '../../../src/transfer/linear/multi-layer.js';
import { evaluateLowShot } from '../../../src/transfer/low-shot/low-shot-svm.js';
import { meanAp, top1 } from '../../../src/transfer/metric.js';
import type { Metric } from '../../../src/transfer/metric.js';
import type { ImageScores } from '../../../src/transfer/statistics/image-scores.js';
import { evaluateSvm } from '../../../src/transfer/svm/evaluate-svm.js';
import type { TransferParams } from '../params.js';
import type { TransferPayload } from '../stages/transfer.js';
import { figureName } from './measured.js';
import type { CellContext, Measured } from './measured.js';

/** A column's layer and what is read for it: hand-made features and encoders have one of their own, which stands in for the last. */
type Read = { readonly layer: string; readonly reading: Reading };

/** One network on one classification target, both opened, and how it is to be read. */
export type ClassTrial = {
  readonly trunk: Trunk;
  readonly target: LoadedClasses;
  /** What the features are: of a network's layers, of an ONNX encoder's output, or hand-made. */
  readonly features: 'network' | 'encoder' | 'hog' | 'colour';
  readonly params: TransferParams;
  /** Of what a protocol draws. */
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly timed: CellContext['timed'];
};

const featuresOf = ({ origin }: TransferPayload): ClassTrial['features'] => {
  if (origin.from === 'classical') return origin.features;
  return origin.from === 'encoder' ? 'encoder' : 'network';
};

/** What the probes read: at `layers` the pooled features, at the multi-layer probe's those of about `probeDims` values. */
const readsOf = ({
  trunk,
  features,
  params,
}: ClassTrial): { readonly probes: readonly Read[]; readonly multiLayer: readonly Read[] } => {
  const [lastProbe, lastLayer] = [params.layers.at(-1)!, params.probeLayers.at(-1)!];
  const isMultiLayer = params.probes.includes('multi-layer');
  switch (features) {
    case 'colour':
      return { probes: [{ layer: lastProbe, reading: { layer: 'colour' } }], multiLayer: [] };
    case 'hog': {
      // As many values as a map of 128 channels has when it is pooled: neither more nor less than the networks give.
      const probes = [{ layer: lastProbe, reading: probeReading(trunk, 'hog', 128 * params.pooled ** 2) }];
      const wide = { layer: lastLayer, reading: probeReading(trunk, 'hog', params.probeDims) };
      return { probes, multiLayer: isMultiLayer ? [wide] : [] };
    }
    case 'encoder': {
      const probe = { layer: lastProbe, reading: pooledReading(trunk, encoderLayer, params.pooled) };
      const wide = { layer: lastLayer, reading: probeReading(trunk, encoderLayer, params.probeDims) };
      return { probes: [probe], multiLayer: isMultiLayer ? [wide] : [] };
    }
    case 'network':
      return {
        probes: params.layers.map((layer) => ({ layer, reading: pooledReading(trunk, layer, params.pooled) })),
        multiLayer: isMultiLayer
          ? params.probeLayers.map((layer) => ({ layer, reading: probeReading(trunk, layer, params.probeDims) }))
          : [],
      };
  }
};

type Reader = (reading: Reading) => LabelledFeatures;

/** Every feature that some protocol wants, in one pass over the pictures. */
const openReader = ({ trunk, target, signal }: ClassTrial, reads: readonly Read[]): Reader => {
  const readings = reads.map(({ reading }) => reading);
  const train = readFeatures(trunk, target.train, readings, { signal });
  const test = readFeatures(trunk, target.test, readings, { signal });
  // A network that gives NaN would be scored like any other, and by the neighbours even get an interval.
  for (const [name, features] of train) checkFinite(`training features of ${name}`, features);
  for (const [name, features] of test) checkFinite(`test features of ${name}`, features);
  const { trainLabels, testLabels, classes } = target;
  return (reading) => {
    const part = (features: ReadonlyMap<string, FeatureMatrix>): FeatureMatrix => features.get(readingName(reading))!;
    return { train: part(train), trainLabels, test: part(test), testLabels, classes: classes.length };
  };
};

const draw = async ({ payload, ctx }: CellContext, target: LoadedClasses, { layer, reading }: Read, read: Reader) => {
  const { train, test } = read(reading);
  const { method, seed, target: name } = payload;
  const labels = { queries: target.testLabels, bank: target.trainLabels };
  await writeFigure(
    ctx.outputs,
    figureName('neighbours', payload),
    {
      kind: 'neighbours',
      title: `${name}: nearest neighbours, ${method}`,
      caption: `A test picture, drawn by seed, and its nearest training pictures by ${layer} of \`${method}\`, seed ${seed}; those of its class are framed.`,
    },
    neighbourSheet(neighbourRows(test, train, { rows: 8, k: 5 }), target.test, target.train, { labels }),
  );
  if (test.rows < 4) return;
  const map = featureMap(test, target.test, target.testLabels);
  const { share = NaN, chance = NaN } = map.agreement ?? {};
  const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;
  await writeFigure(
    ctx.outputs,
    figureName('map', payload),
    {
      kind: 'map',
      title: `${name}: a map of the features, ${method}`,
      caption: `Test pictures laid out so that near ones have near features (${layer} of \`${method}\`, seed ${seed}); ${percent(share)} have a nearest one of their class, by chance ${percent(chance)}.`,
    },
    map.raster,
  );
};

/** What a trial came to, and for figures the last layer that was read. */
export type ClassMeasures = { readonly measured: readonly Measured[]; readonly last: Read; readonly read: Reader };

/** Protocols on one classification target: k-NN, linear, multi-layer linear, SVM, low-shot. */
export const measureClasses = async (trial: ClassTrial): Promise<ClassMeasures> => {
  const { target, params, timed, signal } = trial;
  const { probes, knnK, knnSigma, lowShot } = params;
  const reads = readsOf(trial);
  const read = await timed('features', () => openReader(trial, [...reads.probes, ...reads.multiLayer]));
  const measured: Measured[] = [];
  const add = (protocol: string, metric: Metric, value: number, scores: ImageScores, settings: Json): void =>
    void measured.push({ protocol, metric, value, scores, data: target.digest, params: settings });
  const asked = (probe: TransferParams['probes'][number]): boolean => {
    signal.throwIfAborted();
    return probes.includes(probe);
  };
  for (const { layer, reading } of reads.probes) {
    const features = read(reading);
    const what = { features: readingName(reading) };
    if (asked('knn')) {
      const protocol = `knn/${layer}`;
      const knn = await timed(protocol, () => evaluateKnn(features, { k: knnK, sigma: knnSigma }));
      add(protocol, top1, knn.top1, knn.images, { ...what, k: knnK, sigma: knnSigma });
    }
    if (asked('linear')) {
      const protocol = `linear/${layer}`;
      const linear = await timed(protocol, () => evaluateLinear(features));
      add(protocol, top1, linear.top1, linear.images, what);
    }
  }
  for (const { layer, reading } of reads.multiLayer) {
    const protocol = `multi-layer/${layer}`;
    const probe = await timed(protocol, () => evaluateMultiLayer(read(reading), { seed: trial.seed }));
    add(protocol, top1, probe.top1, probe.images, { features: readingName(reading) });
    signal.throwIfAborted();
  }
  const last = reads.probes.at(-1)!;
  const features = read(last.reading);
  const what = { features: readingName(last.reading) };
  if (asked('svm')) {
    const protocol = `svm/${last.layer}`;
    const svm = await timed(protocol, () => evaluateSvm(features));
    add(protocol, top1, svm.top1, svm.images.top1, what);
    add(protocol, meanAp, svm.map, svm.images.map, what);
  }
  if (asked('low-shot')) {
    const smallest = Math.min(
      ...target.classes.map((_, c) => target.trainLabels.filter((label) => label === c).length),
    );
    const shots = lowShot.filter((k) => k <= smallest);
    const results = shots.length === 0 ? [] : await timed('low-shot', () => evaluateLowShot(features, { shots }));
    for (const { k, top1: found, images } of results) {
      add(`low-shot/${last.layer}, k = ${k}`, top1, found.mean, images, { ...what, k, draws: found.values.length });
    }
  }
  return { measured, last, read };
};

/** A cell of classification: every protocol, and once a method the pictures of the report. */
export const evaluateClassification = async (cell: CellContext): Promise<readonly Measured[]> => {
  const { ctx, payload, timed } = cell;
  const target = await loadClasses(payload.folder);
  const { measured, last, read } = await measureClasses({
    ...{ trunk: cell.network(), target, features: featuresOf(payload), params: ctx.params },
    ...{ seed: payload.seed, signal: ctx.signal, timed },
  });
  if (payload.figures) await draw(cell, target, last, read);
  return measured;
};
