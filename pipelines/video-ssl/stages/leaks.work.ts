import { fingerprintPictures } from '../../../src/images/frame-fingerprint.js';
import type { EncodedPicture } from '../../../src/images/pixel-cache.js';
import { savePrints } from '../../../src/images/print-file.js';
import type { Work } from '../../../src/pipeline/stage.js';
import type { LeaksParams } from '../params.js';
import { openTarget } from '../../benchmark/stages/targets.js';
import type { TargetPayload } from '../../benchmark/stages/targets.js';

/** Every picture of a target, training part and test part. */
const picturesOf = async (payload: TargetPayload): Promise<EncodedPicture[]> => {
  const opened = await openTarget(payload, { testShare: 0.5 });
  if (opened.kind === 'normals') return opened.dataset.frames.map(({ colour }) => colour);
  return [...opened.dataset.train, ...opened.dataset.test].map(({ file }) => file);
};

/** Takes the fingerprints of one target's pictures. */
const work: Work<LeaksParams> = async (item, ctx) => {
  const pictures = await picturesOf(item.payload as TargetPayload);
  const prints = await fingerprintPictures(pictures, { signal: ctx.signal });
  await savePrints(
    ctx.outputs,
    prints.map((print) => ({ ...print, time: 0 })),
    pictures.map(({ label }) => label),
  );
  return { status: 'done', data: { prints: prints.length } };
};

export default work;
