// Trains and judges one-vs-rest linear SVMs (cost chosen class by class on rows held out) beside scikit-learn's LinearSVC, with the
// same features, folds and costs and one thread each, and prints both results, their difference and the ratio of times. Exit 1 if
// top-1 or mAP differ by more than 0.1 point.
//
//   node dist/bench/svm.js [--data <folder with train.txt and test.txt>] [--model <folder with model.json>] [--layer conv5]
//     [--pool 2] [--classes 26] [--tolerance 1e-4, scikit-learn's]
//
// Without --model the features are those of a small trunk with random weights; without --data, of generated clouds. The
// first run installs scikit-learn into a virtual environment of its own, in the cache folder.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadClassDataset, openClassDataset } from '../src/images/class-dataset.js';
import { buildTrunk } from '../src/network/build-trunk.js';
import { loadTrunk } from '../src/network/weights.js';
import { RandomStream } from '../src/numeric/random.js';
import { openRuntime } from '../src/runtime/open.js';
import { pooledReading, readFeatures, readingName } from '../src/transfer/features/read-features.js';
import type { LabelledFeatures } from '../src/transfer/knn/weighted-knn.js';
import { defaultCosts, drawFolds } from '../src/transfer/svm/choose-cost.js';
import { sidesOf, singleLabelTargets } from '../src/transfer/svm/class-targets.js';
import { judgeByLargest, judgeByPrecision, oneVsRestScores } from '../src/transfer/svm/evaluate-svm.js';
import { sklearnPython } from './python-venv.js';

const run = promisify(execFile);
const allowedDifference = 0.1;
const seed = 1;

/** Features of a data set by a network. */
const readPictures = async (
  data: string,
  model: string | undefined,
  layer: string,
  pool: number,
): Promise<LabelledFeatures> => {
  const trunk = model
    ? (await loadTrunk(model)).trunk
    : buildTrunk('small', { random: RandomStream.of(seed, 'bench svm') });
  const target = await loadClassDataset(await openClassDataset(data), trunk.inputSize);
  const reading = pooledReading(trunk, layer, pool);
  const part = (pictures: typeof target.train) => readFeatures(trunk, pictures, [reading]).get(readingName(reading))!;
  return {
    train: part(target.train),
    trainLabels: target.trainLabels,
    test: part(target.test),
    testLabels: target.testLabels,
    classes: target.classes.length,
  };
};

/** Overlapping clouds on the positive side of every axis, as pooled rectified features are: 25 rows a class to train on, 15 to test. */
const drawClouds = (classes: number, dim: number): LabelledFeatures => {
  const random = RandomStream.of(seed, 'bench svm clouds');
  const centres = Array.from({ length: classes }, () => Array.from({ length: dim }, () => random.normal()));
  const part = (perClass: number) => {
    const labels = Int32Array.from({ length: classes * perClass }, (_, i) => Math.floor(i / perClass));
    const rows = Array.from(labels, (label) => centres[label]!.map((v) => Math.max(0, 1 + 0.1 * v + random.normal())));
    return { labels, features: { rows: labels.length, dim, data: Float32Array.from(rows.flat()) } };
  };
  const [train, test] = [part(25), part(15)];
  return {
    train: train.features,
    trainLabels: train.labels,
    test: test.features,
    testLabels: test.labels,
    classes,
  };
};

type Side = {
  readonly costs: readonly number[];
  readonly scores: Float64Array;
  readonly seconds: number;
  readonly cpuSeconds: number;
};

const ours = (data: LabelledFeatures): Side => {
  const began = performance.now();
  const used = process.cpuUsage();
  const { train, trainLabels, test, classes } = data;
  const { scores, costs } = oneVsRestScores(
    { train, trainTargets: singleLabelTargets(trainLabels, classes), test },
    { seed },
  );
  const { user, system } = process.cpuUsage(used);
  return { scores, costs, seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
};

const theirs = async (data: LabelledFeatures, tolerance: number): Promise<Side & { readonly version: string }> => {
  const python = await sklearnPython();
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-svm-'));
  try {
    const targets = singleLabelTargets(data.trainLabels, data.classes);
    const folds = Array.from({ length: data.classes }, (_, label) => [
      ...drawFolds(sidesOf(targets, label).labels, 3, RandomStream.of(seed, 'svm folds', label)),
    ]);
    const files = {
      train: data.train.data,
      test: data.test.data,
      trainLabels: Int32Array.from(data.trainLabels),
      folds: Int8Array.from(folds.flat()),
    };
    const setup: Record<string, unknown> = { tolerance, iterations: 1_000_000, costs: defaultCosts };
    for (const [name, values] of Object.entries(files)) {
      setup[name] = path.join(folder, name);
      await writeFile(path.join(folder, name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    const file = path.join(folder, 'setup.json');
    await writeFile(file, JSON.stringify({ ...setup, dim: data.train.dim, classes: data.classes }));
    const { stdout } = await run(
      python,
      [path.join(import.meta.dirname, '..', '..', 'bench', 'svm_sklearn.py'), file],
      {
        maxBuffer: 1 << 28,
        env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
      },
    );
    const answer = JSON.parse(stdout) as Omit<Side, 'scores'> & { scores: number[]; version: string };
    return { ...answer, scores: Float64Array.from(answer.scores) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string' },
    layer: { type: 'string', default: 'conv5' },
    pool: { type: 'string', default: '2' },
    classes: { type: 'string', default: '26' },
    tolerance: { type: 'string', default: '1e-4' },
  },
});
await openRuntime({ threads: 1 });
const data = options.data
  ? await readPictures(options.data, options.model, options.layer, Number(options.pool))
  : drawClouds(Number(options.classes), 512);
const { train, test, testLabels, classes } = data;
console.log(`${train.rows} training and ${test.rows} test rows of ${train.dim} values, ${classes} classes`);
const targets = singleLabelTargets(testLabels, classes);
const measure = (side: Side): { top1: number; map: number } => ({
  top1: judgeByLargest(side.scores, testLabels, classes).top1,
  map: judgeByPrecision(side.scores, targets, 'all-points').map,
});
const tolerance = Number(options.tolerance);
const [mine, other] = [ours(data), await theirs(data, tolerance)];
for (const [name, side] of [['this project', mine] as const, [`scikit-learn ${other.version}`, other] as const]) {
  const { top1, map } = measure(side);
  const times = `${side.seconds.toFixed(1)} s, processor ${side.cpuSeconds.toFixed(1)} s`;
  console.log(`${name.padEnd(20)} top-1 ${top1.toFixed(2)} %  mAP ${map.toFixed(3)} %  ${times}`);
}
const differences = [measure(mine).top1 - measure(other).top1, measure(mine).map - measure(other).map];
const otherCosts = mine.costs.filter((cost, label) => cost !== other.costs[label]).length;
const apart = mine.scores.reduce((most, value, i) => Math.max(most, Math.abs(value - other.scores[i]!)), 0);
console.log(
  `difference: top-1 ${differences[0]!.toFixed(3)}, mAP ${differences[1]!.toFixed(4)} points; ${otherCosts} of ${classes} costs differ; ` +
    `largest difference of a score ${apart.toExponential(1)}; processor time ${(mine.cpuSeconds / other.cpuSeconds).toFixed(2)} of scikit-learn's`,
);
process.exitCode = differences.every((value) => Math.abs(value) <= allowedDifference) ? 0 : 1;
