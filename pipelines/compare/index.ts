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
import { initOption, startWeights } from '../benchmark/start-weights.js';
import { weightFolders } from '../benchmark/target-folders.js';
import { watchedFolder, watchOption } from '../benchmark/watch-folder.js';
import { askedRows } from '../rows/asked-rows.js';
import { comparedRows, findRow, pictureRows } from '../rows/index.js';
import type { Row } from '../rows/row.js';
import { leaksStage } from '../video-ssl/stages/leaks.js';
import { mineStage } from '../video-ssl/stages/mine.js';
import { packStage } from '../video-ssl/stages/pack.js';
import { videoOptions, videoOrigin, videoStages } from '../video-ssl/video-origin.js';
import { presets } from './presets.js';

/** Every image-based method on the pictures, and the network that learns from tracks. */
const defaultRows: readonly string[] = [...pictureRows.map(({ name }) => name), 'triplet'];

/** The rows with the network that has learned nothing before them: whatever is asked for is held against it. */
const withRandom = (asked: readonly Row[]): readonly Row[] => {
  if (asked.some(({ name }) => name === 'random')) return asked;
  const learnsFrom = asked.some((row) => row.learnsFrom === 'images') ? 'images' : 'pairs';
  return [findRow('random', learnsFrom), ...asked];
};

const stages = ({ options, seed, seeds }: PipelineArguments) => {
  const { methods } = options;
  if (methods !== 'all' && methods?.split(',').some((name) => name.trim() === 'all')) {
    throw new UsageError(`Expected --methods to be \`all\` alone or names of rows, got \`${methods}\``);
  }
  const asked = methods === 'all' ? comparedRows : askedRows('--methods', methods, comparedRows, defaultRows);
  const rows = withRandom(asked);
  const { origin, folders } = pictureArguments(options);
  const imported = weightFolders(options);
  const needs = (kind: 'pairs' | 'images'): boolean => rows.some(({ learnsFrom }) => learnsFrom === kind);
  const videos = videoOrigin(options);
  const demo = {
    videos: needs('pairs') && videos.kind === 'demo',
    targets: !folders || (needs('images') && origin.kind === 'demo'),
  };
  return [
    ...(demo.videos || demo.targets ? [synthesizeStage(demo)] : []),
    targetsStage(folders ? { kind: 'path', ...folders } : { kind: 'demo' }),
    ...(needs('images') ? [imagesStage(origin, folders?.images ?? [])] : []),
    ...(needs('pairs') ? [...videoStages(videos), leaksStage, mineStage, packStage] : []),
    pretrainStage(
      rows.map((row) => ({ row })),
      Array.from({ length: seeds }, (_, index) => seed + index),
      { from: startWeights(options), watch: watchedFolder(options) },
    ),
    transferStage({ imported, iterative: false, after: needs('pairs') ? ['leaks'] : [] }),
    reportStage({
      pipeline: 'compare',
      rows,
      sources: {
        ...(needs('images') ? { pictures: origin } : {}),
        ...(needs('pairs') ? { videos } : {}),
      },
      inputs: [
        ...(needs('images') ? ['images'] : []),
        ...(needs('pairs') ? ['index', 'leaks', 'mine', 'pack'] : []),
        ...['targets', 'pretrain', 'transfer'],
      ],
    }),
  ];
};

/** Put every method beside every other: same trunk, data and number of image draws. */
export const compare: Pipeline = {
  name: 'compare',
  summary:
    'train every method on the same trunk, data and number of image draws, beside the video-trained network, and compare',
  needs: 'nothing (embedded demo), or a folder of pictures and one of videos',
  options: [
    ...pictureOptions,
    ...videoOptions,
    ...targetOptions,
    initOption,
    watchOption,
    {
      flag: '--methods',
      value: 'NAME[,NAME]|all',
      help:
        'rows of the table: a method on the pictures (simclr), on single patches of the tracks (simclr-patches), on the two ends of ' +
        'tracks (simclr-tracks, simclr-tracks-plain), triplet and its controls, random; `all` (default: every method on the pictures, triplet, random)',
    },
  ],
  defaultPreset: 'demo',
  presets,
  stages,
  check: checkSameSplit,
};
