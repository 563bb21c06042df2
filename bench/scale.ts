/**
 * How mining grows: with the length of a video, with the number of videos, with the workers. Runs the real pipeline
 * (`video-ssl --until mine`) in a process of its own and looks at it from outside, through `/proc` (Linux). Then derives from what
 * was measured what many web videos would cost.
 *
 *   node dist/bench/scale.js [--only few,count,length,clips,derive,page] [--count N] [--out FILE.json] [--work DIR] [--clips DIR] [--long FILE]
 *
 * Each part replaces its own section of the result file, so that one can be measured again by itself; `page` writes the tables of
 * `docs/scale.md` from it.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureClips } from './scale-clips.js';
import { measureCount } from './scale-count.js';
import { deriveScale, hashSpeed } from './scale-derive.js';
import { measureLength } from './scale-length.js';
import { writeScalePage } from './scale-page.js';
import { writeNoiseTarget } from './scale-target.js';

type Measured = Parameters<typeof deriveScale>[0];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'few,count,length,clips,derive,page' },
    count: { type: 'string', default: '5000' },
    out: { type: 'string', default: 'results/scale.json' },
    work: { type: 'string' },
    page: { type: 'string', default: 'docs/scale.md' },
    clips: { type: 'string', default: '../shared/data/video/clips' },
    long: { type: 'string', default: '../shared/data/video/awkward/ax_mp4_long_1080p_videoonly_lowbitrate.mp4' },
  },
});

/** Runs the parts that were asked for, and writes what they came to. */
export const runScaleBench = async (): Promise<void> => {
  const root = values.work ?? mkdtempSync(path.join(tmpdir(), 'video-ssl-scale-'));
  mkdirSync(root, { recursive: true });
  const known = existsSync(values.out) ? (JSON.parse(readFileSync(values.out, 'utf8')) as object) : {};
  const result: Record<string, unknown> = {
    ...known,
    machine: { processor: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() },
  };
  const images = await writeNoiseTarget(path.join(root, 'noise'));
  for (const part of values.only.split(',')) {
    const folder = path.join(root, part);
    mkdirSync(folder, { recursive: true });
    const count = (videos: number) =>
      measureCount(folder, images, { videos, added: 50, jobs: 2, every: Math.ceil(videos / 10) });
    if (part === 'count') result[part] = await count(Number(values.count));
    else if (part === 'few') result[part] = await count(100);
    else if (part === 'length') result[part] = await measureLength(folder, images, values.long);
    else if (part === 'clips') result[part] = (await measureClips(folder, images, values.clips)) ?? result[part];
    else if (part === 'derive') result[part] = deriveScale(result as Measured, hashSpeed());
    else if (part === 'page') writeScalePage(values.page, result);
    else throw new RangeError(`Expected --only to name few, count, length, clips, derive or page, got \`${part}\``);
    if (part in result) console.log(JSON.stringify(result[part], null, 2));
    writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
  }
  if (values.work === undefined) rmSync(root, { recursive: true, force: true });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await runScaleBench();
