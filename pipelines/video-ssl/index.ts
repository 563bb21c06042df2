import type { Pipeline, PipelineArguments } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { reportStage } from '../benchmark/stages/report.js';
import { pretrainStage } from '../benchmark/stages/pretrain.js';
import { synthesizeStage } from '../benchmark/stages/synthesize.js';
import { demoDetection, targetsStage } from '../benchmark/stages/targets.js';
import { transferStage } from '../benchmark/stages/transfer.js';
import { initOption, startWeights } from '../benchmark/start-weights.js';
import { nameOf, targetFolders, weightFolders } from '../benchmark/target-folders.js';
import { watchedFolder, watchOption } from '../benchmark/watch-folder.js';
import { targetOptions } from '../benchmark/options.js';
import { imageMethods } from '../methods/index.js';
import { askedRows } from '../rows/asked-rows.js';
import { pairRows } from '../rows/index.js';
import type { Row } from '../rows/row.js';
import { presets } from './presets.js';
import { iterateStage } from './stages/iterate.js';
import { leaksStage } from './stages/leaks.js';
import { mineStage } from './stages/mine.js';
import { packStage } from './stages/pack.js';
import { videoOptions, videoOrigin, videoStages } from './video-origin.js';

/** Rows in the table by default. */
export const defaultMethods = ['random', 'shuffled', 'self', 'triplet', 'npid'] as const;

/** `--iterate triplet:animals`: which networks go from ranking to detection and back, and on which target. */
const iterationOf = (
  { iterate }: PipelineArguments['options'],
  rows: readonly Row[],
  targets: readonly string[],
): { readonly methods: readonly string[]; readonly target: string } | undefined => {
  if (iterate === undefined) return undefined;
  const at = iterate.indexOf(':');
  if (at < 1 || at === iterate.length - 1) {
    throw new UsageError(
      `Expected --iterate to be METHOD[,METHOD]:NAME, the NAME of a detection target, got \`${iterate}\``,
    );
  }
  const asked = askedRows('--iterate', iterate.slice(0, at), pairRows, []);
  for (const { name, training } of asked) {
    if (training && rows.some((row) => row.name === name)) continue;
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
  const rows = askedRows('--methods', options['methods'], pairRows, defaultMethods);
  const origin = videoOrigin(options);
  const folders = targetFolders(options);
  const imported = weightFolders(options);
  const seedList = Array.from({ length: seeds }, (_, index) => seed + index);
  const ownTargets = [folders.images, folders.detection, folders.normals].some((list) => list.length > 0);
  const iterative = iterationOf(options, rows, ownTargets ? folders.detection.map(nameOf) : [demoDetection]);
  const demo = { videos: origin.kind === 'demo', targets: !ownTargets };
  return [
    ...(demo.videos || demo.targets ? [synthesizeStage(demo)] : []),
    // Before the long stages, so that a picture that cannot be decoded is found before an hour of mining.
    targetsStage(ownTargets ? { kind: 'path', ...folders } : { kind: 'demo' }),
    ...videoStages(origin),
    leaksStage,
    mineStage,
    packStage,
    pretrainStage(
      rows.map((row) => ({ row })),
      seedList,
      { from: startWeights(options), watch: watchedFolder(options) },
    ),
    ...(iterative ? [iterateStage(iterative.methods, iterative.target)] : []),
    transferStage({ imported, iterative: iterative !== undefined, after: ['leaks'] }),
    reportStage({
      pipeline: 'video-ssl',
      rows,
      sources: { videos: origin },
      inputs: ['index', 'leaks', 'mine', 'pack', 'targets', 'pretrain', 'transfer'],
    }),
  ];
};

const rankingNames = pairRows.flatMap(({ name, imageMethod }) => (imageMethod === undefined ? [name] : [])).join(', ');
const imageNames = imageMethods.map(({ name }) => name).join(', ');

/** Learn from a folder of videos, with tracking as the teacher, and report what the features are worth. */
export const videoSsl: Pipeline = {
  name: 'video-ssl',
  alias: 'run',
  summary:
    'mine tracked pairs from videos, train the triplet network, NPID and controls on them, try the features, report',
  needs: 'nothing (embedded demo), or a folder of videos',
  options: [
    ...videoOptions,
    { flag: '--images', value: 'DIR[,DIR]', help: 'classification targets: folders of classes' },
    ...targetOptions,
    initOption,
    watchOption,
    {
      flag: '--methods',
      value: 'NAME[,NAME]',
      help:
        `rows of the table, of ${rankingNames}, image-based methods on single patches (${imageNames}), and ` +
        `NAME-tracks: those on tracks, NAME-tracks-plain: those that compare two views, on the two ends as they are (default: ${defaultMethods.join(',')})`,
    },
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
