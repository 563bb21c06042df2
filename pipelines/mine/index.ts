import type { Pipeline, PipelineArguments } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { presets } from '../video-ssl/presets.js';
import { mineStage } from '../video-ssl/stages/mine.js';
import { packStage } from '../video-ssl/stages/pack.js';
import { videoOptions, videoOrigin, videoStages } from '../video-ssl/video-origin.js';

/** The stages of `video-ssl` from the videos to the shards: what they leave is taken as it is by that pipeline in the same run folder. */
const stages = ({ options }: PipelineArguments) => {
  if (options['videos'] === undefined)
    throw new UsageError('Expected --videos to name a folder or a list of videos to mine, got none');
  return [...videoStages(videoOrigin(options)), mineStage, packStage];
};

/** Mines tracked pairs, and does no more: what the library's `minePairs` runs. */
export const minePairs: Pipeline = {
  name: 'mine',
  summary: 'mine tracked pairs from videos into tar shards, and no more',
  needs: 'a folder of videos',
  options: videoOptions.map((option) => ({
    ...option,
    help: option.help.replace(' (default: the embedded demo)', ''),
  })),
  defaultPreset: 'small',
  presets,
  stages,
};
