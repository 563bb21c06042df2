import { contactSheet } from '../../../src/drawing/contact-sheet.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import type { LoadedDetection } from '../../../src/images/detection-dataset.js';
import { loadSavedDetection } from '../../../src/images/detection-file.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { loadTrunk } from '../../../src/network/weights.js';
import type { Json } from '../../../src/pipeline/json.js';
import { detectionsOf, ensembleDetections } from '../../../src/transfer/detection/ensemble.js';
import type { ProposalScores } from '../../../src/transfer/detection/ensemble.js';
import { fastRcnn } from '../../../src/transfer/detection/fast-rcnn/fast-rcnn.js';
import { evaluateCoco } from '../../../src/transfer/detection/metrics/coco-ap.js';
import { atPictureSize } from '../../../src/transfer/detection/metrics/detections.js';
import type { Detection } from '../../../src/transfer/detection/metrics/detections.js';
import { evaluateVoc, vocImageScores } from '../../../src/transfer/detection/metrics/voc-ap.js';
import { loadProposals } from '../../../src/transfer/detection/proposals.js';
import type { Proposals } from '../../../src/transfer/detection/proposals.js';
import { rcnn } from '../../../src/transfer/detection/rcnn/rcnn.js';
import { detectionCells, detectionPictures } from '../../../src/transfer/figures/detection-pictures.js';
import { ap50, cocoAp } from '../../../src/transfer/metric.js';
import type { TransferParams } from '../params.js';
import { figureName } from './measured.js';
import type { CellContext, Measured } from './measured.js';

type Protocol = TransferParams['detection']['protocols'][number];
type Target = { readonly data: LoadedDetection; readonly proposals: Proposals };

/** Pictures are read at the size at which they were decoded: enlarging them would add nothing. */
const longSideOf = ({ train, test }: LoadedDetection): number =>
  Math.max(...[...train, ...test].map(({ raster }) => Math.max(raster.width, raster.height)));

/** Scores of all proposals of the test pictures, and the settings that count as part of the measurement. */
const detect = async (
  cell: CellContext,
  protocol: Protocol,
  trunk: Trunk,
  { data, proposals }: Target,
): Promise<{ scores: readonly ProposalScores[]; params: { [key: string]: Json } }> => {
  const { ctx, payload } = cell;
  const { layer, maxProposals, boxRegression, steps, finetuneSteps } = ctx.params.detection;
  const { rcnnLayer, rcnnProposals, rcnnSteps } = ctx.params.detection;
  const common = {
    ...{ seed: payload.seed, signal: ctx.signal },
    onProgress: (done: number, total: number) => ctx.progress({ done, total, text: protocol }),
  };
  if (protocol === 'rcnn') {
    // Hand-made features have nothing to tune.
    const fineTune = rcnnSteps > 0 && payload.origin.from !== 'classical' ? { steps: rcnnSteps } : (false as const);
    const read = payload.origin.from === 'classical' ? payload.origin.features : rcnnLayer;
    const result = await rcnn(trunk, data, proposals, {
      ...{ ...common, fineTune, trainProposals: Math.ceil(rcnnProposals / 2), testProposals: rcnnProposals },
      layer: read,
    });
    result.trunk?.dispose();
    return {
      scores: result.scores,
      params: { layer: rcnnLayer, proposals: rcnnProposals, steps: fineTune ? rcnnSteps : 0 },
    };
  }
  const mode = protocol === 'fast-rcnn' ? 'frozen' : 'finetune';
  const count = mode === 'frozen' ? steps : finetuneSteps;
  const result = await fastRcnn(trunk, data, proposals, {
    ...{ ...common, mode, layer, maxProposals, boxRegression, steps: count, longSidePx: longSideOf(data) },
  });
  result.trunk?.dispose();
  return { scores: result.scores, params: { layer, maxProposals, boxRegression, steps: count } };
};

const measure = (protocol: Protocol, { data }: Target, found: readonly Detection[], params: Json): Measured[] => {
  // In the pictures' own pixels: COCO tells small from large by them.
  const { truth, detections } = atPictureSize(data.test, found);
  const classes = data.classes.length;
  const voc = evaluateVoc(truth, detections, classes);
  const common = { protocol, data: data.digest, params };
  return [
    { ...common, metric: ap50, value: voc.map, scores: vocImageScores(voc) },
    // Without image-wise scores: resampling ten overlaps at 101 points would take longer than all other statistics together.
    { ...common, metric: cocoAp, value: evaluateCoco(truth, detections, classes).ap },
  ];
};

const draw = async ({ payload, ctx }: CellContext, protocol: Protocol, { data }: Target, found: readonly Detection[]) =>
  writeFigure(
    ctx.outputs,
    figureName('detections', payload),
    {
      kind: 'detections',
      title: `${payload.target}: detections, ${payload.method}`,
      caption: `Left the best boxes of ${protocol} on features of \`${payload.method}\`, seed ${payload.seed}, in test pictures spread evenly; right the true ones.`,
    },
    contactSheet(detectionCells(detectionPictures(data.test, found, data.classes)), { columns: 2, height: 200 }),
  );

/** Protocols on one detection target: Fast R-CNN on frozen features and fine-tuned, the R-CNN of the paper. */
export const evaluateDetection = async (cell: CellContext): Promise<Measured[]> => {
  const { payload, ctx } = cell;
  const target: Target = {
    data: await loadSavedDetection(payload.folder),
    proposals: await loadProposals(payload.folder),
  };
  const { origin } = payload;
  const measured: Measured[] = [];
  // Hand-made features are read region by region, as R-CNN does.
  const asked = ctx.params.detection.protocols.filter((protocol) => origin.from !== 'classical' || protocol === 'rcnn');
  for (const [i, protocol] of asked.entries()) {
    ctx.signal.throwIfAborted();
    const { found, params } = await cell.timed(protocol, async () => {
      if (origin.from !== 'ensemble') {
        const { scores, params: own } = await detect(cell, protocol, cell.network(), target);
        return { found: detectionsOf(scores), params: own };
      }
      const members: (readonly ProposalScores[])[] = [];
      let settings: { [key: string]: Json } = {};
      for (const model of origin.models) {
        const { trunk } = await loadTrunk(model);
        const { scores, params: own } = await detect(cell, protocol, trunk, target);
        trunk.dispose();
        members.push(scores);
        settings = { ...own, networks: members.length };
      }
      return { found: ensembleDetections(members), params: settings };
    });
    measured.push(...measure(protocol, target, found, params));
    if (payload.figures && i === 0) await draw(cell, protocol, target, found);
  }
  return measured;
};
