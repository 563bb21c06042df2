import { loadClassDataset } from '../../../src/images/class-dataset.js';
import { loadDetection } from '../../../src/images/detection-dataset.js';
import { saveDetection } from '../../../src/images/detection-file.js';
import { loadNormals } from '../../../src/images/rgbd-dataset.js';
import { saveClasses, saveNormals } from '../../../src/images/target-file.js';
import type { Work } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import { proposeRegions, recallOf, saveProposals } from '../../../src/transfer/detection/proposals.js';
import type { TargetsParams } from '../params.js';
import { expectUnchanged } from './expect-unchanged.js';
import { contentOfTarget, openTarget } from './targets.js';
import type { TargetPayload } from './targets.js';

/** Decodes one target into arrays; for detection, proposes regions of every picture as well. */
const decode: Work<TargetsParams> = async (item, ctx) => {
  const payload = item.payload as TargetPayload;
  const { imagePx, detectionPx, proposals, maxProposals } = ctx.params;
  const opened = await openTarget(payload, ctx.params);
  const common = { kind: payload.kind, name: item.label, digest: opened.dataset.digest };
  switch (opened.kind) {
    case 'classification': {
      const loaded = await loadClassDataset(opened.dataset, imagePx);
      await saveClasses(ctx.outputs, loaded);
      const { classes, train, test } = loaded;
      return { status: 'done', data: { ...common, classes: classes.length, train: train.count, test: test.count } };
    }
    case 'detection': {
      const loaded = await loadDetection(opened.dataset, detectionPx);
      for (const remark of opened.dataset.remarks) ctx.log(`${item.label}: ${remark}`);
      await saveDetection(ctx.outputs, loaded);
      const regions = await proposeRegions(loaded, {
        ...{ mode: proposals, maxBoxes: maxProposals, signal: ctx.signal },
        onProgress: (done, total) => ctx.progress({ done, total, unit: 'pictures' }),
      });
      await saveProposals(ctx.outputs, regions);
      const { classes, train, test } = loaded;
      // Of the training part: how good the proposals are may be known, how good they are on `test` decides nothing.
      const recall = [0.5, 0.7].map((iou) => recallOf(train, regions.train, iou));
      return {
        status: 'done',
        data: { ...common, classes: classes.length, pictures: [train.length, test.length], recall },
      };
    }
    case 'normals': {
      const loaded = await loadNormals(opened.dataset, imagePx);
      if (!loaded.valid.includes(1))
        throw new UsageError(
          `${opened.dataset.name}: expected depth that normals can be fitted to, got none in ${loaded.frames.length} frames (pixels without depth are 0)`,
        );
      await saveNormals(ctx.outputs, loaded);
      return { status: 'done', data: { ...common, frames: loaded.frames.length } };
    }
  }
};

/** Decodes a target that is still what it was when it was listed; also once it has been read. */
const work: Work<TargetsParams> = async (item, ctx) => {
  const result = await decode(item, ctx);
  const payload = item.payload as TargetPayload;
  const { dataset } = await openTarget(payload, ctx.params);
  expectUnchanged(payload.folder, item.content, contentOfTarget(payload.kind, item.label, dataset.digest));
  return result;
};

export default work;
