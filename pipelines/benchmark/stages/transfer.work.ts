import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import { loadClasses } from '../../../src/images/target-file.js';
import { buildTrunk } from '../../../src/network/build-trunk.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { loadTrunk } from '../../../src/network/weights.js';
import { RandomStream } from '../../../src/numeric/random.js';
import type { Figure } from '../../../src/pipeline/figure.js';
import type { Work, WorkContext } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { classicalTrunk } from '../../../src/transfer/classical/classical-trunk.js';
import { readEncoderFile } from '../../../src/transfer/encoder/encoder-file.js';
import { openEncoder } from '../../../src/transfer/encoder/onnx-encoder.js';
import { firstLayerFilters } from '../../../src/transfer/figures/first-layer-filters.js';
import { encodeScores } from '../../../src/transfer/statistics/encode-scores.js';
import { trainSupervised } from '../../../src/transfer/supervised/train-supervised.js';
import type { TransferParams } from '../params.js';
import { evaluateClassification } from '../transfer/classification.js';
import { evaluateDetection } from '../transfer/detection.js';
import { filePart } from '../transfer/measured.js';
import type { CellContext, Measured } from '../transfer/measured.js';
import { evaluateNormalsTarget } from '../transfer/normals.js';
import type { TransferPayload } from './transfer.js';

const evaluations: Readonly<Record<TransferPayload['kind'], (cell: CellContext) => Promise<readonly Measured[]>>> = {
  classification: evaluateClassification,
  detection: evaluateDetection,
  normals: evaluateNormalsTarget,
};

/** The network of a row; undefined for one of several networks, which are opened one after the other. */
const openNetwork = async (
  { origin, folder, seed }: TransferPayload,
  ctx: WorkContext<TransferParams>,
): Promise<Trunk | undefined> => {
  switch (origin.from) {
    case 'network':
    case 'none':
      return (await loadTrunk(origin.model)).trunk;
    case 'classical':
      return classicalTrunk();
    case 'encoder': {
      const encoder = readEncoderFile(origin.encoder.file);
      if (encoder.digest !== origin.encoder.digest) {
        throw new Error(`${encoder.file} was changed while the run went on: start it again`);
      }
      return openEncoder(encoder, ctx.settings.jobs);
    }
    case 'supervised': {
      const trunk = buildTrunk(origin.architecture, { random: RandomStream.of(seed, 'trunk') });
      await trainSupervised(trunk, await loadClasses(folder), {
        ...{ seed, ...ctx.params.supervised, signal: ctx.signal },
        onProgress: (progress) => ctx.progress(progress),
        log: (line) => ctx.log(line),
      });
      return trunk;
    }
    case 'ensemble':
      return undefined;
  }
};

const drawFilters = (trunk: Trunk, payload: TransferPayload, outputs: string): Promise<Figure> =>
  writeFigure(
    outputs,
    `figure-filters-${filePart(payload.method)}`,
    {
      kind: 'filters',
      title: `First-layer filters, ${payload.method}`,
      caption: `Kernels of the first convolution of \`${payload.method}\`, seed ${payload.seed}, each scaled to its own range, strongest first.`,
    },
    firstLayerFilters(trunk),
  );

/** Tries one network on one target. */
const work: Work<TransferParams> = async (item, ctx) => {
  const payload = item.payload as TransferPayload;
  await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });
  const seconds: Record<string, number> = {};
  const timed: CellContext['timed'] = async (protocol, run) => {
    const began = performance.now();
    const result = await run();
    seconds[protocol] = (seconds[protocol] ?? 0) + (performance.now() - began) / 1000;
    return result;
  };
  const trunk = await timed('open', () => openNetwork(payload, ctx));
  try {
    const network = (): Trunk => {
      if (!trunk) throw new Error(`Expected ${item.label} to have one network`);
      return trunk;
    };
    const measured = await evaluations[payload.kind]({ payload, ctx, timed, network });
    if (payload.filters && trunk) await drawFilters(trunk, payload, ctx.outputs);
    const cells = measured.map(({ protocol, metric, value, scores, data, params }) => ({
      task: payload.kind,
      dataset: payload.target,
      protocol,
      metric: metric.name,
      higherIsBetter: metric.higherIsBetter,
      method: payload.method,
      seed: payload.seed,
      value,
      ...(scores ? { scores: encodeScores(scores) } : {}),
      weights: payload.weights,
      data,
      params,
    }));
    await writeFile(path.join(ctx.outputs, 'cells.json'), `${JSON.stringify(cells)}\n`);
    return { status: 'done', notes: { seconds } };
  } finally {
    trunk?.dispose();
  }
};

export default work;
