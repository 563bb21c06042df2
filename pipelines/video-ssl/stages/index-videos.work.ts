import { fingerprintVideo } from '../../../src/images/frame-fingerprint.js';
import { savePrints } from '../../../src/images/print-file.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { againIfKilled } from '../../../src/video/decoder-killed.js';
import { probeVideo } from '../../../src/video/probe-video.js';
import { VideoRejection } from '../../../src/video/video-rejection.js';
import type { IndexParams } from '../params.js';
import type { IndexedVideo } from './index-videos.js';

/** Looks into one video: its size, rate, codec, and fingerprints of its frames; or why it cannot be used. */
const work: Work<IndexParams> = async (item, ctx) => {
  const { path } = item.payload as { path: string };
  try {
    const info = await againIfKilled(() => probeVideo(path, { signal: ctx.signal }), ctx);
    if (info.duration !== null && info.duration > ctx.params.maxSeconds) {
      return {
        status: 'rejected',
        reason: `it lasts ${Math.round(info.duration)} s, more than maxSeconds = ${ctx.params.maxSeconds}`,
      };
    }
    const { everySeconds } = ctx.params;
    const prints = await againIfKilled(() => fingerprintVideo(path, { everySeconds, info, signal: ctx.signal }), ctx);
    await savePrints(ctx.outputs, prints);
    return { status: 'done', data: { ...info, prints: prints.length } satisfies IndexedVideo };
  } catch (error) {
    if (error instanceof VideoRejection) return { status: 'rejected', reason: error.reason };
    throw error;
  }
};

export default work;
