import { readFileSync } from 'node:fs';
import path from 'node:path';
import { modelFiles } from '../../src/network/weights.js';
import type { PipelineOption } from '../../src/pipeline/pipeline.js';
import { checkPath, checkWeights } from './target-folders.js';

/** Weights that trainings begin with, instead of drawn ones. */
export type StartWeights = { readonly folder: string; readonly architecture: string; readonly sha256: string };

/** `--init`: on a pipeline that trains. */
export const initOption: PipelineOption = {
  flag: '--init',
  value: 'DIR',
  help: 'weights that every training begins with, instead of drawn ones: a folder with model.json (`random` stays as drawn)',
};

/** Reads `--init`. @throws UsageError where it names no sound folder of weights */
export const startWeights = ({ init }: Readonly<Record<string, string | undefined>>): StartWeights | undefined => {
  if (init === undefined) return undefined;
  checkPath('--init', init);
  checkWeights('--init', init);
  const { architecture, sha256 } = JSON.parse(readFileSync(path.join(init, modelFiles.description), 'utf8')) as {
    architecture: string;
    sha256: string;
  };
  return { folder: path.resolve(init), architecture, sha256 };
};
