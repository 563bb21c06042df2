import leven from 'leven';
import type { Pipeline, PipelineArguments } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { defaultMethods, methodEntries } from './methods.js';
import type { MethodEntry } from './methods.js';
import { presets } from './presets.js';
import { indexStage } from './stages/index-videos.js';
import type { VideoOrigin } from './stages/index-videos.js';
import { iterateStage } from './stages/iterate.js';
import { leaksStage } from './stages/leaks.js';
import { mineStage } from './stages/mine.js';
import { packStage } from './stages/pack.js';
import { pretrainStage } from './stages/pretrain.js';
import { reportStage } from './stages/report.js';
import { synthesizeStage } from './stages/synthesize.js';
import { demoDetection, targetsStage } from './stages/targets.js';
import { transferStage } from './stages/transfer.js';
import { checkPath, nameOf, targetFolders, weightFolders } from './target-folders.js';

const names: readonly string[] = methodEntries.map(({ name }) => name);

/** The rows asked for, in the table's order, whatever order they were named in. */
const methodsOf = (flag: string, list: string | undefined, otherwise: readonly string[]): readonly MethodEntry[] => {
  const asked: readonly string[] = list === undefined ? otherwise : list.split(',').map((name) => name.trim());
  for (const name of asked) {
    if (names.includes(name)) continue;
    const nearest = [...names].sort((a, b) => leven(a, name) - leven(b, name))[0];
    throw new UsageError(
      `Expected ${flag} to name some of ${names.join(', ')}, got \`${name}\`. Did you mean \`${nearest}\`?`,
    );
  }
  return methodEntries.filter(({ name }) => asked.includes(name));
};

/** `--iterate triplet:animals`: which networks go from ranking to detection and back, and on which target. */
const iterationOf = (
  { iterate }: PipelineArguments['options'],
  methods: readonly MethodEntry[],
  targets: readonly string[],
): { readonly methods: readonly string[]; readonly target: string } | undefined => {
  if (iterate === undefined) return undefined;
  const at = iterate.indexOf(':');
  if (at < 1 || at === iterate.length - 1) {
    throw new UsageError(
      `Expected --iterate to be METHOD[,METHOD]:NAME, the NAME of a detection target, got \`${iterate}\``,
    );
  }
  const asked = methodsOf('--iterate', iterate.slice(0, at), []);
  for (const { name, assemble } of asked) {
    if (assemble && methods.some((method) => method.name === name)) continue;
    throw new UsageError(`Expected --iterate to name trained methods of this run, got \`${name}\``);
  }
  const target = iterate.slice(at + 1);
  if (!targets.includes(target)) {
    const known =
      targets.length > 0 ? `one of ${targets.join(', ')}` : 'a folder of --detection, of which there is none';
    throw new UsageError(`Expected the target of --iterate to be ${known}, got \`${target}\``);
  }
  return { methods: asked.map(({ name }) => name), target };
};

const stages = ({ options, seed, seeds }: PipelineArguments) => {
  const { videos } = options;
  const methods = methodsOf('--methods', options['methods'], defaultMethods);
  if (videos !== undefined) checkPath('--videos', videos);
  const folders = targetFolders(options);
  const imported = weightFolders(options);
  const seedList = Array.from({ length: seeds }, (_, index) => seed + index);
  const ownTargets = [folders.images, folders.detection, folders.normals].some((list) => list.length > 0);
  const iterative = iterationOf(options, methods, ownTargets ? folders.detection.map(nameOf) : [demoDetection]);
  const demo = { videos: videos === undefined, targets: !ownTargets };
  const origin: VideoOrigin = videos === undefined ? { kind: 'demo' } : { kind: 'path', path: videos };
  return [
    ...(demo.videos || demo.targets ? [synthesizeStage(demo)] : []),
    // Before the long stages, so that a picture that cannot be decoded is found before an hour of mining.
    targetsStage(ownTargets ? { kind: 'path', ...folders } : { kind: 'demo' }),
    indexStage(origin),
    leaksStage,
    mineStage,
    packStage,
    pretrainStage(methods, seedList),
    ...(iterative ? [iterateStage(iterative.methods, iterative.target)] : []),
    transferStage({ imported, iterative: iterative !== undefined }),
    reportStage(methods, origin),
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
    { flag: '--detection', value: 'DIR[,DIR]', help: 'detection targets: folders in the layout of Pascal VOC or COCO' },
    { flag: '--normals', value: 'DIR[,DIR]', help: 'surface-normal targets: folders of RGB-D frames, or of rooms' },
    { flag: '--cameras', value: 'FILE.json', help: 'cameras of RGB-D folders that bring none, by folder name' },
    {
      flag: '--methods',
      value: 'NAME[,NAME]',
      help: `rows of the table, of ${names.join(', ')} (default: ${defaultMethods.join(',')})`,
    },
    { flag: '--weights', value: 'DIR[,DIR]', help: 'weights from elsewhere, to try beside: folders with model.json' },
    {
      flag: '--iterate',
      value: 'METHOD:TARGET',
      help: 'more rows: METHOD fine-tuned for detection on TARGET, trained on the pairs again (the iterative scheme of the paper)',
    },
  ],
  defaultPreset: 'demo',
  presets,
  stages,
};
