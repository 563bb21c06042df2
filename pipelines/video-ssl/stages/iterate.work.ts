import { loadSavedDetection } from '../../../src/images/detection-file.js';
import { onGreyInput } from '../../../src/network/grey-input.js';
import { loadTrunk, saveTrunk } from '../../../src/network/weights.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { trainFastRcnn } from '../../../src/transfer/detection/fast-rcnn/train-fast-rcnn.js';
import { loadProposals } from '../../../src/transfer/detection/proposals.js';
import { cardFile, describeTrainingSet, writeModelCard } from '../../benchmark/network-card.js';
import type { PretrainParams } from '../../benchmark/params.js';
import { sharedParams } from '../../benchmark/stages/pretrain.js';
import { openTrainingSet, trainNetwork } from '../../benchmark/train-network.js';
import { findRow } from '../../rows/index.js';
import type { IterateParams } from '../params.js';
import { iterativeName } from './iterate.js';
import type { IteratePayload } from './iterate.js';

/** Takes one network from ranking to detection and to ranking again. */
const work: Work<IterateParams> = async (item, ctx) => {
  const { method, seed, model, folder } = item.payload as IteratePayload;
  const row = findRow(method, 'pairs');
  const runtime = await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });
  const first = ctx.input('pretrain').params as unknown as PretrainParams;
  const set = await openTrainingSet(ctx.input('pack'), 'pairs', first);
  const { trunk } = await loadTrunk(model);
  const target = await loadSavedDetection(folder);
  const proposals = await loadProposals(folder);
  const { detectionSteps, steps } = ctx.params;
  const detector = await trainFastRcnn(trunk, target.train, target.classes.length, proposals.train, {
    ...{ seed, mode: 'finetune', steps: detectionSteps, signal: ctx.signal },
    onProgress: (done, total) => ctx.progress({ done, total, unit: 'detection steps' }),
  });
  detector.dispose();
  const params = { ...first, steps: steps ?? first.steps };
  const { data, notes, volatile } = await trainNetwork({
    ...{ row, seed, params, set, runtime, ctx },
    trunk: params.colour === 'grey' ? onGreyInput(trunk) : trunk,
    config: { iterative: { detectionSteps, target: target.digest } },
  });
  const saved = await saveTrunk(ctx.outputs, trunk, {
    ...{ method: iterativeName(method), seed, steps: params.steps, pairs: set.cache.digest },
    summary: `${row.summary}; fine-tuned for detection between two rounds`,
    ...{ params: sharedParams(params), own: row.own(params), detectionSteps, target: target.digest },
  });
  trunk.dispose();
  await writeModelCard(ctx.outputs, saved, { data: describeTrainingSet(set) });
  return {
    status: 'done',
    data: { method: iterativeName(method), seed, weights: saved.sha256, ...data },
    notes,
    volatile: [...volatile, cardFile],
  };
};

export default work;
