import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { CardResult } from '../../src/network/model-card.js';
import { parseForeignJson } from '../../src/pipeline/parse-json.js';
import { RunFolder } from '../../src/pipeline/run-folder.js';
import type { Result } from '../../src/pipeline/result.js';

/** The run folder that a folder of weights lies in; undefined where it lies in none. */
const runOf = (folder: string): string | undefined => {
  for (let place = realpathSync(folder); ; place = path.dirname(place)) {
    if (existsSync(path.join(place, 'ledger.sqlite'))) return place;
    if (place === path.dirname(place)) return undefined;
  }
};

/** Figures of transfer, and the command that measured them. */
export type FoundResults = { readonly results: readonly CardResult[]; readonly command?: string };

/** What the run that a folder of weights lies in has measured on exactly these weights; nothing where it is no run, or has not measured yet. */
export const findResults = (folder: string, sha256: string): FoundResults => {
  const run = runOf(folder);
  const file = run === undefined ? undefined : path.join(run, 'transfer', 'results.json');
  // The run may be a stranger's: a link in it may lead anywhere.
  if (file === undefined || !existsSync(file) || !new RunFolder(run!).holds(file)) return { results: [] };
  const all = parseForeignJson(readFileSync(file, 'utf8'), file) as readonly Result[];
  const columnOf = ({ task, dataset, protocol, metric }: Result): string =>
    JSON.stringify([task, dataset, protocol, metric]);
  const untrained = new Map(
    all.filter(({ method }) => method === 'random').map((result) => [columnOf(result), result.mean]),
  );
  const own = all.filter(({ weights }) => weights.includes(sha256));
  const command = own[0]?.command;
  return {
    results: own.map((result) => {
      const { dataset, protocol, metric, higherIsBetter, weights, values } = result;
      const control = untrained.get(columnOf(result));
      return {
        ...{ dataset, protocol, metric, higherIsBetter, value: values[weights.indexOf(sha256)]! },
        ...(control === undefined ? {} : { untrained: control }),
      };
    }),
    ...(command === undefined ? {} : { command }),
  };
};
