import assert from 'node:assert/strict';
import { iou, type Box } from '../../src/numeric/box.js';
import { RandomStream } from '../../src/numeric/random.js';
import { minePairs } from '../../src/tracking/mine-pairs.js';
import type { MiningDecision } from '../../src/tracking/mining-log.js';
import { checkMiningOptions, type MiningOptions } from '../../src/tracking/mining-options.js';
import { openCv } from '../../src/tracking/opencv.js';
import type { MinedPair } from '../../src/tracking/pair-miner.js';
import { chooseWindows } from '../../src/tracking/windows.js';
import type { VideoFrame } from '../../src/video/frame.js';
import { frameOf, renderLuma, texture } from './rendered.js';

const width = 320;
const height = 240;
const back = texture(11, 6);
const front = texture(12, 5);
const side = 110;
/** The rule of the paper; `known-motion.test.ts` is about the local one. */
const paper = { motion: 'paper', window: 'fixed', maxWindows: 1 } as const;
const video = { sha256: 'ab'.repeat(32), label: 'rendered' };

type Place = { x: number; y: number };
/** A square of texture whose top-left corner is at `place(t)`, before a background seen through `camera(t)`. */
function* moving(
  frames: number,
  place: ((t: number) => Place) | undefined,
  camera: (x: number, y: number, t: number) => readonly [number, number] = (x, y) => [x, y],
  noise = 0,
  side = 110,
): Generator<VideoFrame> {
  const random = RandomStream.of(5, 'sensor');
  for (let t = 0; t < frames; t++) {
    const at = place?.(t);
    const luma = renderLuma(width, height, (x, y) => {
      const value =
        at !== undefined && x >= at.x && x < at.x + side && y >= at.y && y < at.y + side
          ? front(x - at.x, y - at.y)
          : back(...camera(x, y, t));
      return value + (noise > 0 ? random.normal(0, noise) : 0);
    });
    yield frameOf(t, width, height, luma);
  }
}

const mine = async (frames: Iterable<VideoFrame>, options: MiningOptions = {}) => {
  const pairs: MinedPair[] = [];
  const log: MiningDecision[] = [];
  const summary = await minePairs(
    video,
    frames,
    { ...paper, patchPx: 64, isCut: () => false, ...options },
    { pair: (pair) => void pairs.push(pair), decision: (decision) => void log.push(decision) },
  );
  return { pairs, log, summary };
};

const slide = (t: number): Place => ({ x: 60 + 2.5 * t, y: 60 + 0.7 * t });

/** The first box carried along with the object: where a perfect track would be. */
const carried = (first: Box, place: (t: number) => Place, from: number, to: number): Box => ({
  ...first,
  x: first.x + place(to).x - place(from).x,
  y: first.y + place(to).y - place(from).y,
});

const assertFollows = ({ record }: MinedPair, place: (t: number) => Place): void => {
  record.boxes.forEach((box, i) => {
    const truth = carried(record.boxes[0], place, record.startFrame, record.startFrame + i);
    const offset = Math.hypot(
      box.x + box.width / 2 - truth.x - truth.width / 2,
      box.y + box.height / 2 - truth.y - truth.height / 2,
    );
    // The window holds some background, which the scale search may shed. A cell of the tracker is 12 pixels wide here.
    assert.ok(iou(box, truth) > 0.7 && offset < 4.5, `frame ${i}: ${JSON.stringify({ box, truth, offset })}`);
  });
};

describe('Mining pairs', function () {
  this.timeout(60000);

  it('finds an object that moves before a still background, and follows it', async () => {
    const { pairs, log, summary } = await mine(moving(47, slide), { strips: 1, stripFrames: 4 });
    assert.equal(pairs.length, 2);
    for (const pair of pairs) {
      const { record } = pair;
      assert.equal(record.boxes.length, 31);
      assert.equal(record.peaks.length, 30);
      assert.equal(record.endFrame, record.startFrame + 30);
      assert.equal(record.key, `abababababab-${record.startFrame}-0`);
      assert.ok(record.movingShare >= 0.25 && record.movingShare <= 0.75 && record.movingPointsInside >= 10);
      assert.ok(record.meanMotionPx > 2 && record.meanMotionPx < 3.2, `${record.meanMotionPx}`);
      const { x, y } = slide(record.startFrame);
      assert.ok(iou(record.boxes[0], { x, y, width: side, height: side }) > 0.6, JSON.stringify(record.boxes[0]));
      assertFollows(pair, slide);
      for (const patch of [pair.a, pair.b, pair.u])
        assert.deepEqual([patch.width, patch.channels, patch.data.length], [64, 3, 64 * 64 * 3]);
      const difference = (p: Uint8Array, q: Uint8Array): number =>
        p.reduce((sum, value, i) => sum + Math.abs(value - q[i]), 0) / p.length;
      assert.ok(difference(pair.a.data, pair.b.data) < 0.95 * difference(pair.a.data, pair.u.data));
    }
    const [strip] = summary.strips;
    assert.ok(pairs.some(({ record }) => record.key === strip.key));
    assert.deepEqual(
      strip.frames.map((frame) => frame - strip.frames[0]),
      [0, 10, 20, 30],
    );
    assert.equal(strip.rasters[0].data.length, width * height * 3);
    assert.equal(strip.boxes.length, 4);
    assert.deepEqual(summary.steps['tracked'], 2);
    assert.deepEqual(
      log.map((entry) => `${entry.kind} ${entry.frame} ${entry.outcome}`),
      ['step 0 tracked', 'track 0 pair', 'step 15 tracked', 'track 15 pair', 'step 30 clip-ends', 'step 45 clip-ends'],
    );
    assert.deepEqual([summary.frames, summary.timeSteps, summary.tracks, summary.pairs], [47, 4, 2, 2]);
  });

  it('finds an object before a background that the camera pans over', async () => {
    const { pairs } = await mine(moving(31, slide, (x, y, t) => [x + 3 * t, y - t]));
    assert.equal(pairs.length, 1);
    assertFollows(pairs[0], slide);
  });

  const turn = (x: number, y: number, angle: number, zoom: number): readonly [number, number] => {
    const [dx, dy] = [x - width / 2, y - height / 2];
    return [
      width / 2 + zoom * (dx * Math.cos(angle) - dy * Math.sin(angle)),
      height / 2 + zoom * (dx * Math.sin(angle) + dy * Math.cos(angle)),
    ];
  };
  for (const [name, camera] of [
    ['pans', (x: number, y: number, t: number) => [x + 2.6 * t, y + 1.3 * t] as const],
    ['zooms', (x: number, y: number, t: number) => turn(x, y, 0, 0.99 ** t)],
    ['turns', (x: number, y: number, t: number) => turn(x, y, 0.01 * t, 1)],
  ] as const) {
    it(`takes nothing where only the camera ${name}`, async () => {
      const { pairs, log } = await mine(moving(31, undefined, camera));
      assert.equal(pairs.length, 0);
      assert.equal(log[0].outcome, 'too-little-motion');
    });
  }

  it('takes nothing from a still scene with a noisy sensor', async () => {
    const { pairs, log } = await mine(moving(31, undefined, undefined, 4));
    assert.equal(pairs.length, 0);
    assert.equal(log[0].outcome, 'too-little-motion');
  });

  it('takes nothing from frames of noise or of nothing', async () => {
    const random = RandomStream.of(8, 'noise');
    const noise = Array.from({ length: 31 }, (_, t) =>
      frameOf(
        t,
        width,
        height,
        renderLuma(width, height, () => random.uniform(0, 256)),
      ),
    );
    assert.equal((await mine(noise)).pairs.length, 0);
    const blank = Array.from({ length: 31 }, (_, t) =>
      frameOf(t, width, height, new Uint8Array(width * height).fill(90)),
    );
    const { log } = await mine(blank);
    assert.deepEqual(
      log.map(({ outcome }) => outcome),
      ['too-few-points', 'clip-ends', 'clip-ends'],
    );
  });

  it('lets no track cross a cut', async () => {
    const frames = [...moving(70, slide)].slice(0, 70);
    const { pairs, log } = await mine(frames, { stepFrames: 5, isCut: ({ index }) => index === 33 });
    assert.ok(pairs.length >= 1);
    for (const { record } of pairs) assert.ok(record.endFrame < 33 || record.startFrame >= 33, record.key);
    const cut = log.filter(({ outcome }) => outcome === 'shot-cut').map(({ frame }) => frame);
    assert.deepEqual(cut, [5, 10, 15, 20, 25, 30]);
    assert.ok(log.some((entry) => entry.kind === 'step' && entry.frame === 35 && entry.shot === 1));
  });

  it('finds the cut itself when nobody says where it is', async () => {
    const other = texture(40, 9);
    const frames = [...moving(70, slide)].map((frame) =>
      frame.index < 35
        ? frame
        : frameOf(
            frame.index,
            width,
            height,
            renderLuma(width, height, (x, y) => 0.4 * other(x + 2 * frame.index, y)),
          ),
    );
    const summary = await minePairs(video, frames, { ...paper, stepFrames: 10, patchPx: 32 }, { pair: () => {} });
    assert.equal(summary.steps['shot-cut'], 3);
  });

  it('gives the same bytes again after other work in the same thread', async () => {
    const bytes = async (): Promise<string> => {
      const { pairs, log } = await mine(moving(31, slide));
      return JSON.stringify([pairs.map(({ record, a, b, u }) => [record, [...a.data], [...b.data], [...u.data]]), log]);
    };
    const first = await bytes();
    openCv().setRNGSeed(99);
    await mine(moving(31, (t) => ({ x: 150 - 2 * t, y: 80 })));
    assert.equal(await bytes(), first);
  });

  it('records each gate that a track fails, and refuses it for that', async () => {
    const frames = [...moving(31, slide)];
    for (const [options, outcome] of [
      [{ minPeak: 1 }, 'lost'],
      [{ minForwardBackwardIou: 1 }, 'forward-backward'],
      [{ minContrast: 120 }, 'blank'],
      [{ minSidePx: 400 }, 'too-small'],
      [{ minTravelPx: 400 }, 'too-still'],
      [{ minPeakToSidelobe: 1e6 }, 'lost'],
      [{ minSharpness: 1e6 }, 'blurred'],
      [{ minTravelShare: 9, minScaleChange: 9, minAppearanceChange: 2 }, 'too-alike'],
    ] as const) {
      const { pairs, log } = await mine(frames, options);
      assert.equal(pairs.length, 0);
      assert.equal(log[1].outcome, outcome);
    }
    const leaving = [...moving(31, (t) => ({ x: 140 + 4 * t, y: 60 }))];
    const { log } = await mine(leaving);
    assert.ok(['end-outside', 'lost'].includes(log[1].outcome), JSON.stringify(log[1]));
  });

  it('takes no pair that repeats an earlier one of the same place and look', async () => {
    // It turns back: after two time-steps both ends of its track are where they were.
    const sway = (t: number): Place => ({ x: 90 + 12 * Math.sin((2 * Math.PI * t) / 10), y: 60 });
    const frames = [...moving(51, sway)];
    const options = { stepFrames: 10, minTravelShare: 0, minAppearanceChange: 0 };
    const all = await mine(frames, { ...options, maxLikeness: 1 });
    const { pairs, log } = await mine(frames, options);
    assert.ok(all.pairs.length >= 2, `${all.pairs.length}`);
    assert.equal(pairs.length, 1);
    const repeated = log.filter((entry) => entry.kind === 'track' && entry.outcome === 'duplicate');
    assert.equal(repeated.length, all.pairs.length - 1);
    for (const entry of repeated) assert.ok(entry.kind === 'track' && entry.nearestLikeness! > 0.9);
  });

  it('gives out at most so many pairs of a video, in order, and records which had to go', async () => {
    const slow = (t: number): Place => ({ x: 40 + 1.5 * t, y: 60 });
    const frames = [...moving(91, slow)];
    const { pairs, log, summary } = await mine(frames, { stepFrames: 5, maxLikeness: 1, maxPairs: 4 });
    assert.equal(pairs.length, 4);
    const starts = pairs.map(({ record }) => record.startFrame);
    assert.deepEqual(
      starts,
      [...starts].sort((a, b) => a - b),
    );
    const gone = log.filter((entry) => entry.kind === 'selection');
    assert.ok(gone.length > 0 && gone.every(({ outcome, quality }) => outcome === 'crowded-out' && quality > 0));
    assert.deepEqual([summary.pairs, summary.crowdedOut], [4, gone.length]);
    assert.equal(summary.trackOutcomes.pair, 4 + gone.length);
  });

  it('refuses a track that stays on the background while what moved goes on', async () => {
    // A small object in a large window, gone from it within ten frames: most of what the tracker sees stands still.
    const frames = [...moving(31, (t) => ({ x: 40 + 8 * t, y: 100 }), undefined, 0, 48)];
    const options = { minMovingShare: 0.02, minForwardBackwardIou: 0 };
    const unchecked = await mine(frames, { ...options, minFollowedShare: 0 });
    assert.equal(unchecked.log[1].outcome, 'pair');
    const [{ record }] = unchecked.pairs;
    assert.ok(iou(record.boxes[0], record.boxes[30]) > 0.7, 'the tracker is expected to have stayed');
    const { pairs, log } = await mine(frames, options);
    assert.equal(pairs.length, 0);
    const [, track] = log;
    assert.ok(
      track.kind === 'track' && track.outcome === 'left-behind' && track.followedShare! < 0.3,
      JSON.stringify(track),
    );
  });

  it('says what is wrong with an option', () => {
    assert.throws(
      () => checkMiningOptions({ stepFrames: 0 }),
      /Expected `stepFrames` to be a whole number of at least 1, got `0` \(number\)/,
    );
    assert.throws(() => checkMiningOptions({ minPeak: 1.5 }), /Expected `minPeak` to be a number from 0 to 1/);
    assert.throws(() => checkMiningOptions({ minMovingShare: 0.8 }), /below `maxMovingShare` = 0.75/);
    assert.throws(() => checkMiningOptions({ windowPx: '9' as unknown as number }), /got `9` \(string\)/);
    assert.equal(checkMiningOptions({}).minMotionPx, 0.5);
  });
});

describe('The window that holds most moving points', () => {
  const search = { width: 60, height: 40, side: 10, minCount: 3, maxWindows: 3 };
  const cloud = (x: number, y: number, count: number): Place[] =>
    Array.from({ length: count }, (_, i) => ({ x: x + (i % 3), y: y + (i % 2) }));
  const columns = (points: Place[]) => ({ x: points.map(({ x }) => x), y: points.map(({ y }) => y) });

  it('is centred on them, and the next ones do not overlap it', () => {
    const points = [...cloud(20, 12, 6), ...cloud(45, 30, 4), ...cloud(26, 12, 3), ...cloud(5, 33, 2)];
    const windows = chooseWindows(columns(points), search);
    assert.deepEqual(
      windows.map(({ count }) => count),
      [9, 4],
    );
    assert.ok(windows[0].x <= 20 && windows[0].x + 10 > 28, JSON.stringify(windows[0]));
    assert.deepEqual([windows[1].x, windows[1].y], [41, 26]);
  });

  it('agrees with counting at every position', () => {
    const random = RandomStream.of(6, 'points');
    const points = Array.from({ length: 80 }, () => ({ x: random.uniform(0, 60), y: random.uniform(0, 40) }));
    let most = 0;
    for (let y = 0; y <= 30; y++) {
      for (let x = 0; x <= 50; x++) {
        most = Math.max(most, points.filter((p) => p.x >= x && p.x < x + 10 && p.y >= y && p.y < y + 10).length);
      }
    }
    assert.equal(chooseWindows(columns(points), { ...search, maxWindows: 1 })[0].count, most);
  });

  it('is none where no window holds enough', () => {
    assert.deepEqual(chooseWindows(columns(cloud(10, 10, 2)), search), []);
  });
});
