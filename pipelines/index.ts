import type { Pipeline } from '../src/pipeline/pipeline.js';
import type { SideCommand } from '../src/pipeline/side-command.js';
import { compare } from './compare/index.js';
import { exportCommand } from './export/index.js';
import { imageSsl } from './image-ssl/index.js';
import { importCommand } from './import/index.js';
import { inspectCommand } from './inspect/index.js';
import { minePairs } from './mine/index.js';
import { scaling } from './scaling/index.js';
import { videoSsl } from './video-ssl/index.js';

/** Everything that `npm run pipeline NAME` can run. */
export const pipelines: readonly Pipeline[] = [videoSsl, imageSsl, compare, scaling, minePairs];

/** What looks at runs and makes none, or carries networks in and out. */
export const sideCommands: readonly SideCommand[] = [inspectCommand, exportCommand, importCommand];
