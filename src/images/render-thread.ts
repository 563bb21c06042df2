import { parentPort, workerData } from 'node:worker_threads';
import { workOn, type PictureBytes, type RenderJob } from './render-job.js';

// The program of a thread that renders views ahead: one job after the other, until it is ended.

const from = workerData as PictureBytes;

parentPort!.on('message', (jobs: readonly RenderJob[]) => {
  for (const job of jobs) workOn(job, from);
});
