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
    const { index, mine } = countStages(work);
    assert.deepEqual([index.done, mine.done], [videos, videos]);
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
      ['targets', 'index', 'mine'].map((stage) => after[stage] - before[stage]),
      [0, 3, 3],
    );
  });
});

describe('what many videos would cost', () => {
  it('is what was measured, times their number', () => {
    const short = { seconds: 1, processorSeconds: 1, executed: 0 };
    const stage = { items: 1000, executions: 1000, done: 1000, artefactsMb: 5, files: 2000, seconds: 9 };
    const countOf = (many: number, peakMb: number): CountResult => ({
      ...{ videos: many, added: 50, jobs: 2, processorSeconds: 100, peakMb: 300, ffmpegPeakMb: 30, ledgerMb: 4 },
      // 0.1 s a file for `index`, 0.2 s for `mine`.
      stages: { index: { ...stage, processorSeconds: 100 }, mine: { ...stage, processorSeconds: 200 } },
      stretches: {},
      again: { ...short, peakMb },
      plan: { ...short, peakMb },
      withMore: { ...short, peakMb },
    });
    // 300 frames of 2 files, in 3.4 s of processor time for `mine` and 0.2 s for `index`: 0.01 s and nothing a frame.
    const clips = {
      ...{ clips: 2, seconds: 10, frames: 300, pairs: 20, pixels: 640 * 480, artefactsMb: { index: 0.1, mine: 2 } },
      runs: [{ jobs: 1, seconds: {}, processorSeconds: { index: 0.2, mine: 3.4 }, peakMb: 300, ffmpegPeakMb: 30 }],
    };
    const derived = deriveScale({ clips, count: countOf(1000, 110), few: countOf(100, 101) }, 500, {
      ...{ videos: 2000, seconds: 100, fps: 30, bytesASecond: 1e6, cores: 10, pairs: 50 },
    });
    const near = (value: number, expected: number): void =>
      assert.ok(Math.abs(value - expected) <= 1e-9 * expected, `${value}, not ${expected}`);
    // 2000 files of 3000 frames: 200 s for `index`, 400 + 60000 s for `mine`; 200 GB hashed in 400 s.
    assert.equal(derived.stages.leaks.coreHours, 0);
    near(derived.stages.index.coreHours, 200 / 3600);
    near(derived.stages.mine.coreHours, 60_400 / 3600);
    near(derived.coreHours, 61_000 / 3600);
    near(derived.days, (60_600 / 10 + 400) / 86_400);
    // 200 pairs a video, of which 50 are kept; 20 MB a video, of which 5.
    near(derived.pairs, 400_000);
    near(derived.pairsCapped, 100_000);
    near(derived.disk.printsGb, 2);
    near(derived.disk.minedGb, 40);
    near(derived.disk.minedCappedGb, 10);
    near(derived.disk.files, 8000);
    // 9 MB more for 900 videos more.
    near(derived.coordinatorGb, 0.121);
  });
});
