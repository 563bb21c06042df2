import { parentPort, workerData } from 'node:worker_threads';
import type { PixelCache } from './pixel-cache.js';
import { workOn, type RenderJob } from './render-job.js';

// The program of a thread that renders views ahead: one job after the other, until it is ended.

const cache = workerData as Pick<PixelCache, 'size' | 'pixels'>;

parentPort!.on('message', (jobs: readonly RenderJob[]) => {
  for (const job of jobs) workOn(job, cache);
});
