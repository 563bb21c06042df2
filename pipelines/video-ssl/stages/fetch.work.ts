import { copyFile, link, stat } from 'node:fs/promises';
import path from 'node:path';
import { hashOfFile } from '../../../src/pipeline/durable-files.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { FetchFailure, FetchLimit, fetchVideo } from '../../../src/video/fetch-video.js';
import { videoExtensions } from '../../../src/video/find-videos.js';
import { VideoRejection } from '../../../src/video/video-rejection.js';
import type { FetchParams } from '../params.js';
import type { FetchedFile, FetchPayload } from './fetch.js';

/** The ending of the address's file name, where it is one of a video: some formats are told by it. */
const endingOf = (address: string): string => {
  const ending = path.posix.extname(new URL(address).pathname).toLowerCase();
  return videoExtensions.has(ending) ? ending : '';
};

/** A second name for a file: if the run dies before its verdict is on record, the first one is still there. */
const alsoAs = async (file: string, name: string): Promise<void> => {
  await link(file, name).catch(() => copyFile(file, name));
};

/** Fetches one address, or says why not. */
const work: Work<FetchParams> = async (item, ctx) => {
  const { address } = item.payload as FetchPayload;
  const { timeoutSeconds, maxBytes, stallSeconds, tries, pauseSeconds, allowPrivate } = ctx.params;
  const whole = path.join(ctx.scratch, 'video');
  const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
  try {
    const before = await stat(whole).catch(() => null);
    const { bytes, resumedFrom } =
      before === null
        ? await fetchVideo(address, whole, {
            ...{ maxBytes, stallSeconds, tries, pauseSeconds, allowPrivate, signal: ctx.signal },
            totalSeconds: timeoutSeconds,
            onProgress: (came, length) =>
              ctx.progress({
                ...{ done: megabytes(came), unit: 'MB' },
                ...(length === null ? {} : { total: megabytes(length) }),
              }),
          })
        : { bytes: before.size, resumedFrom: before.size };
    const sha256 = await hashOfFile(whole);
    await alsoAs(whole, path.join(ctx.outputs, `${sha256}${endingOf(address)}`));
    return { status: 'done', data: { sha256, bytes } satisfies FetchedFile, notes: { resumedFrom } };
  } catch (error) {
    // What a limit refuses is no verdict on the video; nor is what the network did.
    if (error instanceof FetchFailure || error instanceof FetchLimit)
      throw Object.assign(new Error(error.reason), { stack: undefined }); // whoever reads it needs no place in this program
    if (error instanceof VideoRejection) return { status: 'rejected', reason: error.reason };
    throw error;
  }
};

export default work;
