/**
 * Tracks the annotated box of each sequence of the tracking set for 30 frames, from every 10th frame, on half-size luma (240 lines
 * first, where the frames are larger), and prints mean overlap, overlap at frame 30, the share above 0.5 and updates a second.
 *
 *   node dist/bench/tracking.js [--data DIR] [--set name=value …]     (names of KcfOptions)
 */
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { iou, type Box } from '../src/numeric/box.js';
import { mean } from '../src/numeric/statistics.js';
import type { GreyImage } from '../src/tracking/grey-image.js';
import { KcfTracker, type KcfOptions } from '../src/tracking/kcf.js';

const FRAMES = 30;
const STARTS = 10;

const { values } = parseArgs({
  options: { data: { type: 'string' }, set: { type: 'string', multiple: true }, lines: { type: 'string' } },
});
const lines = Number(values.lines ?? 120);
const data = values.data ?? join(process.cwd(), '../shared/data/video/tracking');
const options = Object.fromEntries(
  (values.set ?? []).map((text) => [text.split('=')[0], Number(text.split('=')[1])]),
) as KcfOptions;

const readBoxes = (file: string, origin: number): Box[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(/[,\s]+/).map(Number))
    .map(([x, y, width, height]) => ({ x: x - origin, y: y - origin, width, height }));

export const runTrackingBench = async (): Promise<void> => {
  if (!existsSync(data)) {
    console.log(`No tracking sequences at ${data}: name their folder with --data`);
    return;
  }
  const overlaps: number[] = [];
  const last: number[] = [];
  const tracks: { minPeak: number; psr: number; overlap: number; back: number }[] = [];
  let updates = 0;
  let seconds = 0;
  for (const name of readdirSync(data).sort()) {
    const files = readdirSync(join(data, name, 'img'))
      .filter((file) => file.endsWith('.jpg'))
      .sort();
    const images: GreyImage[] = [];
    let scale = 1;
    for (const file of files) {
      const whole = sharp(join(data, name, 'img', file)).greyscale();
      const { height } = await sharp(join(data, name, 'img', file)).metadata();
      scale = lines / height;
      const { data: bytes, info } = await whole.resize({ height: lines }).raw().toBuffer({ resolveWithObject: true });
      images.push({ width: info.width, height: info.height, data: new Uint8Array(bytes) });
    }
    const origin = /^(OTB|DAVIS)/.test(name) ? 1 : 0;
    for (const truthFile of readdirSync(join(data, name))
      .filter((file) => file.startsWith('groundtruth_rect'))
      .sort()) {
      const truth = readBoxes(join(data, name, truthFile), origin).map((b) => ({
        x: b.x * scale,
        y: b.y * scale,
        width: b.width * scale,
        height: b.height * scale,
      }));
      const own: number[] = [];
      for (let start = 0; start + FRAMES < Math.min(images.length, truth.length); start += STARTS) {
        const tracker = new KcfTracker(options);
        const began = process.cpuUsage();
        tracker.start(images[start], truth[start]);
        let minPeak = Infinity;
        let psr = Infinity;
        let overlap = 0;
        for (let i = 1; i <= FRAMES; i++) {
          const found = tracker.update(images[start + i]);
          overlap = iou(found.box, truth[start + i]);
          own.push(overlap);
          minPeak = Math.min(minPeak, found.peak);
          psr = Math.min(psr, found.peakToSidelobe);
        }
        const used = process.cpuUsage(began);
        seconds += (used.user + used.system) / 1e6;
        updates += FRAMES;
        last.push(overlap);
        const end = tracker.box;
        tracker.start(images[start + FRAMES], end);
        for (let i = FRAMES - 1; i >= 0; i--) tracker.update(images[start + i]);
        tracks.push({ minPeak, psr, overlap, back: iou(tracker.box, truth[start]) });
      }
      overlaps.push(...own);
      console.log(`${name.padEnd(26)} mean overlap ${mean(own).toFixed(3)}  (${own.length / FRAMES} tracks)`);
    }
  }
  const above = last.filter((value) => value > 0.5).length / last.length;
  console.log(
    `${last.length} tracks: mean overlap over 1-${FRAMES} ${mean(overlaps).toFixed(3)}, at ${FRAMES} ${mean(last).toFixed(3)}, ` +
      `above 0.5 at ${FRAMES} ${(100 * above).toFixed(0)} %, ${(updates / seconds).toFixed(0)} updates a CPU-second`,
  );
  for (const gate of [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5]) {
    const kept = tracks.filter((track) => track.minPeak >= gate);
    console.log(
      `  min peak ${gate}: keeps ${((100 * kept.length) / tracks.length).toFixed(0)} %, their overlap at ${FRAMES} ${mean(kept.map((t) => t.overlap)).toFixed(3)}`,
    );
  }
  for (const gate of [0.3, 0.5, 0.6, 0.7]) {
    const kept = tracks.filter((track) => track.back >= gate);
    console.log(
      `  forward-backward ${gate}: keeps ${((100 * kept.length) / tracks.length).toFixed(0)} %, overlap ${mean(kept.map((t) => t.overlap)).toFixed(3)}`,
    );
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await runTrackingBench();
