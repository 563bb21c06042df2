// Reads a trained network's features on saved targets, in a process of its own, and prints one line of JSON. Its argument is a ScoreTask as JSON.
import { loadClasses, loadSavedNormals } from '../src/images/target-file.js';
import type { LoadedClasses } from '../src/images/class-dataset.js';
import { foldsOf, givenSplit, mergePictures } from './recipe-folds.js';
import { splitTarget } from '../src/images/room-split.js';
import type { LoadedNormals } from '../src/images/rgbd-dataset.js';
import { loadTrunk } from '../src/network/weights.js';
import type { Trunk } from '../src/network/trunk.js';
import { selectRows, type FeatureMatrix } from '../src/neighbors/feature-matrix.js';
import { mean } from '../src/numeric/statistics.js';
import { openRuntime } from '../src/runtime/open.js';
import { pooledReading, readFeatures, readingName } from '../src/transfer/features/read-features.js';
import { evaluateKnn, type LabelledFeatures } from '../src/transfer/knn/weighted-knn.js';
import { evaluateLinear } from '../src/transfer/linear/logistic-regression.js';
import { evaluateCodebook } from '../src/transfer/normals/evaluate-codebook.js';
import { evaluateNormals } from '../src/transfer/normals/evaluate-normals.js';

/** What is read of which network. */
export type ScoreTask = {
  readonly model: string;
  readonly threads: number;
  readonly layers: readonly string[];
  /** Folder of a saved target of classes. */
  readonly classes: string;
  /** Every picture is tested once, in so many folds of the pictures; 0: as the target splits them. */
  readonly folds: number;
  /** Folder of a saved target of surface normals. */
  readonly normals: string;
  /** Every room of at least so many frames is read by itself, in three blocks of consecutive frames; 0: as the target splits them. */
  readonly roomsFrom: number;
  /** Rooms that are not read. */
  readonly without?: readonly string[];
  readonly normalLayers: readonly (readonly string[])[];
  /** Protocols on normals: ridge, and the paper's codebook. */
  readonly codebook: boolean;
};

/** Percent right and degrees, by column: `linear/conv5`, `normals median conv3+conv5`. */
export type Scores = { readonly [column: string]: number };

const probes = (features: LabelledFeatures): { readonly knn: number; readonly linear: number } => ({
  knn: evaluateKnn(features, { k: Math.min(20, features.train.rows) }).top1,
  linear: evaluateLinear(features, { strengths: [0.1, 0.01], folds: 2 }).top1,
});

const classScores = (trunk: Trunk, target: LoadedClasses, layers: readonly string[], folds: number): Scores => {
  const readings = layers.map((layer) => pooledReading(trunk, layer, 2));
  const labels = Int32Array.from([...target.trainLabels, ...target.testLabels]);
  const all = readFeatures(trunk, mergePictures(target.train, target.test), readings);
  const parts = folds > 0 ? foldsOf(labels, folds) : [givenSplit(target.train.count, target.test.count)];
  const scores: { [column: string]: number } = {};
  for (const [i, reading] of readings.entries()) {
    const rows: FeatureMatrix = all.get(readingName(reading))!;
    const pick = (indices: readonly number[]): number[] => indices.map((index) => labels[index]!);
    const found = parts.map(({ train, test }) =>
      probes({
        ...{ train: selectRows(rows, train), trainLabels: pick(train) },
        ...{ test: selectRows(rows, test), testLabels: pick(test), classes: target.classes.length },
      }),
    );
    scores[`knn/${layers[i]}`] = mean(found.map(({ knn }) => knn));
    scores[`linear/${layers[i]}`] = mean(found.map(({ linear }) => linear));
  }
  return scores;
};

/** Splits of every large enough room, each testing one of three blocks of its consecutive frames on the other two. */
const roomSplits = ({ rooms = [] }: LoadedNormals, least: number, without: readonly string[]) => {
  const starts = rooms.map((_, i) => rooms.slice(0, i).reduce((sum, { frames }) => sum + frames, 0));
  return rooms.flatMap(({ name, frames }, room) => {
    if (frames < least || without.includes(name)) return [];
    return [0, 1, 2].map((block) => {
      const isTested = (frame: number): boolean => Math.floor((3 * frame) / frames) === block;
      const own = (tested: boolean): Int32Array =>
        Int32Array.from(
          Array.from({ length: frames }, (_, k) => k)
            .filter((k) => isTested(k) === tested)
            .map((k) => starts[room]! + k),
        );
      return { train: own(false), test: own(true) };
    });
  });
};

const normalScores = (trunk: Trunk, target: LoadedNormals, task: ScoreTask): Scores => {
  const splits = task.roomsFrom > 0 ? roomSplits(target, task.roomsFrom, task.without ?? []) : [splitTarget(target)];
  const scores: { [column: string]: number } = {};
  for (const layers of task.normalLayers) {
    const ridge = splits.map((split) => evaluateNormals(trunk, target, split, { layers, folds: 3 }).scores);
    const names = layers.join('+');
    scores[`normals median ${names}`] = mean(ridge.map(({ median }) => median));
    scores[`normals mean ${names}`] = mean(ridge.map(({ mean: angle }) => angle));
    if (!task.codebook) continue;
    const words = splits.map((split) => evaluateCodebook(trunk, target, split, { layers, seed: 1, words: 40 }).scores);
    scores[`codebook median ${names}`] = mean(words.map(({ median }) => median));
  }
  return scores;
};

const task = JSON.parse(process.argv[2]!) as ScoreTask;
await openRuntime({ device: 'cpu', threads: task.threads });
const { trunk } = await loadTrunk(task.model);
const scores = {
  ...classScores(trunk, await loadClasses(task.classes), task.layers, task.folds),
  ...normalScores(trunk, await loadSavedNormals(task.normals), task),
};
console.log(JSON.stringify(scores));
