import type { Work } from '../../../src/pipeline/stage.js';
import { againIfKilled } from '../../../src/video/decoder-killed.js';
import { probeVideo } from '../../../src/video/probe-video.js';
import { VideoRejection } from '../../../src/video/video-rejection.js';
import type { IndexParams } from '../params.js';

/** Looks into one video: its size, rate, codec, or why it cannot be used. */
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
    return { status: 'done', data: { ...info } };
  } catch (error) {
    if (error instanceof VideoRejection) return { status: 'rejected', reason: error.reason };
    throw error;
  }
};

export default work;
