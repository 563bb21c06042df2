import { buildTrunk } from '../../../src/network/build-trunk.js';
import { onGreyInput } from '../../../src/network/grey-input.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { loadTrunk, saveTrunk } from '../../../src/network/weights.js';
import { RandomStream } from '../../../src/numeric/random.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { TrainingProblem } from '../../../src/training/health.js';
import { findRow } from '../../rows/index.js';
import { variantOf } from '../../rows/variants.js';
import { cardFile, describeTrainingSet, writeModelCard } from '../network-card.js';
import type { PretrainParams } from '../params.js';
import type { StartWeights } from '../start-weights.js';
import { openTrainingSet, trainNetwork, type TrainedNetwork } from '../train-network.js';
import { setStages, sharedParams } from './pretrain.js';
import type { PretrainPayload } from './pretrain.js';

/** Trains one row with one seed, or draws the untrained network, and writes weights and curve. One that goes nowhere is rejected with the reason. */
const work: Work<PretrainParams> = async (item, ctx) => {
  const { method, learnsFrom, seed, variant, from, watch } = item.payload as PretrainPayload;
  const { params } = ctx;
  const found = findRow(method, learnsFrom);
  const row = variant ? variantOf(found, variant) : found;
  const runtime = await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });
  const set = await openTrainingSet(ctx.input(setStages[learnsFrom]), learnsFrom, params);
  const first = from
    ? await loadStart(from)
    : buildTrunk(row.architecture ?? params.architecture, { random: RandomStream.of(seed, 'trunk') });
  const trunk = params.colour === 'grey' ? onGreyInput(first) : first;
  let trained: TrainedNetwork;
  try {
    trained = await trainNetwork({
      row,
      seed,
      params,
      set,
      trunk,
      runtime,
      ...(watch === undefined ? {} : { watch }),
      ctx,
    });
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
    summary: params.colour === 'grey' ? `${row.summary}, on grey pictures` : row.summary,
    steps: row.training ? params.steps : 0,
    [learnsFrom]: set.cache.digest,
    params: sharedParams(params),
    own: row.own(params),
    ...(from ? { from: from.sha256 } : {}),
  });
  trunk.dispose();
  await writeModelCard(ctx.outputs, model, { data: describeTrainingSet(set) });
  return {
    status: 'done',
    data: { method: row.name, seed, weights: model.sha256, ...data },
    notes,
    // The card says again what the other files say, and its wording decides nothing.
    volatile: [...volatile, cardFile],
  };
};

/** Weights to begin with; they must be those that the item was planned with. */
const loadStart = async ({ folder, sha256 }: StartWeights): Promise<Trunk> => {
  const { trunk, description } = await loadTrunk(folder);
  if (description.sha256 === sha256) return trunk;
  trunk.dispose();
  throw new Error(
    `Expected the weights in ${folder} to have sha256 ${sha256}, got ${description.sha256}: they were changed`,
  );
};

export default work;
