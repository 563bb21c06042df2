import { byolMethod } from './byol.js';
import { colorizationMethod } from './colorization.js';
import { cpcV2Method } from './cpc-v2.js';
import { deepClusterMethod } from './deepcluster.js';
import { deepClusterV2Method } from './deepcluster-v2.js';
import type { ImageMethod } from './image-method.js';
import { isifMethod } from './isif.js';
import { jigsawMethod } from './jigsaw.js';
import { localAggregationMethod } from './local-aggregation.js';
import { mocoV2Method } from './moco-v2.js';
import { npidMethod } from './npid.js';
import { pclV1Method, pclV2Method } from './pcl.js';
import { pirlMethod } from './pirl.js';
import { rotnetMethod } from './rotnet.js';
import { simclrMethod } from './simclr.js';
import { swavMethod } from './swav.js';

/**
 * Every image-based method, in the order of the tables: those that tell instances apart, those that compare two views, those that
 * cluster, those that solve a made-up task.
 */
export const imageMethods: readonly ImageMethod[] = [
  npidMethod,
  isifMethod,
  localAggregationMethod,
  pirlMethod,
  simclrMethod,
  mocoV2Method,
  byolMethod,
  pclV1Method,
  pclV2Method,
  swavMethod,
  deepClusterMethod,
  deepClusterV2Method,
  cpcV2Method,
  rotnetMethod,
  jigsawMethod,
  colorizationMethod,
];
