import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '../../../src/pipeline/json.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import { readDescription } from '../../../src/network/weights.js';
import { isEncoderFile, readEncoderFile, type EncoderFile } from '../../../src/transfer/encoder/encoder-file.js';
import { foldResults } from '../../../src/transfer/results.js';
import type { Cell } from '../../../src/transfer/results.js';
import { decodeScores } from '../../../src/transfer/statistics/encode-scores.js';
import { transferParams } from '../params.js';
import type { PretrainParams, TargetsParams, TransferParams } from '../params.js';
import { networksOf, openedTargets } from './finished.js';
import type { FinishedNetwork, FinishedTarget } from './finished.js';
import type { TargetKind } from './targets.js';

/** Where the features of a row come from. */
export type FeatureOrigin =
  /** One network. */
  | { readonly from: 'network'; readonly model: string }
  /** A network trained from scratch on the target's training part, by its labels. */
  | { readonly from: 'supervised'; readonly architecture: PretrainParams['architecture'] }
  /** No network: HOG cells or a colour histogram. */
  | { readonly from: 'classical'; readonly features: 'hog' | 'colour' }
  /** No image at all: the mean of the training part. The model only says on which grid. */
  | { readonly from: 'none'; readonly model: string }
  /** An ONNX encoder from elsewhere, frozen. */
  | { readonly from: 'encoder'; readonly encoder: EncoderFile }
  /** Several networks whose scores are averaged (detection). */
  | { readonly from: 'ensemble'; readonly models: readonly string[] };

/** What one cell of the benchmark is: features on a target. */
export type TransferPayload = {
  readonly method: string;
  readonly seed: number;
  /** sha256 of the weights; the name of the features where there are none. */
  readonly weights: string;
  readonly origin: FeatureOrigin;
  readonly kind: TargetKind;
  readonly target: string;
  /** Folder of the decoded target. */
  readonly folder: string;
  /** Draw the pictures of the report: once a method. */
  readonly figures: boolean;
  /** Draw the filters of the first layer: once a network. */
  readonly filters: boolean;
};

type Row = Pick<TransferPayload, 'method' | 'seed' | 'weights' | 'origin'>;

/** Names of the rows without a trained network of `pretrain`. */
export const floors = { noImage: 'no-image', hog: 'hog', colour: 'colour', supervised: 'supervised' } as const;

/** How the row of averaged scores is named: `triplet-ensemble`. */
export const ensembleName = (method: string): string => `${method}-ensemble`;

/** How the row of weights from elsewhere is named, after their folder or file. */
export const importedName = (given: string): string =>
  isEncoderFile(given) ? `encoder-${path.basename(given, '.onnx')}` : `imported-${path.basename(path.resolve(given))}`;

const classical = (features: 'hog' | 'colour', seed: number): Row => ({
  ...{ method: floors[features], seed, weights: features },
  origin: { from: 'classical', features },
});

/** The networks that a kind of target is tried with, where the parameters name some; controls that are no network always are. */
const networksFor = (
  kind: TargetKind,
  networks: readonly FinishedNetwork[],
  encoders: readonly Row[],
  params: TransferParams,
): readonly FinishedNetwork[] => {
  const asked = kind === 'classification' ? undefined : params[kind].methods;
  if (!asked) return networks;
  const known = new Set([...networks, ...encoders].map(({ method }) => method));
  const unknown = asked.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `Expected \`transfer.${kind}.methods\` to name rows of this run (${[...known].join(', ')}), got \`${unknown}\``,
    );
  }
  return networks.filter(({ method }) => asked.includes(method));
};

/**
 * The ONNX encoders that a kind of target is tried with: on classes all of them, for surface normals those that give maps (the protocols
 * that train through a network leave them out), for detection none, since pictures and regions have other sizes than theirs.
 */
const encodersFor = (kind: TargetKind, encoders: readonly Row[], params: TransferParams): readonly Row[] => {
  if (kind === 'classification') return encoders;
  if (kind === 'detection') return [];
  const asked = params.normals.methods;
  return encoders.filter(
    ({ method, origin }) => origin.from === 'encoder' && origin.encoder.isMap && (asked?.includes(method) ?? true),
  );
};

/** The rows that a kind of target is tried with, floors last: columns stand in the order in which they first come. */
const rowsOf = (
  kind: TargetKind,
  all: readonly FinishedNetwork[],
  encoders: readonly Row[],
  { architecture, seeds }: { architecture: PretrainParams['architecture']; seeds: readonly number[] },
  params: TransferParams,
): Row[] => {
  const networks = networksFor(kind, all, encoders, params);
  const first = networks[0];
  if (!first) return [];
  const rows: Row[] = [
    ...networks.map(({ model, ...network }): Row => ({ ...network, origin: { from: 'network', model } })),
    ...encodersFor(kind, encoders, params),
  ];
  switch (kind) {
    case 'classification': {
      const supervised: Row[] = seeds.map((seed) => ({
        ...{ method: floors.supervised, seed, weights: floors.supervised },
        origin: { from: 'supervised', architecture },
      }));
      return [
        ...rows,
        ...(params.supervised.steps > 0 ? supervised : []),
        classical('hog', first.seed),
        classical('colour', first.seed),
      ];
    }
    case 'normals':
      return [
        ...rows,
        { ...first, method: floors.noImage, weights: floors.noImage, origin: { from: 'none', model: first.model } },
        classical('hog', first.seed),
      ];
    case 'detection': {
      const members = params.detection.ensembles.map((method) => ({
        method,
        own: networks.filter((network) => network.method === method),
      }));
      for (const { method, own } of members) {
        if (own.length < 2) {
          throw new UsageError(
            `Expected \`transfer.detection.ensembles\` to name methods with at least 2 seeds, got \`${method}\`, of which there are ${own.length}`,
          );
        }
      }
      const ensembles = members.map(({ method, own }): Row => ({
        method: ensembleName(method),
        seed: first.seed,
        weights: createHash('sha256')
          .update(own.map(({ weights }) => weights).join())
          .digest('hex'),
        origin: { from: 'ensemble', models: own.map(({ model }) => model) },
      }));
      return [...rows, ...ensembles, classical('hog', first.seed)];
    }
  }
};

/** What the cells of one kind of target depend on: another kind's parameters do not run them again. */
const ownParams = (kind: TargetKind, params: TransferParams): Json => {
  const { detection, normals, ...classification } = params;
  return { classification, detection, normals }[kind] as unknown as Json;
};

/** ONNX encoders, once a seed. */
const readEncoders = (files: readonly string[], seeds: readonly number[]): Row[] =>
  files.flatMap((file) => {
    const encoder = readEncoderFile(file);
    return seeds.map((seed): Row => ({
      ...{ method: importedName(file), seed, weights: encoder.digest },
      origin: { from: 'encoder', encoder },
    }));
  });

/** Weights from elsewhere, once a seed: the weights are the same, but heads, codebooks and probes are drawn. */
const readWeights = async (folders: readonly string[], seeds: readonly number[]): Promise<FinishedNetwork[]> => {
  const networks = folders.map(async (folder) => {
    const { sha256 } = await readDescription(folder);
    return seeds.map((seed) => ({
      ...{ method: importedName(folder), seed, weights: sha256, model: path.resolve(folder) },
    }));
  });
  return (await Promise.all(networks)).flat();
};

/** A word where networks from elsewhere are made for larger pictures than the targets were decoded to: they see those enlarged. */
const tellSmallPictures = async (
  given: readonly string[],
  { imagePx }: Pick<TargetsParams, 'imagePx'>,
  log: (line: string) => void,
): Promise<void> => {
  for (const one of given) {
    const { inputSize } = isEncoderFile(one) ? readEncoderFile(one) : await readDescription(one);
    if (inputSize <= imagePx) continue;
    log(
      `${importedName(one)} takes pictures of ${inputSize} px, and sees those of ${imagePx} px enlarged: ` +
        `--set targets.imagePx=${inputSize} decodes them larger, for all rows`,
    );
  }
};

const checkNeighbours = ({ train, label }: FinishedTarget, { knnK, probes }: TransferParams): void => {
  if (train === undefined || !probes.includes('knn') || knnK <= train) return;
  throw new UsageError(
    `Expected \`transfer.knnK\` to be at most ${train}, the training pictures of ${label}, got \`${knnK}\``,
  );
};

/** A cell as it lies in `cells.json`: its image-wise scores as short text. */
type StoredCell = Omit<Cell, 'command' | 'seconds' | 'scores'> & { readonly scores?: string };

/** How a transfer stage is put together. */
export type TransferOptions = {
  /** Stages that must have passed before anything is measured, beside those that are read. */
  readonly after: readonly string[];
  /** Folders of weights from elsewhere, and ONNX encoders. */
  readonly imported: readonly string[];
  /** Whether networks of the iterative scheme stand beside those of `pretrain`. */
  readonly iterative: boolean;
};

/** `transfer`: every network on every target. Each cell is an item, so that a new network or target computes only its own. */
export const transferStage = ({ imported, iterative, after }: TransferOptions) =>
  defineStage({
    name: 'transfer',
    version: 5,
    summary: 'try the features: k-NN, linear, SVM, low-shot, detection, surface normals',
    params: transferParams,
    // What a kind of target depends on stands in the content of its items.
    sharedParams: () => null,
    inputs: ['pretrain', ...(iterative ? ['iterate'] : []), 'targets', ...after],
    onFailure: 'stop',
    foresee: (input, params) => {
      if (input.stage === 'targets') for (const target of openedTargets(input)) checkNeighbours(target, params);
    },
    items: async (ctx) => {
      const pretrain = ctx.input('pretrain');
      const { architecture } = pretrain.params as Pick<PretrainParams, 'architecture'>;
      const trained = networksOf(pretrain);
      const seeds = [...new Set(trained.map(({ seed }) => seed))];
      const networks = [
        ...trained,
        ...(iterative ? networksOf(ctx.input('iterate')) : []),
        ...(await readWeights(
          imported.filter((given) => !isEncoderFile(given)),
          seeds,
        )),
      ];
      const encoders = readEncoders(imported.filter(isEncoderFile), seeds);
      await tellSmallPictures(imported, ctx.input('targets').params as TargetsParams, (line) => ctx.log(line));
      const firstSeed = networks[0]?.seed ?? 1;
      const items: Item[] = [];
      const drawn = new Set<string>();
      for (const target of openedTargets(ctx.input('targets'))) {
        for (const row of rowsOf(target.kind, networks, encoders, { architecture, seeds }, ctx.params)) {
          const figures = row.seed === firstSeed;
          const filters = figures && row.origin.from === 'network' && !drawn.has(row.method);
          if (filters) drawn.add(row.method);
          const { kind, label, digest, folder } = target;
          items.push({
            label: `${row.method}, seed ${row.seed} on ${label}`,
            content: createHash('sha256')
              .update(
                JSON.stringify([
                  ...[row.method, row.seed, row.weights, row.origin.from, architecture],
                  ...[kind, label, digest, figures, filters, ownParams(kind, ctx.params)],
                ]),
              )
              .digest('hex'),
            payload: { ...row, kind, target: label, folder, figures, filters } satisfies TransferPayload,
          });
        }
      }
      return items;
    },
    work: { module: new URL('./transfer.work.js', import.meta.url), runs: 'tensors' },
    reduce: async (ctx) => {
      const cells: Cell[] = [];
      for (const { artefacts, notes } of ctx.items) {
        const file = artefacts.find(({ name }) => name === 'cells.json');
        if (!file) continue;
        const values = JSON.parse(await readFile(file.path, 'utf8')) as StoredCell[];
        const { seconds } = notes as { seconds: { readonly [protocol: string]: number } };
        cells.push(
          ...values.map(({ scores, ...cell }) => ({
            ...cell,
            ...(scores === undefined ? {} : { scores: decodeScores(scores) }),
            command: ctx.settings.command,
            // A protocol's time over its metrics.
            seconds: (seconds[cell.protocol] ?? 0) / values.filter(({ protocol }) => protocol === cell.protocol).length,
          })),
        );
        for (const figure of artefacts.filter(({ name }) => name.startsWith('figure-'))) {
          await copyFile(figure.path, path.join(ctx.outputs, figure.name));
        }
      }
      const results = foldResults(cells);
      await writeFile(path.join(ctx.outputs, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
      return {
        // The values count; the command and the seconds in results.json do not.
        data: results.map(({ dataset, protocol, metric, method, seeds, values }) => ({
          dataset,
          protocol,
          metric,
          method,
          seeds: [...seeds],
          values: [...values],
        })),
        volatile: ['results.json'],
      };
    },
  });
