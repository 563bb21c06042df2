import { buildTrunk } from '../../../src/network/build-trunk.js';
import { saveTrunk } from '../../../src/network/weights.js';
import { RandomStream } from '../../../src/numeric/random.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { methodNamed } from '../methods.js';
import type { PretrainParams } from '../params.js';
import { openPairs, trainNetwork } from '../train-network.js';
import { sharedParams } from './pretrain.js';
import type { PretrainPayload } from './pretrain.js';

/** Trains one method with one seed, or draws the untrained network, and writes weights and curve. */
const work: Work<PretrainParams> = async (item, ctx) => {
  const { method, seed } = item.payload as PretrainPayload;
  const { params } = ctx;
  const entry = methodNamed(method);
  const runtime = await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });
  const cache = await openPairs(ctx.input('pack'));
  const trunk = buildTrunk(params.architecture, { random: RandomStream.of(seed, 'trunk') });
  const { data, notes, volatile } = await trainNetwork({ entry, seed, params, cache, trunk, runtime, ctx });
  const model = await saveTrunk(ctx.outputs, trunk, {
    method,
    seed,
    summary: entry.summary,
    steps: entry.assemble ? params.steps : 0,
    pairs: cache.digest,
    params: sharedParams(params),
    own: entry.own(params),
  });
  trunk.dispose();
  return { status: 'done', data: { method, seed, weights: model.sha256, ...data }, notes, volatile };
};

export default work;
