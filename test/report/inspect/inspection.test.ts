import assert from 'node:assert/strict';
import { chooseShown } from '../../../src/report/inspect/choose-shown.js';
import { histogram } from '../../../src/report/inspect/histogram.js';
import { fieldName, holds, limitInWords, limitOf, scaleOf } from '../../../src/report/inspect/limits.js';
import {
  isKept,
  parseDecision,
  parseDecisions,
  type LoggedDecision,
} from '../../../src/report/inspect/logged-decision.js';
import { NumberTally } from '../../../src/report/inspect/number-tally.js';
import { numberTable, numbersInline } from '../../../src/report/inspect/number-table.js';
import { peakCurve } from '../../../src/report/inspect/peak-curve.js';
import { timeline } from '../../../src/report/inspect/timeline.js';
import { miningDefaults } from '../../../src/tracking/mining-options.js';

const step = (frame: number, outcome: string, values: LoggedDecision['values'] = {}): LoggedDecision => ({
  ...{ kind: 'step', frame, outcome, shot: 0, window: undefined },
  ...{ values, lists: {} },
});
const track = (frame: number, outcome: string, values: LoggedDecision['values'] = {}): LoggedDecision => ({
  ...{ kind: 'track', frame, outcome, window: 0, shot: undefined },
  ...{ values, lists: {} },
});

describe('a line of the mining log', () => {
  it('is read with every field by its name, in order, whatever a later miner adds', () => {
    const line = JSON.stringify({
      ...{ kind: 'step', frame: 8, shot: 1, outcome: 'tracked', points: 20, windows: [12, 3] },
      ...{ camera: { model: 'still', noisePx: 0.2, box: { x: 1.2, y: 2, width: 30, height: 40 } }, novel: true },
      clusters: [{ outcome: 'window', points: 5, box: { x: 0, y: 0, width: 9.6, height: 8 } }],
      boxes: [
        { x: 0, y: 0, width: 10, height: 8 },
        { x: 20.4, y: 3, width: 6, height: 6 },
      ],
    });
    const { kind, frame, shot, window, outcome, values, lists } = parseDecision(line, 1);
    assert.deepEqual(
      { kind, frame, shot, window, outcome },
      { kind: 'step', frame: 8, shot: 1, window: undefined, outcome: 'tracked' },
    );
    assert.deepEqual(Object.entries(values), [
      ['points', 20],
      ['windows', [12, 3]],
      ['camera.model', 'still'],
      ['camera.noisePx', 0.2],
      ['camera.box', '30 x 40 at 1, 2'],
      ['novel', true],
      ['boxes', '10 x 8 at 0, 0; 6 x 6 at 20, 3'],
    ]);
    assert.deepEqual(lists, {
      clusters: [{ outcome: 'window', points: 5, box: '10 x 8 at 0, 0' }],
    });
  });

  it('that is no decision is refused with its number', () => {
    assert.throws(() => parseDecisions('{"kind":"step","frame":0,"outcome":"tracked"}\n{"kind":'), /line 2 .* JSON/);
    assert.throws(() => parseDecision('{"kind":"step","frame":-1,"outcome":"x"}', 7), /line 7 .*decision/s);
    assert.equal(parseDecisions('').length, 0);
  });
});

describe('what was asked of a number', () => {
  it('is found by its name, for every gate of the miner', () => {
    const params = { ...miningDefaults, motion: 'paper', window: 'fixed' };
    const asked = (field: string, scale = 1) => limitOf(field, params, scale);
    assert.deepEqual(asked('minPeak'), { min: miningDefaults.minPeak, max: undefined });
    assert.deepEqual(asked('movingShare'), { min: miningDefaults.minMovingShare, max: miningDefaults.maxMovingShare });
    assert.deepEqual(asked('points'), { min: miningDefaults.minPoints, max: undefined });
    assert.deepEqual(asked('windows'), { min: miningDefaults.minMovingPoints, max: undefined });
    for (const field of ['followedShare', 'shareInside', 'contrast', 'forwardBackwardIou']) {
      assert.equal(typeof asked(field)?.min, 'number', field);
    }
    assert.equal(asked('movingPoints'), undefined);
    assert.equal(asked('never heard of'), undefined);
    // The local rule lets every share pass, and what a camera or a group of points is measured by is no gate by its name.
    assert.equal(limitOf('movingShare', { ...params, motion: 'local' }, 1), undefined);
    assert.equal(asked('camera.motionPx'), undefined);
    assert.deepEqual(limitOf('clusters.points', { minPoints: 20, minClusterPoints: 5 }, 1), { min: 5, max: undefined });
  });

  it('grows with the frame where it is a length', () => {
    assert.equal(scaleOf({ width: 600, height: 448 }), 1);
    assert.equal(scaleOf({ width: 300, height: 224 }), 0.5);
    assert.deepEqual(limitOf('sidePx', { minSidePx: 48 }, 0.5), { min: 24, max: undefined });
    assert.deepEqual(limitOf('spreadPx', { maxSpreadPx: 2 }, 0.5), { min: undefined, max: 1 });
    assert.deepEqual(limitOf('contrast', { minContrast: 6 }, 0.5), { min: 6, max: undefined });
  });

  it('is kept by a number within, and by several of which one is', () => {
    const limit = { min: 2, max: 4 };
    assert.deepEqual(
      [1.99, 2, 4, 4.01].map((value) => holds(value, limit)),
      [false, true, true, false],
    );
    assert.ok(holds([1, 3], limit) && !holds([1, 5], limit) && !holds([], limit) && holds('still', limit));
    assert.equal(limitInWords(limit), '2 to 4');
    assert.equal(limitInWords({ min: 0, max: undefined }), 'any');
  });

  it('of which another would do counts only where none did', () => {
    const table = (outcome: string): string =>
      numberTable(track(0, outcome, { scaleChange: 1, appearanceChange: 0.5 }), { minScaleChange: 1.1 }, 1).text;
    assert.ok(!/class="off"/.test(table('pair')) && table('pair').includes('another did'));
    assert.match(table('too-alike'), /class="off"/);
  });

  it('is marked where it was not kept, in the table and on the line', () => {
    const decision = track(4, 'lost', { minPeak: 0.21, minPeakToSidelobe: 6, lostAt: 9 });
    const table = numberTable(decision, { minPeak: 0.3 }, 1).text;
    const rows = [...table.matchAll(/<tr class="(\w*)">(.*?)<\/tr>/gs)].map(([, name, row]) => [
      name,
      row!
        .replaceAll(/<[^>]*>|\s+/g, ' ')
        .replaceAll(/ +/g, ' ')
        .trim(),
    ]);
    assert.deepEqual(rows, [
      ['off', 'lowest response peak 0.21 at least 0.3 below'],
      ['', 'lowest peak-to-sidelobe ratio 6'],
      ['', 'frame at which it was lost 9'],
    ]);
    const line = numbersInline(decision, { minPeak: 0.3 }, 1)
      .map(({ text }) => text)
      .join('');
    assert.match(
      line,
      /<strong class="worse">minPeak 0.21 \(below 0.3\)<\/strong\s*>; minPeakToSidelobe 6; lostAt 9; /,
    );
    assert.equal(fieldName('newNumberPx'), 'new number, px');
  });
});

describe('numbers over many decisions', () => {
  it('are told apart by what went on, and counted beyond their limits in pixels of the paper', () => {
    const tally = new NumberTally({ minSidePx: 48, minPeak: 0.3 });
    tally.add(track(0, 'pair', { minPeak: 0.6, sidePx: 50 }), 0.5);
    tally.add(track(4, 'too-small', { minPeak: 0.5, sidePx: 20 }), 0.5);
    tally.add(track(8, 'lost', { minPeak: 0.2, lostAt: 12 }), 0.5);
    tally.add(step(8, 'tracked', { windows: [12, 3] }), 0.5);
    assert.deepEqual(tally.reasons, { 'track: pair': 1, 'track: too-small': 1, 'track: lost': 1, 'step: tracked': 1 });
    assert.deepEqual(
      tally.numbers.map(({ kind, field, kept, refused, seen, beyond }) => ({
        kind,
        field,
        kept,
        refused,
        seen,
        beyond,
      })),
      [
        { kind: 'track', field: 'minPeak', kept: [0.6], refused: [0.5, 0.2], seen: 3, beyond: 1 },
        { kind: 'track', field: 'sidePx', kept: [100], refused: [40], seen: 2, beyond: 1 },
        { kind: 'step', field: 'windows', kept: [12, 3], refused: [], seen: 2, beyond: 0 },
      ],
    );
  });

  it('stay within memory, as a sample with the same middle', () => {
    const tally = new NumberTally({}, 500);
    for (let k = 0; k < 20_000; k++) tally.add(track(k, 'pair', { minPeak: (k % 1000) / 1000 }), 1);
    const [peak] = tally.numbers;
    assert.equal(peak!.seen, 20_000);
    assert.equal(peak!.kept.length, 500);
    const mean = peak!.kept.reduce((sum, value) => sum + value, 0) / 500;
    assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
  });

  it('are drawn with all of them in the bins and the limit where it is', () => {
    const kept = Array.from({ length: 90 }, (_, k) => 0.3 + k / 200);
    const refused = Array.from({ length: 10 }, (_, k) => 0.1 + k / 50);
    const number = { kind: 'track', field: 'minPeak', limit: { min: 0.3, max: undefined }, kept, refused };
    const { text } = histogram({ ...number, seen: 100, beyond: 10 });
    const heights = (name: string): number =>
      [...text.matchAll(new RegExp(`class="${name}"[^>]*height="([\\d.]+)"`, 'gs'))].reduce(
        (sum, [, high]) => sum + Number(high),
        0,
      );
    assert.ok(Math.abs(heights('kept') / heights('refused') - 9) < 0.5, 'areas are as counts');
    assert.match(text, /aria-label="lowest response peak: 90 that went on.*10 of 100 beyond it/);
    const [, at] = /class="limit" d="M([\d.]+)/.exec(text)!;
    const place = 34 + ((0.3 - 0.1) / (0.745 - 0.1)) * (340 - 42);
    assert.ok(Math.abs(Number(at) - place) < 3, `the limit stands at ${at}, not ${place}`);
    const one = { kept: [2], refused: [], seen: 1, beyond: 0, limit: undefined };
    assert.ok(!/NaN|Infinity/.test(histogram({ kind: 'step', field: 'points', ...one }).text));
  });
});

describe('what is drawn of a video', () => {
  it('has every outcome, evenly spread, in order', () => {
    const steps = Array.from({ length: 40 }, (_, k) =>
      step(k, k % 4 === 0 ? 'tracked' : 'too-little-motion', { points: 30 }),
    );
    const decisions = [
      ...steps,
      ...[step(40, 'clip-ends'), step(41, 'no-camera', { points: 9 })],
      ...Array.from({ length: 20 }, (_, k) => track(k, 'pair')),
      ...Array.from({ length: 20 }, (_, k) => track(100 + k, 'lost')),
      track(200, 'blank'),
    ];
    const shown = chooseShown(decisions, { steps: 5, kept: 3, refused: 4 });
    const counts = (list: readonly LoggedDecision[]) => {
      const count: Record<string, number> = {};
      for (const { outcome } of list) count[outcome] = (count[outcome] ?? 0) + 1;
      return count;
    };
    assert.deepEqual(counts(shown.steps), { tracked: 2, 'too-little-motion': 2, 'no-camera': 1 });
    assert.deepEqual(counts(shown.tracks), { pair: 3, lost: 3, blank: 1 });
    assert.deepEqual(
      shown.tracks.filter((one) => isKept(one)).map(({ frame }) => frame),
      [0, 10, 19],
    );
    assert.deepEqual(
      shown.steps.map(({ frame }) => frame),
      shown.steps.map(({ frame }) => frame).sort((a, b) => a - b),
    );
  });

  it('is everything where there is little, and nothing where nothing is asked', () => {
    const decisions = [step(0, 'tracked', { points: 40 }), track(0, 'pair'), track(0, 'lost')];
    const all = chooseShown(decisions, { steps: 9, kept: 9, refused: 9 });
    assert.deepEqual([all.steps.length, all.tracks.length], [1, 2]);
    const none = chooseShown(decisions, { steps: 0, kept: 0, refused: 0 });
    assert.deepEqual([none.steps.length, none.tracks.length], [0, 0]);
  });
});

describe('drawings of a log', () => {
  it('join time-steps of one outcome, and mark cuts and tracks', () => {
    const decisions = [
      ...[step(0, 'tracked'), step(4, 'tracked'), step(8, 'shot-cut'), { ...step(12, 'tracked'), shot: 1 }],
      ...[track(0, 'pair'), track(4, 'lost')],
    ];
    const { text } = timeline(decisions, 16, 4);
    const titles = [...text.matchAll(/<title>(.*?)<\/title>/g)].map(([, title]) => title);
    assert.deepEqual(titles, [
      'frames 0 to 7: tracked, 2 time-steps',
      'frames 8 to 11: shot-cut, 1 time-step',
      'frames 12 to 15: tracked, 1 time-step',
      'frame 0, window 0: track: pair',
      'frame 4, window 0: track: lost',
    ]);
    assert.equal([...text.matchAll(/class="cut"/g)].length, 1);
  });

  it('show where the tracker was least sure', () => {
    const { text } = peakCurve([0.9, 0.4, 0.7], 0.3);
    assert.match(text, /Response peak over 3 frames, lowest 0.4 after 2/);
    assert.ok(!/NaN/.test(peakCurve([0.5], undefined).text));
  });
});
