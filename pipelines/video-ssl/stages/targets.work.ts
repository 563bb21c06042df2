import { loadClassDataset, openClassDataset } from '../../../src/images/class-dataset.js';
import { loadNormals, openRgbdDataset } from '../../../src/images/rgbd-dataset.js';
import { saveClasses, saveNormals } from '../../../src/images/target-file.js';
import type { Work } from '../../../src/pipeline/stage.js';
import type { TargetsParams } from '../params.js';
import type { TargetKind } from './targets.js';

/** Decodes one target into arrays. */
const work: Work<TargetsParams> = async (item, ctx) => {
  const { kind, folder } = item.payload as { kind: TargetKind; folder: string };
  const { imagePx, testShare } = ctx.params;
  if (kind === 'classification') {
    const loaded = await loadClassDataset(await openClassDataset(folder, { testShare }), imagePx);
    await saveClasses(ctx.outputs, loaded);
    const { classes, train, test, digest } = loaded;
    return {
      status: 'done',
      data: { kind, name: item.label, classes: classes.length, train: train.count, test: test.count, digest },
    };
  }
  const loaded = await loadNormals(await openRgbdDataset(folder), imagePx);
  await saveNormals(ctx.outputs, loaded);
  return { status: 'done', data: { kind, name: item.label, frames: loaded.frames.length, digest: loaded.digest } };
};

export default work;
