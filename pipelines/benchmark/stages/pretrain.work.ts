import { buildTrunk } from '../../../src/network/build-trunk.js';
import { saveTrunk } from '../../../src/network/weights.js';
import { RandomStream } from '../../../src/numeric/random.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { TrainingProblem } from '../../../src/training/health.js';
import { findRow } from '../../rows/index.js';
import { variantOf } from '../../rows/variants.js';
import type { PretrainParams } from '../params.js';
import { openTrainingSet, trainNetwork, type TrainedNetwork } from '../train-network.js';
import { setStages, sharedParams } from './pretrain.js';
import type { PretrainPayload } from './pretrain.js';

/** Trains one row with one seed, or draws the untrained network, and writes weights and curve. One that goes nowhere is rejected with the reason. */
const work: Work<PretrainParams> = async (item, ctx) => {
  const { method, learnsFrom, seed, variant } = item.payload as PretrainPayload;
  const { params } = ctx;
  const found = findRow(method, learnsFrom);
  const row = variant ? variantOf(found, variant) : found;
  const runtime = await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });
  const set = await openTrainingSet(ctx.input(setStages[learnsFrom]), learnsFrom);
  const trunk = buildTrunk(row.architecture ?? params.architecture, { random: RandomStream.of(seed, 'trunk') });
  let trained: TrainedNetwork;
  try {
    trained = await trainNetwork({ row, seed, params, set, trunk, runtime, ctx });
  } catch (error) {
    trunk.dispose();
    // A verdict on the method with these parameters: it stands, and the other rows are trained.
    if (error instanceof TrainingProblem) return { status: 'rejected', reason: error.message };
    throw error;
  }
  const { data, notes, volatile } = trained;
  const model = await saveTrunk(ctx.outputs, trunk, {
    method: row.name,
    seed,
    summary: row.summary,
    steps: row.training ? params.steps : 0,
    [learnsFrom]: set.cache.digest,
    params: sharedParams(params),
    own: row.own(params),
  });
  trunk.dispose();
  return { status: 'done', data: { method: row.name, seed, weights: model.sha256, ...data }, notes, volatile };
};

export default work;
