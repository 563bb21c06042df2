// One pass of the bench of workers: mines files in so many of the pipeline's worker threads, as the stage `mine` does (probed before, patches
// written as shards), and prints one line of JSON: wall and processor seconds of the whole process tree, and the wall seconds of each file. Every
// worker first mines the smallest file, untimed. Its argument is a PoolTask as JSON.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MinePayload, MinedVideo } from '../pipelines/video-ssl/stages/mine.js';
import { makeWorker, type ItemWorker } from '../src/pipeline/workers/worker-pool.js';
import { probeVideo } from '../src/video/probe-video.js';
import { processorTime, processorTimeSince } from './mining-processor-time.js';

/** What is mined by how many; `params` are those of the stage `mine`. */
export type PoolTask = { readonly files: readonly string[]; readonly workers: number; readonly params: unknown };

/** What a pass took. */
export type PoolPass = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly frames: number;
  readonly pairs: number;
  readonly secondsOfFiles: readonly number[];
};

const { files, workers: count, params } = JSON.parse(process.argv[2]) as PoolTask;
type Clip = { readonly content: string; readonly payload: MinePayload };
const clips: Clip[] = [];
for (const file of files) {
  const content = createHash('sha256').update(readFileSync(file)).digest('hex');
  clips.push({ content, payload: { path: file, info: await probeVideo(file) } });
}
const folder = mkdtempSync(path.join(tmpdir(), 'bench-mining-'));
const setup = {
  ...{ module: new URL('../pipelines/video-ssl/stages/mine.work.js', import.meta.url).href, params, inputs: [] },
  settings: { device: 'cpu' as const, jobs: count, command: 'bench' },
};
const workers = Array.from({ length: count }, () => makeWorker('thread', setup, { environment: {} }));
let folders = 0;
const mine = async (
  worker: ItemWorker,
  { content, payload }: Clip,
): Promise<MinedVideo & { readonly seconds: number }> => {
  const [outputs, scratch] = ['outputs', 'scratch'].map((name) => path.join(folder, `${folders}-${name}`));
  folders++;
  for (const made of [outputs, scratch]) mkdirSync(made);
  const label = path.basename(payload.path);
  const began = performance.now();
  const verdict = await worker.run(
    { item: { label, content, payload }, outputs, scratch },
    { progress: () => undefined, log: (line) => console.error(line) },
  );
  const seconds = (performance.now() - began) / 1000;
  rmSync(outputs, { recursive: true });
  if (verdict.status === 'done') return { ...(verdict.data as MinedVideo), seconds };
  if (verdict.status === 'rejected') return { frames: 0, pairs: 0, decisions: {}, seconds };
  throw new Error(`${label}: ${verdict.status === 'failed' ? verdict.reason : verdict.status}`);
};

try {
  const sizes = files.map((file) => statSync(file).size);
  const smallest = clips[sizes.indexOf(Math.min(...sizes))];
  for (const worker of workers) await mine(worker, smallest);
  const queue = clips.map((clip, i) => ({ clip, i }));
  const mined: Awaited<ReturnType<typeof mine>>[] = [];
  const [began, used] = [performance.now(), processorTime()];
  await Promise.all(
    workers.map(async (worker) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        mined[next.i] = await mine(worker, next.clip);
    }),
  );
  const { own, children } = processorTimeSince(used);
  const pass: PoolPass = {
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: own + children,
    frames: mined.reduce((sum, { frames }) => sum + frames, 0),
    pairs: mined.reduce((sum, { pairs }) => sum + pairs, 0),
    secondsOfFiles: mined.map(({ seconds }) => seconds),
  };
  console.log(JSON.stringify(pass));
} finally {
  await Promise.all(workers.map((worker) => worker.close()));
  rmSync(folder, { recursive: true, force: true });
}
