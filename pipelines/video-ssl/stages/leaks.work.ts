import { fingerprintPictures, fingerprintVideo } from '../../../src/images/frame-fingerprint.js';
import type { FramePrint } from '../../../src/images/frame-fingerprint.js';
import type { EncodedPicture } from '../../../src/images/pixel-cache.js';
import { savePrints } from '../../../src/images/print-file.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { againIfKilled } from '../../../src/video/decoder-killed.js';
import { VideoRejection } from '../../../src/video/video-rejection.js';
import type { LeaksParams } from '../params.js';
import type { LeaksPayload } from './leaks.js';
import { openTarget } from '../../benchmark/stages/targets.js';
import type { TargetPayload } from '../../benchmark/stages/targets.js';

/** Every picture of a target, training part and test part. */
const picturesOf = async (payload: TargetPayload): Promise<EncodedPicture[]> => {
  const opened = await openTarget(payload, { testShare: 0.5 });
  if (opened.kind === 'normals') return opened.dataset.frames.map(({ colour }) => colour);
  return [...opened.dataset.train, ...opened.dataset.test].map(({ file }) => file);
};

/** Takes the fingerprints of one video, or of one target's pictures. */
const work: Work<LeaksParams> = async (item, ctx) => {
  const payload = item.payload as LeaksPayload;
  let prints: FramePrint[];
  let names: string[] = [];
  if (payload.of === 'target') {
    const pictures = await picturesOf(payload);
    names = pictures.map(({ label }) => label);
    prints = (await fingerprintPictures(pictures, { signal: ctx.signal })).map((print) => ({ ...print, time: 0 }));
  } else {
    const { everySeconds } = ctx.params;
    try {
      prints = await againIfKilled(() => fingerprintVideo(payload.file, { everySeconds, signal: ctx.signal }), ctx);
    } catch (error) {
      if (error instanceof VideoRejection) return { status: 'rejected', reason: error.reason };
      throw error;
    }
  }
  await savePrints(ctx.outputs, prints, names);
  return { status: 'done', data: { prints: prints.length } };
};

export default work;
