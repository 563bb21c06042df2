import leven from 'leven';
import type { Pipeline, PipelineArguments } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { defaultMethods, methodEntries } from './methods.js';
import type { MethodEntry } from './methods.js';
import { presets } from './presets.js';
import { indexStage } from './stages/index-videos.js';
import { mineStage } from './stages/mine.js';
import { packStage } from './stages/pack.js';
import { pretrainStage } from './stages/pretrain.js';
import { reportStage } from './stages/report.js';
import { synthesizeStage } from './stages/synthesize.js';
import { targetsStage } from './stages/targets.js';
import { transferStage } from './stages/transfer.js';
import { checkPath, targetFolders } from './target-folders.js';

const names = methodEntries.map(({ name }) => name);

/** The rows asked for, in the table's order, whatever order they were named in. */
const methodsOf = (list: string | undefined): readonly MethodEntry[] => {
  const asked: readonly string[] = list === undefined ? defaultMethods : list.split(',').map((name) => name.trim());
  for (const name of asked) {
    if (names.includes(name)) continue;
    const nearest = [...names].sort((a, b) => leven(a, name) - leven(b, name))[0];
    throw new UsageError(
      `Expected --methods to name some of ${names.join(', ')}, got \`${name}\`. Did you mean \`${nearest}\`?`,
    );
  }
  return methodEntries.filter(({ name }) => asked.includes(name));
};

const stages = ({ options, seed, seeds }: PipelineArguments) => {
  const { videos } = options;
  const methods = methodsOf(options['methods']);
  if (videos !== undefined) checkPath('--videos', videos);
  const { images, normals } = targetFolders(options);
  const seedList = Array.from({ length: seeds }, (_, index) => seed + index);
  const ownTargets = images.length + normals.length > 0;
  const demo = { videos: videos === undefined, targets: !ownTargets };
  return [
    ...(demo.videos || demo.targets ? [synthesizeStage(demo)] : []),
    // Before the long stages, so that a picture that cannot be decoded is found before an hour of mining.
    targetsStage(ownTargets ? { kind: 'path', images, normals } : { kind: 'demo' }),
    indexStage(videos === undefined ? { kind: 'demo' } : { kind: 'path', path: videos }),
    mineStage,
    packStage,
    pretrainStage(methods, seedList),
    transferStage,
    reportStage(methods),
  ];
};

/** Learn from a folder of videos, with tracking as the teacher, and report what the features are worth. */
export const videoSsl: Pipeline = {
  name: 'video-ssl',
  summary:
    'mine tracked pairs from videos, train the triplet network, NPID and controls on them, try the features, report',
  needs: 'nothing (embedded demo), or a folder of videos',
  options: [
    { flag: '--videos', value: 'DIR|LIST.txt', help: 'videos to learn from (default: the embedded demo)' },
    { flag: '--images', value: 'DIR[,DIR]', help: 'classification targets: folders of classes' },
    { flag: '--normals', value: 'DIR[,DIR]', help: 'surface-normal targets: folders of RGB-D frames' },
    {
      flag: '--methods',
      value: 'NAME[,NAME]',
      help: `rows of the table, of ${names.join(', ')} (default: ${defaultMethods.join(',')})`,
    },
  ],
  defaultPreset: 'demo',
  presets,
  stages,
};
