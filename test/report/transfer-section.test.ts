import assert from 'node:assert/strict';
import type { Result } from '../../src/pipeline/result.js';
import { transferSection } from '../../src/report/transfer-section.js';
import { knownResults, makeResult, testOf } from './make-result.js';

const tested = (): Result[] => [
  makeResult('triplet', [40, 41, 42], {
    interval: [38.12, 43.9],
    images: 390,
    best: true,
    paired: [testOf('random', 20, 0.01), testOf('hog', 1, 0.7)],
  }),
  makeResult('random', [20, 21, 22], { interval: [18, 24], images: 390, best: false }),
  makeResult('hog', [40], { interval: [36, 44], images: 390, best: false }),
];

const textOf = (results: readonly Result[]): string => transferSection(results).join('\n\n');

describe('the transfer section', () => {
  it('shows intervals below values, and leads with marks, intervals and what they mean', () => {
    const text = textOf(tested());
    assert.match(text, /Values in %; 3 seeds a row; 390 test images\./);
    assert.match(text, /\| triplet \| \*\*41\.00 ± 1\.00\*\*<br>\[38\.1, 43\.9\] \|/);
    assert.match(text, /\| hog \(control\) \| 40\.00<br>\[36\.0, 44\.0\] \|/);
    assert.match(text, /\| triplet - random \| ▲ \+20\.0<br>\[\+15\.0, \+25\.0\] \|/);
    assert.match(text, /\| triplet - hog \| ○ \+1\.0<br>\[-4\.0, \+6\.0\] \|/);
    assert.match(text, /Holm/);
    assert.match(text, /hog \(histograms of oriented gradients/);
  });

  it('explains the spread over seeds only where a lead rests on it', () => {
    assert.doesNotMatch(textOf(tested()), /weak evidence/);
    assert.match(textOf(knownResults()), /weak evidence/);
    assert.doesNotMatch(textOf(knownResults()), /interval|Holm/);
  });

  it('says where images are too few for an interval', () => {
    assert.match(textOf([makeResult('triplet', [1, 2], { images: 5 })]), /5 test images, too few for an interval/);
    assert.match(textOf([makeResult('triplet', [1, 2], { images: 80, groups: 4 })]), /80 test images in 4 groups, too/);
  });

  it('splits many columns into tables that fit a page, a family of protocols together', () => {
    const results = ['knn', 'linear', 'svm'].flatMap((family) =>
      ['conv1', 'conv2', 'conv3', 'conv4', 'conv5'].map((layer) =>
        makeResult('triplet', [1, 2, 3], { protocol: `${family}/${layer}` }),
      ),
    );
    const heads = textOf(results).match(/^\| row \|.*$/gm)!;
    assert.equal(heads.length, 3);
    assert.ok(heads.every((head) => head.split('|').length - 3 <= 5));
    assert.match(heads[1]!, /linear\/conv1 .* linear\/conv5 /);
  });

  it("sets the papers' own numbers apart, where the run has their task", () => {
    const detection = makeResult('triplet', [5, 6, 7], { task: 'detection', metric: 'AP50' });
    const text = textOf([detection]);
    const own = text.slice(text.indexOf("### The papers' own numbers"));
    assert.match(own, /Not comparable in scale/);
    assert.match(own, /\| 52 \|/);
    assert.match(own, /\| 54\.4 \|/);
    const classes = textOf([makeResult('triplet', [1, 2, 3])]);
    assert.doesNotMatch(classes, /papers' own/);
  });

  it('sets the published numbers of the methods in the table apart, and of no other', () => {
    const text = textOf([makeResult('simclr-tracks', [1, 2, 3]), makeResult('random', [1, 2, 3])]);
    const own = text.slice(text.indexOf("### The papers' own numbers"));
    assert.match(own, /simclr: .*\| 76\.5 \|/);
    assert.doesNotMatch(own, /byol|54\.4/);
  });
});
