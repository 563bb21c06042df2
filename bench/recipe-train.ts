// Trains one recipe with one seed in a process of its own, and writes the network into a folder. Its argument is a TrainTask as JSON.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pretrainParams } from '../pipelines/benchmark/params.js';
import { trainNetwork } from '../pipelines/benchmark/train-network.js';
import { findRow } from '../pipelines/rows/index.js';
import { loadPairCache } from '../src/images/pair-cache-file.js';
import { buildTrunk } from '../src/network/build-trunk.js';
import { saveTrunk } from '../src/network/weights.js';
import { RandomStream } from '../src/numeric/random.js';
import { openRuntime } from '../src/runtime/open.js';
import { choosePairs } from './recipe-pairs.js';
import type { RecipeRun, TrainedRecipe } from './recipe-task.js';

/** A run, where its pairs are packed and where its network goes. */
export type TrainTask = RecipeRun & { readonly pack: string; readonly out: string; readonly threads: number };

const { recipe, seed, pack, out, threads } = JSON.parse(process.argv[2]!) as TrainTask;
const params = pretrainParams.parse(recipe.pretrain);
const row = findRow(recipe.row ?? 'triplet', 'pairs');
const runtime = await openRuntime({ device: 'cpu', threads });
const packed = await loadPairCache(pack);
const cache = recipe.choose ? choosePairs(packed, recipe.choose) : packed;
const trunk = buildTrunk(params.architecture, { random: RandomStream.of(seed, 'trunk') });
const scratch = path.join(out, 'scratch');
await mkdir(scratch, { recursive: true });
const began = performance.now();
const { data } = await trainNetwork({
  ...{ row, seed, params, trunk, runtime, set: { kind: 'pairs' as const, cache } },
  ctx: { outputs: out, scratch, signal: new AbortController().signal, progress: () => undefined, log: console.error },
});
const model = await saveTrunk(out, trunk, { method: row.name, seed, params: recipe.pretrain });
const trained: TrainedRecipe = {
  ...{ name: recipe.name, row: row.name, seed, pairs: recipe.pairs, pretrain: recipe.pretrain },
  ...(recipe.choose ? { choose: recipe.choose } : {}),
  steps: data.steps ?? 0,
  samples: cache.keys.length,
  weights: model.sha256,
  seconds: (performance.now() - began) / 1000,
  finalLoss: data.finalLoss ?? NaN,
};
await writeFile(path.join(out, 'trained.json'), `${JSON.stringify(trained, undefined, 2)}\n`);
