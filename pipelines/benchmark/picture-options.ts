import type { PipelineArguments, PipelineOption } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { checkPictureSet, hasClasses } from '../../src/images/picture-set.js';
import type { ImagesParams, TargetsParams } from './params.js';
import type { PictureOrigin } from './stages/images.js';
import { checkPath, targetFolders, type TargetFolders } from './target-folders.js';

/** Where pictures come from, and what the features are tried on: options of the pipelines that learn from single pictures. */
export const pictureOptions: readonly PipelineOption[] = [
  {
    flag: '--images',
    value: 'DIR',
    help: 'pictures to learn from; where it is laid out in classes, its training part, and the features are tried on the rest (default: the embedded demo)',
  },
  { flag: '--targets', value: 'DIR[,DIR]', help: 'more classification targets: folders of classes' },
];

/** What those options came to. */
export type PictureArguments = {
  readonly origin: PictureOrigin;
  /** Absent where nothing was brought to try the features on: the demo's own are. */
  readonly folders: TargetFolders | undefined;
};

/**
 * Reads `--images` and the options of targets. A folder with classes is a target itself.
 *
 * @throws UsageError for what is not there or cannot be used
 */
export const pictureArguments = (options: PipelineArguments['options']): PictureArguments => {
  const { images, targets, ...others } = options;
  if (images !== undefined) checkPath('--images', images);
  if (images !== undefined) checkPictureSet(images);
  const own = images !== undefined && hasClasses(images) ? [images] : [];
  const folders = targetFolders({ ...others, targets }, { flag: '--targets', first: own });
  const some = [folders.images, folders.detection, folders.normals].some((list) => list.length > 0);
  return {
    origin: images === undefined ? { kind: 'demo' } : { kind: 'path', path: images },
    folders: some ? folders : undefined,
  };
};

/**
 * Sees to it that what is left out of learning is what is tested on.
 *
 * @throws UsageError
 */
export const checkSameSplit = (params: ReadonlyMap<string, unknown>): void => {
  const learned = params.get('images') as ImagesParams | undefined;
  const tested = params.get('targets') as TargetsParams | undefined;
  if (!learned || !tested || learned.testShare === tested.testShare) return;
  throw new UsageError(
    `Expected \`images.testShare\` and \`targets.testShare\` to be equal, so that no picture is learned from and tested on, got \`${learned.testShare}\` and \`${tested.testShare}\``,
  );
};
