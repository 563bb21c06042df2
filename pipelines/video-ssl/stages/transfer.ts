import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { copyFile } from 'node:fs/promises';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import { foldResults } from '../../../src/transfer/results.js';
import type { Cell } from '../../../src/transfer/results.js';
import { transferParams } from '../params.js';
import type { TargetKind } from './targets.js';

/** What one cell of the benchmark is: a network (or none, for a floor that needs no network) on a target. */
export type TransferPayload = {
  readonly method: string;
  readonly seed: number;
  readonly weights: string;
  /** Folder of the weights; absent for a floor without a network. */
  readonly model?: string;
  readonly kind: TargetKind;
  readonly target: string;
  /** Folder of the decoded target. */
  readonly folder: string;
  /** Draw the pictures of the report: once a method. */
  readonly figures: boolean;
};

/** Name of the control that sees no image: the mean of the training part, wherever it is looked at. */
export const noImage = 'no-image';

/** `transfer`: every network on every target. Each cell is an item, so that a new network or target computes only its own. */
export const transferStage = defineStage({
  name: 'transfer',
  version: 1,
  summary: 'try the frozen features: k-NN, linear, surface normals',
  params: transferParams,
  inputs: ['pretrain', 'targets'],
  onFailure: 'stop',
  items: (ctx) => {
    const networks = ctx.input('pretrain').items.map(({ data, artefacts }) => {
      const { method, seed, weights } = data as { method: string; seed: number; weights: string };
      const model = artefacts.find(({ name }) => name === 'model.json');
      if (!model) throw new Error(`Expected the run ${method}, seed ${seed}, to have written model.json`);
      return { method, seed, weights, model: path.dirname(model.path) };
    });
    const firstSeed = networks[0]?.seed ?? 1;
    const items: Item[] = [];
    for (const { data, artefacts, label } of ctx.input('targets').items) {
      const { kind, digest, train } = data as { kind: TargetKind; digest: string; train?: number };
      if (train !== undefined && ctx.params.knnK > train) {
        throw new UsageError(
          `Expected \`transfer.knnK\` to be at most ${train}, the training pictures of ${label}, got \`${ctx.params.knnK}\``,
        );
      }
      const folder = path.dirname(artefacts[0]?.path ?? '');
      const floor = kind === 'normals' && networks[0] ? [{ ...networks[0], method: noImage, weights: noImage }] : [];
      for (const network of [...floor, ...networks]) {
        const figures = network.seed === firstSeed;
        items.push({
          label: `${network.method}, seed ${network.seed} on ${label}`,
          content: createHash('sha256')
            .update(JSON.stringify([network.method, network.seed, network.weights, kind, label, digest, figures]))
            .digest('hex'),
          payload: { ...network, kind, target: label, folder, figures } satisfies TransferPayload,
        });
      }
    }
    return Promise.resolve(items);
  },
  work: { module: new URL('./transfer.work.js', import.meta.url), runs: 'tensors' },
  reduce: async (ctx) => {
    const cells: Cell[] = [];
    for (const { artefacts, notes } of ctx.items) {
      const file = artefacts.find(({ name }) => name === 'cells.json');
      if (!file) continue;
      const values = JSON.parse(await readFile(file.path, 'utf8')) as Omit<Cell, 'command' | 'seconds'>[];
      const { seconds } = notes as { seconds: number };
      cells.push(
        ...values.map((cell) => ({ ...cell, command: ctx.settings.command, seconds: seconds / values.length })),
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
