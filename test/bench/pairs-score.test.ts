import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditSchema, verdictSchema, type Audit, type AuditLabel } from '../../bench/audit-labels.js';
import { addLabels, compareVerdicts, mergeAudit, printAudit } from '../../bench/audit-merge.js';
import type { MinedClip } from '../../bench/audit-mine.js';
import { drawTimeSteps, unlabelledTracks } from '../../bench/audit-draw.js';
import { failuresOf } from '../../bench/pairs.js';
import { mapBox, scorePairs, shareOf, wilsonInterval, type ScoredPair } from '../../bench/pairs-score.js';
import { iou, type Box } from '../../src/numeric/box.js';

const video = (letter: string): string => letter.repeat(64);
type Four = [number, number, number, number];

const label = (id: number, more: Partial<AuditLabel> = {}): AuditLabel => ({
  ...{ id, video: video('a'), clip: 'a.mp4', workingSize: [600, 448], startFrame: 30, endFrame: 60, window: 0 },
  ...{ start: [100, 100, 100, 100], tracked: [200, 100, 100, 100], truth: [200, 100, 100, 100] },
  ...more,
});
const audit = (labels: AuditLabel[], steps: Audit['steps'] = []): Audit => ({
  drawn: { seed: 6, mining: {}, clips: 1, timeSteps: 10, pairs: 10 },
  steps: [...labels.map(({ video, startFrame }) => ({ video, startFrame })), ...steps],
  labels,
});
const pair = (start: Four, end: Four, more: Partial<ScoredPair> = {}): ScoredPair => {
  const box = ([x, y, width, height]: Four): Box => ({ x, y, width, height });
  return {
    ...{ video: video('a'), startFrame: 30, workingSize: [600, 448], start: box(start), end: box(end) },
    ...more,
  };
};

describe('scoring pairs by the audit', () => {
  it('carries a box along the motion of a label, size included', () => {
    const from = { x: 100, y: 100, width: 100, height: 50 };
    const to = { x: 10, y: 20, width: 200, height: 100 };
    assert.deepEqual(mapBox(from, from, to), to);
    assert.deepEqual(mapBox({ x: 110, y: 95, width: 40, height: 20 }, from, to), {
      x: 30,
      y: 10,
      width: 80,
      height: 40,
    });
  });

  it('is right where a pair ends with what is labelled, and wrong where it ends elsewhere or the thing is gone', () => {
    const labels = [
      label(1),
      label(2, { startFrame: 33, truth: [400, 100, 100, 100], error: 'background' }),
      label(3, { startFrame: 36, truth: 'gone', error: 'gone' }),
    ];
    const tracked: Four = [200, 100, 100, 100];
    const score = scorePairs(
      audit(labels),
      [30, 33, 36].map((startFrame) => pair([100, 100, 100, 100], tracked, { startFrame })),
    );
    assert.deepEqual(
      score.verdicts.map(({ right }) => right),
      [true, false, false],
    );
    assert.equal(score.precision.share, 1 / 3);
    assert.equal(score.unaudited, 0);
    assert.deepEqual(score.errors, { background: 1, gone: 1 });
    assert.deepEqual(score.foundAgain, { right: 1, ofRight: 1, wrong: 2, ofWrong: 2 });
  });

  it('judges a pair that starts a little elsewhere by where its own start would have gone', () => {
    // 25 px to the right at the start: overlap 0.6 with the label, and 25 px to the right at the end is exact.
    const exact = scorePairs(audit([label(1)]), [pair([125, 100, 100, 100], [225, 100, 100, 100])]);
    assert.deepEqual(
      exact.verdicts.map(({ right }) => right),
      [true],
    );
    // 34 px further left than it would have gone: overlap 0.49 is wrong by half, and right by 0.3.
    const off = pair([125, 100, 100, 100], [225 - 34.5, 100, 100, 100]);
    assert.equal(scorePairs(audit([label(1)]), [off]).precision.right, 0);
    assert.equal(scorePairs(audit([label(1)]), [off], { rightIou: 0.3 }).precision.right, 1);
    assert.deepEqual(scorePairs(audit([label(1)]), [off]).errors, { drifted: 1 });
  });

  it('repairs nothing: a mining that ends where the thing truly is counts, though the labelled track was wrong', () => {
    const labels = [label(1, { truth: [400, 100, 100, 100], error: 'background' })];
    const score = scorePairs(audit(labels), [pair([100, 100, 100, 100], [400, 100, 100, 100])]);
    assert.equal(score.precision.share, 1);
    assert.deepEqual(score.foundAgain, { right: 0, ofRight: 0, wrong: 1, ofWrong: 1 });
  });

  it('counts pairs without a label at audited time-steps, also where nothing had been found, and no others', () => {
    const score = scorePairs(audit([label(1)], [{ video: video('b'), startFrame: 12 }]), [
      pair([100, 100, 100, 100], [200, 100, 100, 100]),
      pair([300, 300, 100, 100], [300, 300, 100, 100]),
      pair([100, 100, 100, 100], [200, 100, 100, 100], { video: video('b'), startFrame: 12 }),
      pair([100, 100, 100, 100], [200, 100, 100, 100], { startFrame: 31 }),
      pair([100, 100, 100, 100], [200, 100, 100, 100], { video: video('c') }),
    ]);
    assert.equal(score.pairsAtSteps, 3);
    assert.equal(score.unaudited, 2);
    assert.equal(score.precision.of, 1);
  });

  it('takes the label that overlaps most, and none at half or less', () => {
    const labels = [label(1, { start: [100, 100, 100, 100] }), label(2, { start: [120, 100, 100, 100] })];
    const starts: Four[] = [
      [104, 100, 100, 100],
      [118, 100, 100, 100],
      [100, 100, 100, 200],
    ];
    const score = scorePairs(
      audit(labels),
      starts.map((start) => pair(start, start)),
    );
    assert.deepEqual(
      score.verdicts.map(({ label: best }) => best?.id),
      [1, 2, undefined],
    );
  });

  it('compares boxes of frames worked on at another size', () => {
    const half = pair([50, 50, 50, 50], [100, 50, 50, 50], { workingSize: [300, 224] });
    assert.equal(scorePairs(audit([label(1)]), [half]).precision.share, 1);
  });

  it('leaves doubtful labels out of one of its two precisions', () => {
    const labels = [label(1), label(2, { startFrame: 33, truth: 'gone', error: 'gone', doubtful: true })];
    const pairs = [30, 33].map((startFrame) => pair([100, 100, 100, 100], [200, 100, 100, 100], { startFrame }));
    const score = scorePairs(audit(labels), pairs);
    assert.equal(score.precision.share, 0.5);
    assert.equal(score.withoutDoubtful.share, 1);
  });

  it('tells pairs on background, and precision by what the paper comes to at the time-step', () => {
    const labels = [
      label(1, { background: true }),
      label(2, { startFrame: 33, truth: 'gone', error: 'gone' }),
      label(3, { startFrame: 36 }),
    ];
    const steps = ['tracked', 'too-little-motion', 'too-little-motion'].map((paper, k) => ({
      ...{ video: video('a'), startFrame: 30 + 3 * k },
      paper,
    }));
    const pairs = [30, 33, 36].map((startFrame) => pair([100, 100, 100, 100], [200, 100, 100, 100], { startFrame }));
    const { background, byPaper } = scorePairs({ ...audit(labels), steps }, pairs);
    assert.deepEqual([background.right, background.of], [1, 3]);
    assert.deepEqual(Object.keys(byPaper), ['too-little-motion', 'tracked']);
    assert.deepEqual([byPaper['tracked']?.share, byPaper['too-little-motion']?.share], [1, 0.5]);
  });

  it('refuses a label outside of the drawn time-steps', () => {
    assert.throws(() => scorePairs({ ...audit([label(7)]), steps: [] }, []), /label 7 .* drawn time-step, got `30`/);
  });

  it('fails above 30 % unaudited, below the floor, and where there is nothing to judge', () => {
    const precision = { ...shareOf([true, true, true, false], ['a', 'a', 'b', 'b']) };
    const passing = { precision, pairsAtSteps: 10, unauditedShare: 0.3 };
    assert.deepEqual(failuresOf(passing), []);
    assert.deepEqual(failuresOf(passing, 0.75), []);
    assert.equal(failuresOf(passing, 0.76).length, 1);
    assert.match(failuresOf({ ...passing, unauditedShare: 0.31 })[0], /31\.0 % .* more than 30\.0 %/);
    assert.equal(failuresOf({ ...passing, pairsAtSteps: 0 }).length, 1);
    assert.equal(failuresOf({ ...passing, precision: shareOf([], []) }, 0.5).length, 1);
  });
});

describe('the interval of a share', () => {
  it("is Wilson's of the textbook", () => {
    // 73 of 80: 0.830 to 0.957; 0 of 10: 0 to 0.278.
    const [low, high] = wilsonInterval(73, 80);
    assert.ok(Math.abs(low - 0.8302) < 5e-4 && Math.abs(high - 0.957) < 5e-4, `${low}, ${high}`);
    const [none, most] = wilsonInterval(0, 10);
    assert.ok(Math.abs(none) < 1e-12 && Math.abs(most - 0.2775) < 5e-4);
    assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
  });

  it('is wide where what is wrong lies in one video, and no wider than the pairs where every video is alike', () => {
    const flags = Array.from({ length: 100 }, (_, i) => i >= 20);
    const oneVideo = shareOf(
      flags,
      flags.map((_, i) => String(Math.floor(i / 20))),
    );
    const spread = shareOf(
      flags,
      flags.map((_, i) => String(i % 20)),
    );
    const width = ({ overVideos: [low, high] }: { overVideos: readonly [number, number] }): number => high - low;
    assert.equal(oneVideo.share, 0.8);
    assert.ok(width(oneVideo) > 0.4, `${width(oneVideo)}`);
    assert.ok(width(spread) < 1e-9, `${width(spread)}`);
    assert.deepEqual(
      shareOf(
        flags,
        flags.map((_, i) => String(i % 7)),
      ),
      shareOf(
        flags,
        flags.map((_, i) => String(i % 7)),
      ),
    );
  });
});

describe('drawing the audit', () => {
  const box = (x: number): Box => ({ x, y: 0, width: 10, height: 10 });
  const clip = (letter: string, pairsAt: (step: number) => number): MinedClip => {
    const steps = Array.from({ length: 200 }, (_, k) => 3 * k);
    return {
      ...{ file: `${letter}.mp4`, sha256: video(letter), workingSize: [64, 64], frames: 600 },
      steps: steps.map((frame) => ({ kind: 'step', frame, shot: 0, outcome: frame < 570 ? 'tracked' : 'clip-ends' })),
      tracks: steps.flatMap((startFrame, k) =>
        Array.from({ length: pairsAt(k) }, (_, window) => ({
          ...{ startFrame, endFrame: startFrame + 30, window, crowdedOut: window === 3 },
          boxes: [box(window), box(window + 1)],
          numbers: { kind: 'track', frame: startFrame, window, outcome: 'pair', minPeak: 1, minPeakToSidelobe: 9 },
        })),
      ),
    };
  };

  it('takes whole time-steps, also empty ones, with a chance that does not grow with their pairs', () => {
    let [crowded, lonely] = [0, 0];
    for (let seed = 1; seed <= 40; seed++) {
      const clips = [clip('a', (k) => (k % 2 === 0 ? 4 : 0)), clip('b', (k) => (k % 2 === 0 ? 1 : 0))];
      const { steps, tracks, timeSteps } = drawTimeSteps(clips, { seed, tracks: 60 });
      assert.equal(timeSteps, 380);
      assert.ok(steps.every(({ startFrame }) => startFrame < 570));
      const kept = tracks.filter(({ window }) => window < 3);
      assert.ok(kept.length >= 60 && kept.length < 63);
      assert.ok(tracks.slice(kept.length).every(({ window }) => window === 3));
      for (const { video: name, startFrame } of steps.filter((step) => step.startFrame % 2 === 0)) {
        const there = kept.filter((track) => track.video === name && track.startFrame === startFrame);
        assert.equal(there.length, name === video('a') ? 3 : 1);
        if (name === video('a')) crowded++;
        else lonely++;
      }
      assert.ok(steps.some(({ startFrame }) => startFrame % 2 === 1));
    }
    const share = crowded / (crowded + lonely);
    assert.ok(Math.abs(share - 0.5) < 0.07, `${share}`);
  });

  it('is the same for the same seed, whatever order the clips come in, and another for another', () => {
    const clips = [clip('a', () => 1), clip('b', () => 2)];
    const drawn = drawTimeSteps(clips, { seed: 6, tracks: 30 });
    assert.deepEqual(drawTimeSteps(clips.slice().reverse(), { seed: 6, tracks: 30 }), drawn);
    assert.notDeepEqual(drawTimeSteps(clips, { seed: 7, tracks: 30 }).steps, drawn.steps);
    assert.deepEqual(
      drawn.tracks.map(({ id }) => id),
      drawn.tracks.map((_, index) => index + 1),
    );
  });
});

describe('adding to an audit', () => {
  const track = (startFrame: number, window: number, [x, y, width, height]: Four, crowdedOut = false) => ({
    ...{ startFrame, endFrame: startFrame + 30, window, crowdedOut },
    boxes: [
      { x, y, width, height },
      { x: x + 50, y, width, height },
    ],
  });
  const mined = (tracks: MinedClip['tracks']): MinedClip => ({
    ...{ file: 'a.mp4', sha256: video('a'), workingSize: [600, 448], frames: 600, steps: [], tracks },
  });

  it('takes what no label speaks for at the drawn time-steps, once each, numbered onwards', () => {
    const clips = [
      mined([
        track(30, 0, [110, 100, 100, 100]),
        track(30, 1, [300, 100, 100, 100]),
        track(30, 2, [400, 300, 100, 100], true),
        track(31, 0, [300, 100, 100, 100]),
      ]),
      mined([track(30, 0, [310, 100, 100, 100]), track(30, 1, [0, 0, 50, 50])]),
    ];
    const found = unlabelledTracks(audit([label(4)]), { options: {}, clips });
    assert.deepEqual(
      found.map(({ drawn }) => [drawn.id, drawn.start, drawn.tracked]),
      [
        [5, [300, 100, 100, 100], [350, 100, 100, 100]],
        [6, [0, 0, 50, 50], [50, 0, 50, 50]],
      ],
    );
  });

  it('keeps what was there, and refuses a number twice', () => {
    const both = addLabels(audit([label(1)]), { labels: [label(2)] });
    assert.deepEqual(
      both.labels.map(({ id }) => id),
      [1, 2],
    );
    assert.throws(() => addLabels(both, { labels: [label(2)] }), /got 2 again/);
  });
});

describe('verdicts on drawn tracks', () => {
  const track = ({ id, video: name, clip, workingSize, startFrame, endFrame, window, start, tracked }: AuditLabel) => ({
    ...{ id, video: name, clip, workingSize, startFrame, endFrame, window, start, tracked },
  });
  const draw = {
    ...{ seed: 6, mining: {}, clips: 1, timeSteps: 10, pairs: 10 },
    steps: [{ video: video('a'), startFrame: 30 }],
    tracks: [label(1), label(2), label(3), label(4)].map(track),
  };
  const verdicts = {
    '1': { verdict: 'same' },
    '2': { verdict: 'moved', end: [400, 100, 100, 100], error: 'background', note: 'beside it' },
    '3': { verdict: 'gone', error: 'gone', doubtful: true },
    '4': { verdict: 'same' },
  } as const;
  const mutable = JSON.parse(JSON.stringify(verdicts)) as Parameters<typeof mergeAudit>[1];

  it('become labels that survive being written and read', () => {
    const merged = mergeAudit(draw, mutable);
    assert.deepEqual(
      merged.labels.map(({ truth }) => truth),
      [[200, 100, 100, 100], [400, 100, 100, 100], 'gone', [200, 100, 100, 100]],
    );
    assert.deepEqual(auditSchema.parse(JSON.parse(printAudit(merged))), merged);
  });

  it('must be there for each, and say where and why', () => {
    const { 2: _, ...less } = mutable;
    assert.throws(() => mergeAudit(draw, less), /got none for 2/);
    assert.equal(verdictSchema.safeParse({ verdict: 'moved', error: 'background' }).success, false);
    assert.equal(verdictSchema.safeParse({ verdict: 'gone' }).success, false);
    assert.equal(verdictSchema.safeParse({ verdict: 'same', error: 'static' }).success, false);
  });

  it("of two labellers are compared by Cohen's kappa on whether a track is right", () => {
    // Right, wrong, wrong, right beside right, right, wrong, right: three of four agree; by chance (2/4)(3/4) + (2/4)(1/4) = 1/2.
    const second = {
      ...mutable,
      '2': { verdict: 'moved', end: [210, 100, 100, 100], error: 'background' },
    } as typeof mutable;
    const { both, agree, kappa, differ } = compareVerdicts(draw, mutable, second);
    assert.deepEqual([both, agree, differ], [4, 3, [2]]);
    assert.ok(Math.abs(kappa - 0.5) < 1e-12);
  });
});

describe('the labels of the audit', () => {
  const file = join(process.cwd(), 'test/audit/labels.json');
  before(function () {
    if (!existsSync(file)) this.skip();
  });

  it('fit their schema, lie inside their frames and are told apart by number', () => {
    const { labels, steps } = auditSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    assert.ok(labels.length >= 300);
    assert.equal(new Set(labels.map(({ id }) => id)).size, labels.length);
    assert.equal(new Set(steps.map((step) => `${step.video}:${step.startFrame}`)).size, steps.length);
    for (const { id, workingSize, start, tracked, truth, error } of labels) {
      const frame = { x: 0, y: 0, width: workingSize[0], height: workingSize[1] };
      for (const [x, y, width, height] of [start, tracked, ...(truth === 'gone' ? [] : [truth])]) {
        assert.ok(iou({ x, y, width, height }, frame) > 0, `label ${id} lies outside`);
      }
      const same = truth !== 'gone' && truth.every((value, k) => value === tracked[k]);
      assert.equal(error === undefined, same, `label ${id} is wrong without a reason, or right with one`);
    }
  });
});
