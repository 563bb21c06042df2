import path from 'node:path';
import type { Work } from '../../../src/pipeline/stage.js';
import { demoVideos } from '../../../src/synthetic/demo-videos.js';
import { renderVideo } from '../../../src/synthetic/render-video.js';
import { writeObjects } from '../../../src/synthetic/write-objects.js';
import { writeScenes } from '../../../src/synthetic/write-scenes.js';
import { encodeVideo } from '../../../src/video/encode-video.js';
import type { SynthesizeParams } from '../params.js';
import type { SynthesizePayload } from './synthesize.js';

/** Renders one video, or one of the two targets. */
const work: Work<SynthesizeParams> = async (item, ctx) => {
  const { seed, moving, length, scenes, trainPerClass, testPerClass } = ctx.params;
  const payload = item.payload as SynthesizePayload;
  if (payload.make === 'scenes') {
    await writeScenes(path.join(ctx.outputs, 'scenes'), seed, scenes);
    return { status: 'done', data: { scenes } };
  } else if (payload.make === 'objects') {
    await writeObjects(path.join(ctx.outputs, 'objects'), seed, { train: trainPerClass, test: testPerClass });
    return { status: 'done' };
  }
  const spec = demoVideos(seed, { moving, length })[payload.index]!;
  let frames = 0;
  const rasters = (function* () {
    for (const { raster } of renderVideo(spec)) {
      ctx.progress({ done: ++frames, unit: 'frames' });
      yield raster;
    }
  })();
  await encodeVideo(rasters, path.join(ctx.outputs, `${spec.name}.mp4`), { fps: spec.fps, signal: ctx.signal });
  return { status: 'done', data: { frames, hasMotion: spec.hasMotion } };
};

export default work;
