import type { Pipeline, PipelineArguments } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { targetOptions } from '../benchmark/options.js';
import { checkSameSplit, pictureArguments, pictureOptions } from '../benchmark/picture-options.js';
import { imagesStage } from '../benchmark/stages/images.js';
import { pretrainStage } from '../benchmark/stages/pretrain.js';
import { reportStage } from '../benchmark/stages/report.js';
import { synthesizeStage } from '../benchmark/stages/synthesize.js';
import { targetsStage } from '../benchmark/stages/targets.js';
import { transferStage } from '../benchmark/stages/transfer.js';
import { imageMethods } from '../methods/index.js';
import { askedRows } from '../rows/asked-rows.js';
import { pictureRows } from '../rows/index.js';
import { drawScaling } from './draw-scaling.js';
import { axesOf, pointsOf, untrainedAt, variantAt } from './grid.js';
import { presets } from './presets.js';

const defaultMethod = 'jigsaw';
const methodRows = pictureRows.filter(({ imageMethod }) => imageMethod !== undefined);

const stages = ({ options, seed, seeds }: PipelineArguments) => {
  const [row, ...more] = askedRows('--method', options['method'], methodRows, [defaultMethod]);
  if (!row || more.length > 0)
    throw new UsageError(`Expected --method to name one method, got \`${options['method']}\``);
  const method = imageMethods.find(({ name }) => name === row.imageMethod)!;
  const axes = axesOf(options, method);
  const points = pointsOf(axes);
  const { origin, folders } = pictureArguments(options);
  const random = pictureRows.find(({ name }) => name === 'random')!;
  return [
    ...(origin.kind === 'demo' || !folders ? [synthesizeStage({ videos: false, targets: true })] : []),
    targetsStage(folders ? { kind: 'path', ...folders } : { kind: 'demo' }),
    imagesStage(origin, folders?.images ?? []),
    pretrainStage(
      [
        ...axes.trunks.map((trunk) => ({ row: random, variant: untrainedAt(trunk) })),
        ...points.map((point) => ({ row, variant: variantAt(method, point) })),
      ],
      Array.from({ length: seeds }, (_, index) => seed + index),
    ),
    transferStage({ imported: [], iterative: false, after: [] }),
    reportStage({
      pipeline: 'scaling',
      rows: [random, row],
      sources: { pictures: origin },
      inputs: ['images', 'targets', 'pretrain', 'transfer'],
      draw: (dir, results) => drawScaling(dir, method, axes, results),
    }),
  ];
};

/** Vary data, trunk and hardness of one method, and draw what each is worth (Goyal et al. 2019). */
export const scaling: Pipeline = {
  name: 'scaling',
  summary: 'train one method on more and more pictures, by trunk and hardness of its task, and draw the curves',
  needs: 'nothing (embedded demo), or a folder of pictures',
  options: [
    {
      flag: '--method',
      value: 'NAME',
      help: `of ${methodRows.map(({ name }) => name).join(', ')} (default: ${defaultMethod})`,
    },
    ...pictureOptions,
    {
      flag: '--pictures',
      value: 'N[,N]',
      help: 'numbers of pictures to learn from (default: 500,1000,2500,5000; of the demo 50,100,200)',
    },
    { flag: '--trunks', value: 'NAME[,NAME]', help: 'trunks (default: small-half,small)' },
    {
      flag: '--hardness',
      value: 'X[,X]',
      help: imageMethods
        .flatMap(({ name, hardness }) =>
          hardness ? [`${hardness.parameter} of ${name} (default: ${hardness.values.join(',')})`] : [],
        )
        .join(', '),
    },
    ...targetOptions.filter(({ flag }) => flag !== '--weights'),
  ],
  defaultPreset: 'demo',
  presets,
  stages,
  check: checkSameSplit,
};
