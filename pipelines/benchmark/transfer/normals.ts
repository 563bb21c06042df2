import { contactSheet } from '../../../src/drawing/contact-sheet.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { LoadedNormals } from '../../../src/images/rgbd-dataset.js';
import { splitTarget } from '../../../src/images/room-split.js';
import type { SweepSplit } from '../../../src/images/sweep-split.js';
import { loadSavedNormals } from '../../../src/images/target-file.js';
import type { Json } from '../../../src/pipeline/json.js';
import { encoderLayer } from '../../../src/transfer/encoder/onnx-encoder.js';
import { normalPictures } from '../../../src/transfer/figures/normal-pictures.js';
import { normalsMetrics } from '../../../src/transfer/normals/angular-error.js';
import { evaluateCodebook } from '../../../src/transfer/normals/evaluate-codebook.js';
import { evaluateMeanNormals, evaluateNormals, gridOf } from '../../../src/transfer/normals/evaluate-normals.js';
import { fineTuneNormals } from '../../../src/transfer/normals/fine-tune-normals.js';
import type { NormalsOutcome } from '../../../src/transfer/normals/measure-normals.js';
import type { TransferParams } from '../params.js';
import { figureName } from './measured.js';
import type { CellContext, Measured } from './measured.js';

type Protocol = TransferParams['normals']['protocols'][number];

/** The layers that are read: hand-made features and encoders have one of their own. */
const layersOf = ({ payload: { origin }, ctx }: CellContext): readonly string[] => {
  if (origin.from === 'classical') return ['hog'];
  return origin.from === 'encoder' ? [encoderLayer] : ctx.params.normals.layers;
};

const measure = async (
  cell: CellContext,
  protocol: Protocol,
  target: LoadedNormals,
  split: SweepSplit,
): Promise<{ outcome: NormalsOutcome; params: { [key: string]: Json } }> => {
  const { payload, ctx } = cell;
  const { words, finetuneSteps } = ctx.params.normals;
  const layers = layersOf(cell);
  const { seed } = payload;
  const trunk = cell.network();
  if (payload.origin.from === 'none') {
    return { outcome: evaluateMeanNormals(target, split, ...gridOf(trunk, layers)), params: {} };
  }
  switch (protocol) {
    case 'ridge':
      return { outcome: evaluateNormals(trunk, target, split, { layers }), params: {} };
    case 'codebook':
      return { outcome: evaluateCodebook(trunk, target, split, { layers, seed, words }), params: { words } };
    case 'codebook-finetuned': {
      const outcome = await fineTuneNormals(trunk, target, split, {
        ...{ layers, seed, words, steps: finetuneSteps, signal: ctx.signal },
        onProgress: (done, total) => ctx.progress({ done, total, text: protocol }),
      });
      return { outcome, params: { words, steps: finetuneSteps } };
    }
  }
};

const draw = async ({ payload, ctx }: CellContext, target: LoadedNormals, split: SweepSplit, outcome: NormalsOutcome) =>
  writeFigure(
    ctx.outputs,
    figureName('normals', payload),
    {
      kind: 'normals',
      title: `${payload.target}: surface normals, ${payload.method}`,
      caption: `Image, predicted normals, true normals (black: unknown) of test frames spread evenly, \`${payload.method}\`, seed ${payload.seed}.`,
    },
    contactSheet(
      normalPictures(target, split.test, outcome.predicted).map(({ frame, image, predicted, truth }) => ({
        raster: [image, predicted, truth],
        caption: frame,
      })),
      { columns: 2, height: 120 },
    ),
  );

/** Which protocols say something of a row: hand-made features and encoders cannot be fine-tuned, and the mean normal is one value for all. */
const protocolsOf = ({ payload, ctx }: CellContext): readonly Protocol[] =>
  ctx.params.normals.protocols.filter(
    (protocol) => !['classical', 'encoder'].includes(payload.origin.from) || protocol !== 'codebook-finetuned',
  );

/** Protocols on one target of surface normals: ridge and codebook on frozen features, codebook fine-tuned. */
export const evaluateNormalsTarget = async (cell: CellContext): Promise<Measured[]> => {
  const target = await loadSavedNormals(cell.payload.folder);
  const split = splitTarget(target);
  const measured: Measured[] = [];
  const asked = protocolsOf(cell);
  // The figure is of the paper's protocol, where it is run.
  const pictured = asked.includes('codebook') ? 'codebook' : asked[0];
  for (const protocol of asked) {
    cell.ctx.signal.throwIfAborted();
    const { outcome, params } = await cell.timed(protocol, () => measure(cell, protocol, target, split));
    measured.push(
      ...normalsMetrics.map((metric) => ({
        ...{ protocol, metric, data: target.digest },
        value: outcome.scores[metric.name],
        scores: outcome.imageScores[metric.name],
        params: { layers: [...layersOf(cell)], ...split.params, ...params },
      })),
    );
    if (cell.payload.figures && protocol === pictured) await draw(cell, target, split, outcome);
  }
  return measured;
};
