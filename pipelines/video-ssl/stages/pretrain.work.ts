import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadPairCache } from '../../../src/images/pair-cache-file.js';
import { openPatchSource } from '../../../src/images/pair-source.js';
import { reestimateBatchNorm } from '../../../src/network/batch-norm-statistics.js';
import { buildTrunk } from '../../../src/network/build-trunk.js';
import { saveTrunk } from '../../../src/network/weights.js';
import { RandomStream } from '../../../src/numeric/random.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { openRuntime } from '../../../src/runtime/open.js';
import type { Tensor4D } from '../../../src/runtime/tensors.js';
import { adamw } from '../../../src/training/adamw.js';
import type { Source } from '../../../src/training/method.js';
import { cosine, stepwise, warmUp } from '../../../src/training/schedule.js';
import { sgd } from '../../../src/training/sgd.js';
import { train } from '../../../src/training/train.js';
import { methodEntries } from '../methods.js';
import type { PretrainParams } from '../params.js';
import { sharedParams } from './pretrain.js';
import type { PretrainPayload } from './pretrain.js';

/** Images over which batch-norm statistics are taken anew after training, for every network, the untrained one included. */
const statisticsImages = 1024;

const batchesOf = function* <V>(source: Source<V>, batchSize: number, random: RandomStream): Generator<Tensor4D> {
  const count = Math.min(statisticsImages, source.length);
  const order = random.sample(source.length, count);
  for (let from = 0; from + 1 < count; from += batchSize)
    yield source.plain(Int32Array.from(order.slice(from, from + batchSize)));
};

/** Trains one method with one seed, or draws the untrained network, and writes weights and curve. */
const work: Work<PretrainParams> = async (item, ctx) => {
  const { method: name, seed } = item.payload as PretrainPayload;
  const { params } = ctx;
  const entry = methodEntries.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`Expected a method of video-ssl, got \`${name}\``);
  const runtime = await openRuntime({ device: ctx.settings.device, threads: ctx.settings.jobs });

  const packed = ctx.input('pack').artefacts.find((artefact) => artefact.name.endsWith('pairs.json'));
  if (!packed) throw new Error('Expected the stage `pack` to have written the cache of decoded pairs');
  const cache = await loadPairCache(path.dirname(packed.path));
  const trunk = buildTrunk(params.architecture, { random: RandomStream.of(seed, 'trunk') });

  let notes: Record<string, number | string> = {
    runtime: `${runtime.backend} ${runtime.version}`,
    threads: runtime.threads,
  };
  let data = {};
  if (entry.assemble) {
    const { method, source, batchSize } = entry.assemble(params, cache, trunk, seed);
    const eventsDir = path.join(ctx.outputs, 'events');
    await mkdir(eventsDir, { recursive: true });
    const { steps, learningRate, weightDecay, momentum, warmupSteps } = params;
    const result = await train({
      method,
      source,
      trunk,
      optimizer: params.optimizer === 'adamw' ? adamw({ weightDecay }) : sgd({ momentum, weightDecay }),
      schedule: warmUp(
        warmupSteps,
        params.schedule === 'cosine' ? cosine(learningRate) : stepwise(learningRate, { at: params.stepAt }),
      ),
      length: { steps },
      batchSize,
      seed,
      config: { own: entry.own(params), augmentation: params.augmentation },
      dir: ctx.scratch,
      checkpointEvery: params.checkpointEvery,
      logEvery: params.logEvery,
      eventsDir,
      onCollapse: entry.role === 'control' ? 'warn' : 'stop',
      runtime,
      signal: ctx.signal,
      onProgress: (progress) => ctx.progress(progress),
      log: (line) => ctx.log(line),
    });
    method.dispose();
    await writeFile(path.join(ctx.outputs, 'history.json'), `${JSON.stringify(result.history)}\n`);
    data = { steps: result.steps, finalLoss: result.finalLoss };
    notes = {
      ...notes,
      imagesPerSecond: result.imagesPerSecond,
      seconds: result.seconds,
      resumedFrom: result.resumedFrom,
    };
  }

  const statistics = openPatchSource(cache, { target: trunk });
  reestimateBatchNorm(trunk, batchesOf(statistics, 128, RandomStream.of(seed, 'statistics')));
  const model = await saveTrunk(ctx.outputs, trunk, {
    method: name,
    seed,
    summary: entry.summary,
    steps: entry.assemble ? params.steps : 0,
    pairs: cache.digest,
    params: sharedParams(params),
    own: entry.own(params),
  });
  trunk.dispose();
  // Event files carry times.
  const events = await readdir(path.join(ctx.outputs, 'events')).catch(() => []);
  return {
    status: 'done',
    data: { method: name, seed, weights: model.sha256, ...data },
    notes,
    volatile: events.map((file) => `events/${file}`),
  };
};

export default work;
