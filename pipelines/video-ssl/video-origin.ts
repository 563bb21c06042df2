import type { PipelineArguments, PipelineOption } from '../../src/pipeline/pipeline.js';
import type { Stage } from '../../src/pipeline/stage.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { isVideoList, readVideoList } from '../../src/video/find-videos.js';
import { isAddress } from '../../src/video/video-address.js';
import { checkPath } from '../benchmark/target-folders.js';
import { fetchStage } from './stages/fetch.js';
import { indexStage } from './stages/index-videos.js';
import type { VideoOrigin } from './stages/index-videos.js';

/** The options that say which videos are learned from. */
export const videoOptions: readonly PipelineOption[] = [
  {
    flag: '--videos',
    value: 'DIR|LIST.txt',
    help: 'videos to learn from: a folder, or a list with a path or an http(s) address a line (default: the embedded demo)',
  },
  {
    flag: '--fetch',
    help: 'fetch the addresses in the list of --videos into the run folder; without it they are refused',
  },
];

/**
 * What `--videos` and `--fetch` come to. Nothing is asked for over a network unless `--fetch` says so.
 *
 * @throws UsageError where `--videos` leads nowhere, where a list names addresses and `--fetch` is not given, and where it is given and there is no list
 */
export const videoOrigin = ({ videos, fetch }: PipelineArguments['options']): VideoOrigin => {
  const wanted = 'Expected --fetch beside a list of --videos (.txt, one path or address a line)';
  if (videos === undefined) {
    if (fetch !== undefined) throw new UsageError(`${wanted}, got no --videos`);
    return { kind: 'demo' };
  }
  if (isAddress(videos)) {
    throw new UsageError(
      `Expected --videos to be a folder or a list, got an address: write it into a .txt, one a line, and give that with --fetch`,
    );
  }
  checkPath('--videos', videos);
  const list = isVideoList(videos);
  if (!list && fetch !== undefined) throw new UsageError(`${wanted}, got \`${videos}\`, which is no list`);
  const addresses = list ? readVideoList(videos).flatMap((entry) => ('address' in entry ? [entry.label] : [])) : [];
  if (addresses.length > 0 && fetch === undefined) {
    const count = addresses.length === 1 ? 'an address' : `${addresses.length} addresses`;
    throw new UsageError(
      `Expected \`${videos}\` to name files, got ${count} (${addresses[0]!}${addresses.length > 1 ? ', …' : ''}): ` +
        'give --fetch to have them fetched into the run folder, or leave them out',
    );
  }
  return { kind: 'path', path: videos, list };
};

/**
 * The stages that bring videos: `index`, and before it `fetch` where there is a list. Also where the list names no address yet: the first one that is
 * added must not change what the videos on record were made from.
 */
export const videoStages = (origin: VideoOrigin): readonly Stage[] =>
  origin.kind === 'path' && origin.list ? [fetchStage(origin.path), indexStage(origin)] : [indexStage(origin)];
