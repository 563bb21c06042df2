import assert from 'node:assert/strict';
import { fingerprintOf, type FramePrint, type GreyPicture } from '../../src/images/frame-fingerprint.js';
import { findRepeats, type RecordedVideo } from '../../src/images/find-repeats.js';
import { sameVideo } from '../../src/images/same-video.js';
import { RandomStream } from '../../src/numeric/random.js';
import { showBlobs, type Blob } from './moving-blobs.js';

const width = 64;
const height = 48;

const drawBlobs = (random: RandomStream, count: number, speed: number): Blob[] =>
  Array.from({ length: count }, () => ({
    ...{ x: random.uniform(0, width), y: random.uniform(0, height) },
    ...{ u: random.uniform(-speed, speed), v: random.uniform(-speed, speed) },
    ...{ size: random.uniform(2, 6), level: random.uniform(-90, 90) },
  }));

const show = (blobs: readonly Blob[], time: number): GreyPicture => showBlobs(blobs, time, { width, height });

/** Prints of a recording from one time to another, each pixel a little off, as encoding leaves it. */
const printsOf = (blobs: readonly Blob[], from: number, to: number, noise = 0): FramePrint[] => {
  const random = RandomStream.of(noise, 'noise', from);
  const prints: FramePrint[] = [];
  for (let time = from; time < to; time += 0.25) {
    const { data, ...size } = show(blobs, time);
    const noisy = data.map((value) => Math.min(255, Math.max(0, value + random.normal(0, noise))));
    prints.push({ time: time - from, ...fingerprintOf({ ...size, data: noisy }) });
  }
  return prints;
};

const recording = (seed: number): Blob[] => drawBlobs(RandomStream.of(seed, 'recording'), 24, 5);
const video = (content: string, prints: readonly FramePrint[], pixels = 1): RecordedVideo => ({
  ...{ content, frames: prints.length, pixels },
  load: () => Promise.resolve(prints),
});
const find = async (videos: readonly RecordedVideo[]): Promise<string[]> =>
  (await findRepeats(videos)).map(({ video: one, of }) => `${videos[one]!.content} is ${videos[of]!.content}`).sort();

describe('Repeats among videos', () => {
  it('keep the longest, then the largest, and give the rest as what they repeat', async () => {
    const [a, b] = [recording(1), recording(2)];
    const videos = [
      ...[video('a small', printsOf(a, 0, 6, 3), 10), video('a large', printsOf(a, 0, 6, 2), 99)],
      ...[
        video('b part', printsOf(b, 2.1, 5, 2), 99),
        video('b', printsOf(b, 0, 7), 10),
        video('c', printsOf(recording(3), 0, 6)),
      ],
    ];
    assert.deepEqual(await find(videos), ['a small is a large', 'b part is b']);
    assert.deepEqual(await find([...videos].reverse()), ['a small is a large', 'b part is b'], 'in whatever order');
  });

  it('are found where seconds are cut out of a long one', async () => {
    const blobs = drawBlobs(RandomStream.of(20, 'recording'), 24, 0.7);
    const cuts = [5.1, 17.3, 24.6].map((from) => video(`from ${from}`, printsOf(blobs, from, from + 3, 1)));
    const others = [1, 2, 3].map((seed) => video(`other ${seed}`, printsOf(recording(seed), 0, 4)));
    const long = video('long', printsOf(blobs, 0, 40));
    const expected = ['from 17.3 is long', 'from 24.6 is long', 'from 5.1 is long'];
    assert.deepEqual(await find([...cuts, ...others, long]), expected);
  });

  it('are parts of what is kept, and not of one another: two parts without a common frame both stay where the whole is not there', async () => {
    const blobs = recording(4);
    const parts = [video('first', printsOf(blobs, 0, 3)), video('last', printsOf(blobs, 3.25, 6))];
    assert.deepEqual(await find(parts), []);
    assert.deepEqual(await find([...parts, video('whole', printsOf(blobs, 0, 6, 2))]), [
      'first is whole',
      'last is whole',
    ]);
  });

  it('are not found before one fixed camera: what moves there decides, not the place', async () => {
    const place = drawBlobs(RandomStream.of(5, 'place'), 30, 0);
    const day = (seed: number): Blob[] => [...place, ...drawBlobs(RandomStream.of(seed, 'day'), 4, 6)];
    const prints = [6, 7, 8].map((seed) => printsOf(day(seed), 0, 6, 1));
    const loose = sameVideo(prints[0]!, prints[1]!, { minChange: -2 });
    assert.ok(loose && loose.share > 0.5, 'every frame shows the same place');
    assert.deepEqual(await find(prints.map((print, i) => video(`day ${i}`, print))), []);
    const copy = printsOf(day(6), 0, 6, 3);
    assert.deepEqual(await find([video('copy', copy), video('day', prints[0]!, 2)]), ['copy is day']);
  });

  it('are still pictures only where these are as good as equal', async () => {
    const still = (seed: number): Blob[] => drawBlobs(RandomStream.of(seed, 'still'), 30, 0);
    const videos = [
      video('a', printsOf(still(9), 0, 3), 2),
      video('b', printsOf(still(9), 0, 3, 1)),
      video('c', printsOf(still(10), 0, 3)),
    ];
    assert.deepEqual(await find(videos), ['b is a']);
  });

  it('cost little more for each video where there are many, and many copies hide nothing', async () => {
    const originals = Array.from({ length: 30 }, (_, i) => printsOf(recording(100 + i), 0, 2));
    const copies = Array.from({ length: 20 }, (_, i) => printsOf(recording(100), 0, 2, 1 + i / 20));
    let loads = 0;
    const videos = [...originals, ...copies].map((prints, i) => ({
      ...video(String(i).padStart(3, '0'), prints, i < 30 ? 2 : 1),
      load: () => (loads++, Promise.resolve(prints)),
    }));
    const repeats = await findRepeats(videos);
    assert.equal(repeats.length, 20);
    assert.ok(repeats.every(({ video: copy, of }) => copy >= 30 && of === 0));
    // Each once, and what it is compared with: without the index 30 of them would be, each with all before it.
    assert.ok(loads < 50 + 20, `${loads} loads`);
  });
});
