import { createHash } from 'node:crypto';
import path from 'node:path';
import { openClassDataset } from '../../../src/images/class-dataset.js';
import { openRgbdDataset } from '../../../src/images/rgbd-dataset.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { Item } from '../../../src/pipeline/stage.js';
import { targetsParams } from '../params.js';

/** Which data the features are tried on: folders of the user's, or the demo's own. */
export type TargetOrigin =
  | { readonly kind: 'path'; readonly images: readonly string[]; readonly normals: readonly string[] }
  | { readonly kind: 'demo' };

/** What one target is, as later stages see it. */
export type TargetKind = 'classification' | 'normals';

/** `targets`: decodes the target data once, so that no evaluation decodes a picture or fits a normal again. */
export const targetsStage = (origin: TargetOrigin) =>
  defineStage({
    name: 'targets',
    version: 1,
    summary: 'decode the target data sets',
    params: targetsParams,
    inputs: origin.kind === 'demo' ? ['synthesize'] : [],
    onFailure: 'stop',
    items: async (ctx) => {
      const item = async (kind: TargetKind, folder: string): Promise<Item> => {
        const data =
          kind === 'classification'
            ? await openClassDataset(folder, { testShare: ctx.params.testShare })
            : await openRgbdDataset(folder);
        const content = createHash('sha256').update(`${kind} ${data.name} ${data.digest}`).digest('hex');
        return { label: data.name, content, payload: { kind, folder } };
      };
      if (origin.kind === 'path') {
        return Promise.all([
          ...origin.images.map((folder) => item('classification', folder)),
          ...origin.normals.map((folder) => item('normals', folder)),
        ]);
      }
      const files = ctx.input('synthesize').items.flatMap(({ artefacts }) => artefacts);
      // The folder that holds `objects/…` or `scenes/…`, found by any file in it.
      const folderOf = (name: string): string => {
        const file = files.find((artefact) => artefact.name.startsWith(`${name}/`));
        if (!file) throw new Error(`Expected the stage \`synthesize\` to have written ${name}/, got no such file`);
        return path.join(file.path.slice(0, -file.name.length), name);
      };
      return [await item('classification', folderOf('objects')), await item('normals', folderOf('scenes'))];
    },
    work: { module: new URL('./targets.work.js', import.meta.url), runs: 'thread' },
  });
