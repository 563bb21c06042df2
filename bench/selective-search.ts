// Region proposals beside OpenCV's (`cv2.ximgproc.segmentation`), on the same rasters, one thread each, the two alternating: the share of annotated
// objects that the first N boxes cover (IoU 0.5 and 0.7), how many boxes there are, and the times. Exit 1 if this project covers
// less by more than 2 points at any N, or if it is slower. With some dozens of objects two points are chance: `--images` below the default is
// for a look at the times.
//
//   node dist/bench/selective-search.js [--data DIR[,DIR]] [--modes fast,quality] [--images 100] [--max-side 500] [--json FILE]
//
// The first run installs opencv-contrib-python-headless into a virtual environment of its own, in the cache folder.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadDetection, openDetectionDataset, type LoadedImage } from '../src/images/detection-dataset.js';
import { iou, type Box } from '../src/numeric/box.js';
import type { Raster } from '../src/numeric/raster.js';
import { median } from '../src/numeric/statistics.js';
import {
  selectiveSearch,
  type SelectiveSearchMode,
} from '../src/transfer/detection/selective-search/selective-search.js';
import { pythonVenv } from './python-venv.js';

const boxCounts = [100, 200, 500, 1000, 2000, Infinity];
const overlaps = [0.5, 0.7];
const allowedLoss = 2;

/** What one side found in one image; processor time is what a busy machine does not falsify. */
type Found = { readonly boxes: readonly Box[]; readonly seconds: number; readonly cpuSeconds: number };

const openOpenCv = async (
  python: string,
  folder: string,
): Promise<{ version: string; search(image: Raster, mode: SelectiveSearchMode): Promise<Found>; close(): void }> => {
  const script = path.join(import.meta.dirname, '..', '..', 'bench', 'selective_search_opencv.py');
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('OpenCV ended early: see its message above');
    return JSON.parse(value) as T;
  };
  const { version } = await answer<{ version: string }>();
  const pixels = path.join(folder, 'pixels.rgb');
  return {
    version,
    search: async ({ width, height, data }, mode) => {
      await writeFile(pixels, data);
      child.stdin.write(`${JSON.stringify({ pixels, width, height, mode })}\n`);
      const found = await answer<{ boxes: number[]; seconds: number; cpuSeconds: number }>();
      const boxes = Array.from({ length: found.boxes.length / 4 }, (_, i) => {
        const [x, y, width, height] = found.boxes.slice(4 * i, 4 * i + 4);
        return { x: x!, y: y!, width: width!, height: height! };
      });
      return { ...found, boxes };
    },
    close: () => void child.stdin.end(),
  };
};

const searchOurs = (image: Raster, mode: SelectiveSearchMode): Found => {
  const began = performance.now();
  const used = process.cpuUsage();
  const found = selectiveSearch(image, { mode });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  const boxes = Array.from({ length: found.length / 4 }, (_, i) => {
    const [x, y, x1, y1] = found.subarray(4 * i, 4 * i + 4);
    return { x: x!, y: y!, width: x1! - x!, height: y1! - y! };
  });
  return { boxes, seconds, cpuSeconds: (user + system) / 1e6 };
};

/** For each object of an image, the best overlap among the first N boxes, for each N. */
const bestOverlaps = (image: LoadedImage, boxes: readonly Box[], counts: readonly number[]): number[][] =>
  image.objects
    .filter(({ difficult, crowd }) => !difficult && !crowd)
    .map(({ box: object }) => {
      let best = 0;
      let at = 0;
      return counts.map((count) => {
        for (; at < Math.min(count, boxes.length); at++) best = Math.max(best, iou(boxes[at]!, object));
        return best;
      });
    });

/** For each N, per cent of objects covered at each overlap, and the mean best overlap. */
const recallTable = (perObject: readonly (readonly number[])[], counts: number): number[][] =>
  Array.from({ length: counts }, (_, column) => {
    const best = perObject.map((row) => row[column]!);
    const percent = (least: number): number => (100 * best.filter((value) => value >= least).length) / best.length;
    return [...overlaps.map(percent), (100 * best.reduce((sum, value) => sum + value, 0)) / best.length];
  });

const { values } = parseArgs({
  options: {
    data: {
      type: 'string',
      default: ['voc2012-100', 'animals2'].map((s) => `../shared/data/images/detection/${s}`).join(),
    },
    modes: { type: 'string', default: 'fast,quality' },
    images: { type: 'string', default: '100' },
    'max-side': { type: 'string', default: '500' },
    json: { type: 'string', default: 'runs/bench/selective-search.json' },
  },
});
const folders = values.data.split(',');
const modes = values.modes.split(',') as SelectiveSearchMode[];
const missing = folders.find((folder) => !existsSync(folder));
if (missing !== undefined) throw new Error(`Expected annotated pictures at ${missing}: name their folders with --data`);

const folder = await mkdtemp(path.join(tmpdir(), 'bench-selective-search-'));
const failures: string[] = [];
const results: unknown[] = [];
const python = await pythonVenv('bench-opencv', { installs: [['opencv-contrib-python-headless', 'numpy']] });
const openCv = await openOpenCv(python, folder);
console.log(`beside OpenCV ${openCv.version}, 1 thread each (${cpus()[0]?.model ?? 'unknown'})`);
try {
  for (const data of folders) {
    const dataset = await openDetectionDataset(data);
    const chosen = [...dataset.test, ...dataset.train].slice(0, Number(values.images));
    const images = (await loadDetection({ ...dataset, train: [], test: chosen }, Number(values['max-side']))).test;
    for (const mode of modes) {
      searchOurs(images[0]!.raster, mode);
      const sides = { ours: [] as Found[], openCv: [] as Found[] };
      for (const [i, { raster }] of images.entries()) {
        // Taking turns, so that neither always runs in the other's shadow.
        if (i % 2 === 0) sides.ours.push(searchOurs(raster, mode));
        sides.openCv.push(await openCv.search(raster, mode));
        if (i % 2 === 1) sides.ours.push(searchOurs(raster, mode));
      }
      const tableOf = (own: readonly Found[], other: readonly Found[]): number[][] => {
        const perObject = images.flatMap((image, i) => {
          const { boxes } = own[i]!;
          const equal = bestOverlaps(image, boxes, [Math.min(boxes.length, other[i]!.boxes.length)]);
          return bestOverlaps(image, boxes, boxCounts).map((row, object) => [...row, ...equal[object]!]);
        });
        return recallTable(perObject, boxCounts.length + 1);
      };
      const tables = { ours: tableOf(sides.ours, sides.openCv), openCv: tableOf(sides.openCv, sides.ours) };
      const meanBoxes = (found: readonly Found[]): number =>
        Math.round(found.reduce((sum, { boxes }) => sum + boxes.length, 0) / found.length);
      const ratios = (pick: (found: Found) => number): { min: number; median: number; total: number } => {
        const each = sides.openCv.map((found, i) => pick(found) / pick(sides.ours[i]!));
        const sum = (found: readonly Found[]): number => found.reduce((all, own) => all + pick(own), 0);
        return { min: Math.min(...each), median: median(each), total: sum(sides.openCv) / sum(sides.ours) };
      };
      const speed = { wall: ratios(({ seconds }) => seconds), cpu: ratios(({ cpuSeconds }) => cpuSeconds) };
      const objects = images.flatMap((image) => bestOverlaps(image, [], [0])).length;
      const boxes = { ours: meanBoxes(sides.ours), openCv: meanBoxes(sides.openCv) };
      console.log(
        `\n${path.basename(data)}, ${mode}: ${images.length} images, ${objects} objects; boxes an image ${boxes.ours}, OpenCV ${boxes.openCv}\n` +
          '  first boxes      IoU 0.5          IoU 0.7        mean best IoU\n' +
          '                 ours  OpenCV     ours  OpenCV     ours  OpenCV',
      );
      const names = [...boxCounts.map((count) => (count === Infinity ? 'all' : String(count))), 'equal'];
      names.forEach((name, row) => {
        const cells = [0, 1, 2].map((column) =>
          [tables.ours, tables.openCv].map((table) => table[row]![column]!.toFixed(1).padStart(7)).join(''),
        );
        console.log(`  ${name.padEnd(11)} ${cells.join('   ')}`);
        for (const [column, overlap] of overlaps.entries()) {
          const loss = tables.openCv[row]![column]! - tables.ours[row]![column]!;
          if (loss > allowedLoss) {
            failures.push(
              `${path.basename(data)}, ${mode}, ${name} boxes, IoU ${overlap}: ${loss.toFixed(1)} points less`,
            );
          }
        }
      });
      const show = ({ min, median: middle, total }: { min: number; median: number; total: number }): string =>
        `min ${min.toFixed(1)}, median ${middle.toFixed(1)}, total ${total.toFixed(1)}`;
      console.log(`  OpenCV's time over ours: processor ${show(speed.cpu)}; wall ${show(speed.wall)}`);
      if (!(Math.max(speed.cpu.median, speed.wall.median) >= 1))
        failures.push(`${path.basename(data)}, ${mode}: slower`);
      const seconds = (found: readonly Found[]): number => median(found.map(({ cpuSeconds }) => cpuSeconds));
      const cpuSeconds = { ours: seconds(sides.ours), openCv: seconds(sides.openCv) };
      const rows = names.map((name, i) => ({ boxes: name, ours: tables.ours[i], openCv: tables.openCv[i] }));
      results.push({ data: path.basename(data), mode, images: images.length, objects, boxes, cpuSeconds, speed, rows });
    }
  }
} finally {
  openCv.close();
  await rm(folder, { recursive: true, force: true });
}
await mkdir(path.dirname(values.json), { recursive: true });
const columns = [...overlaps.map((overlap) => `recall at ${overlap}, %`), 'mean best overlap, %'];
const report = { openCv: openCv.version, maxSidePx: Number(values['max-side']), columns, results };
await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
console.log(`\n${values.json}`);
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
