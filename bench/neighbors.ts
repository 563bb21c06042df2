// Clusters and searches beside scikit-learn and numpy: the same points and starts, two threads each, turn by turn in one run. Prints
// results, their differences and the ratio of times (best round of each, and processor time). Mini-batch k-means makes the same number of
// batches of the same size on both sides, and none ends early. Exit 1 where k-means or the search for neighbours is slower, mini-batch
// k-means or whitening takes more than its share of processor time, or a result is worse: objective of k-means by more than 1e-4 of it, of mini-batch k-means by more than 2 %, a cosine of
// a neighbour by more than 1e-5, a variance of whitening by more than 1e-4 of it.
//
//   node dist/bench/neighbors.js [--points 100000] [--dim 128] [--clusters 1000] [--iterations 20] [--queries 10000]
//     [--bank 100000] [--width 512] [--k 20] [--rounds 3] [--threads 2]
//     [--batch 1000] [--epochs 2] [--features 20000] [--parts k-means,mini-batch,whitening,top-k]
//
// The first run installs scikit-learn into a virtual environment of its own, in the cache folder.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { selectRows, type FeatureMatrix } from '../src/neighbors/feature-matrix.js';
import { kMeans } from '../src/neighbors/k-means.js';
import { miniBatchKMeans } from '../src/neighbors/mini-batch-k-means.js';
import { topK } from '../src/neighbors/top-k.js';
import { fitWhitening } from '../src/neighbors/whitening.js';
import { RandomStream } from '../src/numeric/random.js';
import { openRuntime } from '../src/runtime/open.js';
import { sklearnPython } from './python-venv.js';

const random = RandomStream.of(1, 'bench neighbors');
const text = { type: 'string' } as const;
const { values: given } = parseArgs({
  options: {
    points: { ...text, default: '100000' },
    dim: { ...text, default: '128' },
    clusters: { ...text, default: '1000' },
    iterations: { ...text, default: '20' },
    queries: { ...text, default: '10000' },
    bank: { ...text, default: '100000' },
    width: { ...text, default: '512' },
    k: { ...text, default: '20' },
    rounds: { ...text, default: '3' },
    threads: { ...text, default: '2' },
    batch: { ...text, default: '1000' },
    epochs: { ...text, default: '2' },
    features: { ...text, default: '20000' },
    parts: { ...text, default: 'k-means,mini-batch,whitening,top-k' },
  },
});
const size = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, Number(value)])) as {
  readonly [Name in keyof typeof given]: number;
};

type Timed = { readonly seconds: number; readonly cpuSeconds: number };
type Answer = Timed & { readonly [name: string]: number };

/** A process that answers one request a line; matrices pass as files. */
const openPeer = async (folder: string) => {
  const child = spawn(
    await sklearnPython(),
    [path.join(import.meta.dirname, '..', '..', 'bench', 'neighbors_sklearn.py'), folder],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        OMP_NUM_THREADS: given.threads,
        OPENBLAS_NUM_THREADS: given.threads,
        MKL_NUM_THREADS: given.threads,
      },
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('Expected an answer of bench/neighbors_sklearn.py, got its end');
    return value;
  };
  console.log(await read());
  return {
    ask: async (request: Record<string, unknown>): Promise<Answer> => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return JSON.parse(await read()) as Answer;
    },
    close: () => child.stdin.end(),
  };
};

const timed = <T>(task: () => T): Timed & { readonly value: T } => {
  const began = performance.now();
  const used = process.cpuUsage();
  const value = task();
  const { user, system } = process.cpuUsage(used);
  return { value, seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
};

/** Both sides in turn, as often as there are rounds. */
const alternate = async <T>(name: string, ours: () => T, theirs: () => Promise<Answer>) => {
  const [mine, other]: [Timed[], Timed[]] = [[], []];
  let value: T | undefined;
  let answer: Answer | undefined;
  for (let round = 0; round < size.rounds; round++) {
    const result = timed(ours);
    mine.push(result);
    ({ value } = result);
    answer = await theirs();
    other.push(answer);
  }
  const best = (side: readonly Timed[], key: keyof Timed): number => Math.min(...side.map((round) => round[key]));
  const ratio = (key: keyof Timed): number => best(mine, key) / best(other, key);
  const [wall, processor] = [ratio('seconds'), ratio('cpuSeconds')];
  console.log(
    `${name}: ${best(mine, 'seconds').toFixed(2)} s beside ${best(other, 'seconds').toFixed(2)} s, ratio ${wall.toFixed(2)}; ` +
      `processor time ${best(mine, 'cpuSeconds').toFixed(2)} s beside ${best(other, 'cpuSeconds').toFixed(2)} s, ratio ${processor.toFixed(2)}`,
  );
  return { value: value!, answer: answer!, wall, processor };
};

/** Overlapping clouds, as many as clusters are asked for. */
const drawClouds = (rows: number, dim: number, clouds: number): FeatureMatrix => {
  const centres = Float64Array.from({ length: clouds * dim }, () => random.normal(0, 0.3));
  const data = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++) {
    const cloud = random.integer(clouds) * dim;
    for (let j = 0; j < dim; j++) data[i * dim + j] = 1 + centres[cloud + j]! + random.normal();
  }
  return { rows, dim, data };
};

const failures: string[] = [];
const demand = (name: string, value: number, limit: number, show: (v: number) => string): void => {
  console.log(`  ${name} ${show(value)} (at most ${show(limit)})`);
  if (!(value <= limit)) failures.push(name);
};
const times = (value: number): string => value.toFixed(2);

await openRuntime({ threads: size.threads });
const folder = await mkdtemp(path.join(tmpdir(), 'bench-neighbors-'));
const peer = await openPeer(folder);
const hand = (name: string, { data }: FeatureMatrix): Promise<void> =>
  writeFile(path.join(folder, name), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
const take = async (name: string): Promise<Float32Array> =>
  new Float32Array(new Uint8Array(await readFile(path.join(folder, name))).buffer);

const demandFullKMeans = async (points: FeatureMatrix, start: FeatureMatrix): Promise<void> => {
  const { clusters, iterations } = size;
  const full = await alternate(
    `k-means, ${shape}, ${iterations} iterations`,
    () => kMeans(points, { clusters, iterations, start, empty: 'farthest', random }),
    () => peer.ask({ task: 'k-means', dim: size.dim, clusters, iterations }),
  );
  console.log(`  objective ${full.value.objective} and ${full.answer['objective']}`);
  demand('objective worse by', full.value.objective / full.answer['objective']! - 1, 1e-4, (v) => v.toExponential(1));
  demand('k-means, ratio of times', full.wall, 1, times);
};

const demandMiniBatch = async (points: FeatureMatrix, start: FeatureMatrix): Promise<void> => {
  const { clusters, batch, epochs } = size;
  const options = { clusters, batch, epochs, patience: Infinity, start };
  const small = await alternate(
    `mini-batch k-means, ${shape}, ${epochs} epochs in batches of ${batch}`,
    () => miniBatchKMeans(points, { ...options, random: RandomStream.of(1, 'batches') }),
    () => peer.ask({ task: 'mini-batch k-means', dim: size.dim, clusters, batch, epochs }),
  );
  if (small.value.iterations !== small.answer['steps']) {
    throw new Error(
      `Expected \`batch\` to divide \`epochs\` x \`points\`, got ${small.value.iterations} batches and ${small.answer['steps']}`,
    );
  }
  console.log(`  objective ${small.value.objective} and ${small.answer['objective']}`);
  demand('objective worse by', small.value.objective / small.answer['objective']! - 1, 0.02, (v) => v.toExponential(1));
  demand('mini-batch k-means, ratio of processor times', small.processor, 1, times);
};

const demandWhitening = async (): Promise<void> => {
  const features = drawClouds(size.features, size.width, 1000);
  await hand('features', features);
  const dims = Math.max(1, size.width >> 1);
  const white = await alternate(
    `whitening of ${features.rows} x ${features.dim} to ${dims}`,
    () => {
      const whitening = fitWhitening(features, { dims });
      whitening.transform(features);
      return whitening;
    },
    () => peer.ask({ task: 'whitening', dim: features.dim, dims }),
  );
  const variances = await take('variances');
  const apart = variances.reduce((most, v, i) => Math.max(most, Math.abs(white.value.variances[i]! / v - 1)), 0);
  demand('variances apart by', apart, 1e-4, (v) => v.toExponential(1));
  demand('whitening, ratio of processor times', white.processor, 1.5, times);
};

const demandTopK = async (): Promise<void> => {
  const bank = drawClouds(size.bank, size.width, 1000);
  const queries = drawClouds(size.queries, size.width, 1000);
  await hand('bank', bank);
  await hand('queries', queries);
  const found = await alternate(
    `${size.k} nearest of ${size.queries} queries in ${size.bank} x ${size.width}`,
    () => topK(queries, bank, size.k),
    () => peer.ask({ task: 'top-k', dim: size.width, k: size.k }),
  );
  const cosines = await take('cosines');
  const furthest = cosines.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - found.value.similarities[i]!)),
    0,
  );
  demand('cosines apart by', furthest, 1e-5, (v) => v.toExponential(1));
  demand('top-k, ratio of times', found.wall, 1, times);
};

const parts = given.parts.split(',');
const shape = `${size.points} x ${size.dim}, ${size.clusters} clusters`;
try {
  if (parts.includes('k-means') || parts.includes('mini-batch')) {
    const points = drawClouds(size.points, size.dim, size.clusters);
    const start = selectRows(points, random.sample(size.points, size.clusters));
    await hand('points', points);
    await hand('start', start);
    if (parts.includes('k-means')) await demandFullKMeans(points, start);
    if (parts.includes('mini-batch')) await demandMiniBatch(points, start);
  }
  if (parts.includes('top-k')) await demandTopK();
  if (parts.includes('whitening')) await demandWhitening();
} finally {
  peer.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(failures.length === 0 ? 'nothing slower, nothing worse' : `not met: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
