import type { Pipeline } from '../src/pipeline/pipeline.js';
import { compare } from './compare/index.js';
import { imageSsl } from './image-ssl/index.js';
import { scaling } from './scaling/index.js';
import { videoSsl } from './video-ssl/index.js';

/** Everything that `npm run pipeline NAME` can run. */
export const pipelines: readonly Pipeline[] = [videoSsl, imageSsl, compare, scaling];
