import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Raster } from '../numeric/raster.js';
import { encodeVideo } from '../video/encode-video.js';
import { demoVideos, type DemoVideoOptions } from './demo-videos.js';
import { renderVideo } from './render-video.js';
import type { VideoSpec } from './video-spec.js';

function* rastersOf(spec: VideoSpec): Generator<Raster, void, void> {
  for (const frame of renderVideo(spec)) yield frame.raster;
}

/**
 * Renders and encodes the demo's videos into `dir` as `<name>.mp4`, one after the other; returns the files. Same seed and same
 * ffmpeg, same bytes. `onVideo` hears of each finished file.
 */
export const writeVideos = async (
  dir: string,
  seed: number,
  options: DemoVideoOptions = {},
  onVideo?: (done: number, total: number, spec: VideoSpec) => void,
): Promise<string[]> => {
  await mkdir(dir, { recursive: true });
  const specs = demoVideos(seed, options);
  const files: string[] = [];
  for (const spec of specs) {
    const file = path.join(dir, `${spec.name}.mp4`);
    await encodeVideo(rastersOf(spec), file, { fps: spec.fps });
    files.push(file);
    onVideo?.(files.length, specs.length, spec);
  }
  return files;
};
