import { createHash } from 'node:crypto';
import { openClassDataset } from '../../../src/images/class-dataset.js';
import { openDetectionDataset } from '../../../src/images/detection-dataset.js';
import { readCameras } from '../../../src/images/rgbd-cameras.js';
import { openRgbdTarget } from '../../../src/images/rgbd-dataset.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item } from '../../../src/pipeline/stage.js';
import { targetsParams } from '../params.js';
import type { TargetsParams } from '../params.js';
import type { TargetFolders } from '../target-folders.js';
import { renderedFolder } from './images.js';

/** Which data the features are tried on: folders of the user's, or the demo's own. */
export type TargetOrigin = ({ readonly kind: 'path' } & TargetFolders) | { readonly kind: 'demo' };

/** The demo's detection target: the solids in its rooms. */
export const demoDetection = 'scene-solids';

/** What one target is, as later stages see it. */
export type TargetKind = 'classification' | 'detection' | 'normals';

/** What finds a target's data again. */
export type TargetPayload = {
  readonly kind: TargetKind;
  readonly folder: string;
  /** A file of cameras for RGB-D folders that bring none. */
  readonly cameras?: string;
};

/** A target's data, opened but not decoded. */
export const openTarget = async (
  { kind, folder, cameras }: TargetPayload,
  { testShare, trainPerClass, testPerClass }: Pick<TargetsParams, 'testShare' | 'trainPerClass' | 'testPerClass'>,
) => {
  switch (kind) {
    case 'classification': {
      const limits = {
        ...(trainPerClass === undefined ? {} : { trainPerClass }),
        ...(testPerClass === undefined ? {} : { testPerClass }),
      };
      return { kind, dataset: await openClassDataset(folder, { testShare, ...limits }) } as const;
    }
    case 'detection':
      return { kind, dataset: await openDetectionDataset(folder, { testShare }) } as const;
    case 'normals':
      return {
        kind,
        dataset: await openRgbdTarget(folder, cameras === undefined ? {} : { cameras: readCameras(cameras) }),
      } as const;
  }
};

/** What a target is, as an item: its kind, its name, and the sha256 of its data. */
export const contentOfTarget = (kind: TargetKind, name: string, digest: string): string =>
  createHash('sha256').update(`${kind} ${name} ${digest}`).digest('hex');

/** `targets`: decodes the target data once, so that no evaluation decodes a picture or fits a normal again. */
export const targetsStage = (origin: TargetOrigin) =>
  defineStage({
    name: 'targets',
    version: 2,
    summary: 'decode the target data sets, propose regions for detection',
    params: targetsParams,
    inputs: origin.kind === 'demo' ? ['synthesize'] : [],
    onFailure: 'stop',
    items: async (ctx) => {
      const item = async (kind: TargetKind, folder: string, label?: string): Promise<Item> => {
        const cameras = kind === 'normals' && origin.kind === 'path' ? origin.cameras : undefined;
        const payload: TargetPayload = { kind, folder, ...(cameras === undefined ? {} : { cameras }) };
        const { dataset } = await openTarget(payload, ctx.params);
        const name = label ?? dataset.name;
        return { label: name, content: contentOfTarget(kind, name, dataset.digest), payload };
      };
      if (origin.kind === 'path') {
        return Promise.all([
          ...origin.images.map((folder) => item('classification', folder)),
          ...origin.detection.map((folder) => item('detection', folder)),
          ...origin.normals.map((folder) => item('normals', folder)),
        ]);
      }
      const folderOf = (name: string): string => renderedFolder(ctx.input('synthesize'), name);
      return [
        await item('classification', folderOf('objects')),
        // The same rooms twice: results go by the name.
        await item('detection', folderOf('scenes'), demoDetection),
        await item('normals', folderOf('scenes')),
      ];
    },
    work: { module: new URL('./targets.work.js', import.meta.url), runs: 'thread' },
  });
