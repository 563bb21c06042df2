import type { Work } from '../../../src/pipeline/stage.js';
import { probeVideo } from '../../../src/video/probe-video.js';
import { VideoRejection } from '../../../src/video/video-rejection.js';
import type { IndexParams } from '../params.js';

/** Looks into one video: its size, rate, codec, or why it cannot be used. */
const work: Work<IndexParams> = async (item, ctx) => {
  const { path } = item.payload as { path: string };
  try {
    // A rejection stands for good, and looks the same if the system ended ffmpeg for want of memory: it takes two to be believed.
    const info = await probeVideo(path, { signal: ctx.signal }).catch(() => probeVideo(path, { signal: ctx.signal }));
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
