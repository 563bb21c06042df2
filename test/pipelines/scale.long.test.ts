import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deriveScale } from '../../bench/scale-derive.js';
import { generateTinyVideos, tinySettings, type CountResult } from '../../bench/scale-count.js';
import { countStages, measureRun, type MeasuredRun } from '../../bench/scale-run.js';
import { writeNoiseTarget } from '../../bench/scale-target.js';

const videos = 300;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('three hundred videos', function () {
  this.timeout(1_800_000);
  const root = mkdtempSync(path.join(tmpdir(), 'video-ssl-scale-'));
  const work = path.join(root, 'run');
  let images = '';
  const run = (everyMs?: number): Promise<MeasuredRun> =>
    measureRun({
      ...{ videos: path.join(root, 'videos'), images, work, jobs: 2, sets: tinySettings },
      ...(everyMs === undefined ? {} : { everyMs }),
    });
  const executions = (): Record<string, number> =>
    Object.fromEntries(Object.entries(countStages(work)).map(([stage, counts]) => [stage, counts.executions]));

  before(async function () {
    if (process.platform !== 'linux') {
      console.log('      no /proc here: skipped');
      this.skip();
    }
    images = await writeNoiseTarget(path.join(root, 'images'));
    await generateTinyVideos(path.join(root, 'videos'), 0, videos);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it('take no more memory the more of them are done', async () => {
    const { samples, peakMb } = await run(250);
    const { mine, leaks } = countStages(work);
    assert.deepEqual([leaks.done, mine.done], [videos + 1, videos]);
    const sizes = (from: number, to: number): number[] =>
      samples
        .filter(({ stage, finished }) => stage === 'mine' && finished >= from && finished < to)
        .map(({ residentMb }) => residentMb);
    // The first hundred fill heaps and caches.
    const [middle, end] = [mean(sizes(100, 200)), mean(sizes(200, videos))];
    console.log(`      ${middle.toFixed(1)} MB, then ${end.toFixed(1)} MB; at most ${peakMb.toFixed(1)} MB`);
    assert.ok(end - middle < 20, `${(end - middle).toFixed(1)} MB more after a hundred videos`);
  });

  it('are not touched by a second run, and more of them cost only themselves', async () => {
    const before = executions();
    await run();
    assert.deepEqual(executions(), before);
    await generateTinyVideos(path.join(root, 'videos'), videos, 3);
    await run();
    const after = executions();
    assert.deepEqual(
      ['index', 'leaks', 'mine', 'targets'].map((stage) => after[stage] - before[stage]),
      [3, 3, 3, 0],
    );
  });
});

describe('what many videos would cost', () => {
  it('is what was measured, times their number', () => {
    const short = { seconds: 1, processorSeconds: 1, executed: 0 };
    const stage = { items: 1000, executions: 1000, done: 1000, artefactsMb: 5, files: 2000, seconds: 9 };
    const countOf = (many: number, peakMb: number): CountResult => ({
      ...{ videos: many, added: 50, jobs: 2, processorSeconds: 100, peakMb: 300, ffmpegPeakMb: 30, ledgerMb: 4 },
      stages: { index: { ...stage, processorSeconds: 100 } },
      stretches: {},
      again: { ...short, peakMb },
      plan: { ...short, peakMb },
      withMore: { ...short, peakMb },
    });
    // 10 s and 300 frames, in 3 s of processor time for `mine` and 1 s for `leaks`.
    const clips = {
      ...{ clips: 2, seconds: 10, frames: 300, pairs: 20, pixels: 640 * 480, artefactsMb: { leaks: 0.1, mine: 2 } },
      runs: [{ jobs: 1, seconds: { mine: 9 }, processorSeconds: { leaks: 1, mine: 3 }, peakMb: 300, ffmpegPeakMb: 30 }],
    };
    const derived = deriveScale({ clips, count: countOf(1000, 110), few: countOf(100, 101) }, 500, {
      ...{ videos: 2000, seconds: 100, fps: 30, bytesASecond: 1e6, cores: 10, pairs: 50 },
    });
    // 2000 videos of 3000 frames: 6 million, at 300 and 100 a second; 200 s of looking into them, 400 s of hashing.
    assert.deepEqual(derived.framesAProcessorSecond, { leaks: 300, mine: 100 });
    assert.deepEqual(derived.coreHours, {
      index: 600 / 3600,
      leaks: 20_000 / 3600,
      mine: 60_000 / 3600,
      all: 600 / 3600 + 20_000 / 3600 + 60_000 / 3600,
    });
    assert.equal(derived.hashingHours, 400 / 3600);
    assert.ok(Math.abs(derived.days - (80_200 / 10 + 400) / 86_400) < 1e-12);
    // 200 pairs a video, of which 50 are kept; 20 MB a video, of which 5.
    assert.equal(derived.pairs, 400_000);
    assert.equal(derived.pairsCapped, 100_000);
    assert.equal(derived.disk.minedGb, 40);
    assert.equal(derived.disk.minedCappedGb, 10);
    assert.equal(derived.disk.files, 4000);
    // 9 MB more for 900 videos more.
    assert.ok(Math.abs(derived.coordinatorGb - 0.121) < 1e-12);
  });
});
