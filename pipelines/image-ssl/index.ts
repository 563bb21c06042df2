import type { Pipeline, PipelineArguments } from '../../src/pipeline/pipeline.js';
import { targetOptions } from '../benchmark/options.js';
import { checkSameSplit, pictureArguments, pictureOptions } from '../benchmark/picture-options.js';
import { imagesStage } from '../benchmark/stages/images.js';
import { pretrainStage } from '../benchmark/stages/pretrain.js';
import { reportStage } from '../benchmark/stages/report.js';
import { synthesizeStage } from '../benchmark/stages/synthesize.js';
import { targetsStage } from '../benchmark/stages/targets.js';
import { transferStage } from '../benchmark/stages/transfer.js';
import { initOption, startWeights } from '../benchmark/start-weights.js';
import { weightFolders } from '../benchmark/target-folders.js';
import { watchedFolder, watchOption } from '../benchmark/watch-folder.js';
import { imageMethods } from '../methods/index.js';
import { askedRows } from '../rows/asked-rows.js';
import { pictureRows } from '../rows/index.js';
import { presets } from './presets.js';

/** What is trained where no method is named. */
const defaultMethod = 'simclr';

const stages = ({ options, seed, seeds }: PipelineArguments) => {
  const asked = askedRows('--method', options['method'], pictureRows, [defaultMethod]);
  // Whatever is asked for is held against the network that has learned nothing.
  const rows = pictureRows.filter((row) => row.name === 'random' || asked.includes(row));
  const { origin, folders } = pictureArguments(options);
  const imported = weightFolders(options);
  return [
    ...(origin.kind === 'demo' || !folders ? [synthesizeStage({ videos: false, targets: true })] : []),
    targetsStage(folders ? { kind: 'path', ...folders } : { kind: 'demo' }),
    imagesStage(origin, folders?.images ?? []),
    pretrainStage(
      rows.map((row) => ({ row })),
      Array.from({ length: seeds }, (_, index) => seed + index),
      { from: startWeights(options), watch: watchedFolder(options) },
    ),
    transferStage({ imported, iterative: false, after: [] }),
    reportStage({
      pipeline: 'image-ssl',
      rows,
      sources: { pictures: origin },
      inputs: ['images', 'targets', 'pretrain', 'transfer'],
    }),
  ];
};

/** Learn from a folder of pictures by an image-based method, and report what the features are worth. */
export const imageSsl: Pipeline = {
  name: 'image-ssl',
  summary: 'train an image-based self-supervised method on a folder of pictures, try the features, report',
  needs: 'nothing (embedded demo), or a folder of pictures',
  options: [
    {
      flag: '--method',
      value: 'NAME[,NAME]',
      help: `what to train beside \`random\`, of ${imageMethods.map(({ name }) => name).join(', ')} (default: ${defaultMethod})`,
    },
    ...pictureOptions,
    ...targetOptions,
    initOption,
    watchOption,
  ],
  defaultPreset: 'demo',
  presets,
  stages,
  check: checkSameSplit,
};
