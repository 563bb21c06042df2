import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { fingerprintOf, type FramePrint, type GreyPicture } from '../../src/images/frame-fingerprint.js';
import { sameVideo } from '../../src/images/same-video.js';
import { showBlobs } from './moving-blobs.js';

const width = 96;
const height = 72;

/** A recording: soft blobs that drift, each its own way; a picture for every time. */
const recording = (seed: number) => {
  const random = RandomStream.of(seed, 'blobs');
  const blobs = Array.from({ length: 40 }, () => ({
    x: random.uniform(0, width),
    y: random.uniform(0, height),
    u: random.uniform(-6, 6),
    v: random.uniform(-6, 6),
    size: random.uniform(3, 9),
    level: random.uniform(-90, 90),
  }));
  return (time: number): GreyPicture => showBlobs(blobs, time, { width, height });
};

/** A window of a picture, resampled to a size by the nearest pixel, perhaps mirrored. */
const resampled = (
  { width: w, height: h, data }: GreyPicture,
  { cut = 0, to = 1, mirror = false }: { cut?: number; to?: number; mirror?: boolean },
): GreyPicture => {
  const size = { width: Math.round(w * to), height: Math.round(h * to) };
  const out = new Uint8Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const across = ((mirror ? size.width - 1 - x : x) + 0.5) / size.width;
      const column = Math.floor((cut + (1 - 2 * cut) * across) * w);
      const row = Math.floor((cut + ((1 - 2 * cut) * (y + 0.5)) / size.height) * h);
      out[y * size.width + x] = data[row * w + column];
    }
  }
  return { ...size, data: out };
};

const printsOf = (
  show: (time: number) => GreyPicture,
  from: number,
  to: number,
  change: (picture: GreyPicture) => GreyPicture = (picture) => picture,
): FramePrint[] => {
  const prints: FramePrint[] = [];
  for (let time = from; time < to; time += 0.5)
    prints.push({ time: time - from, ...fingerprintOf(change(show(time))) });
  return prints;
};

/** Blocks, noise and other contrast, as an encoder that is short of bits leaves them. */
const encodedAnew = (picture: GreyPicture): GreyPicture => {
  const random = RandomStream.of(3, 'encoder');
  const { width: w, data } = picture;
  return {
    ...picture,
    data: data.map((_, at) => {
      const value = data[Math.floor(Math.floor(at / w) / 2) * 2 * w + Math.floor((at % w) / 2) * 2];
      return Math.min(255, Math.max(0, 20 + 0.85 * value + random.normal(0, 5)));
    }),
  };
};

describe('Whether two videos are one', () => {
  const show = recording(1);
  const original = printsOf(show, 0, 6);

  for (const [name, change, flipped] of [
    ['the file itself', (picture: GreyPicture) => picture, false],
    ['encoded anew', encodedAnew, false],
    ['rescaled', (picture: GreyPicture) => resampled(picture, { to: 0.6 }), false],
    ['cropped', (picture: GreyPicture) => resampled(picture, { cut: 0.05 }), false],
    ['mirrored', (picture: GreyPicture) => resampled(picture, { mirror: true }), true],
    [
      'all of it',
      (picture: GreyPicture) => encodedAnew(resampled(picture, { cut: 0.04, to: 0.8, mirror: true })),
      true,
    ],
  ] as const) {
    it(`is found: ${name}`, () => {
      const same = sameVideo(original, printsOf(show, 0, 6, change));
      assert.ok(same, name);
      assert.equal(same.mirrored, flipped);
      assert.ok(same.share > 0.8 && Math.abs(same.offset) <= 0.5, JSON.stringify(same));
    });
  }

  it('is found where one is a cut out of the other, with where it was cut', () => {
    const part = printsOf(show, 2.2, 4.7, encodedAnew);
    const same = sameVideo(original, part);
    assert.ok(same && Math.abs(same.offset + 2.2) <= 0.76, JSON.stringify(same));
    const turned = sameVideo(part, original);
    assert.ok(turned && Math.abs(turned.offset - 2.2) <= 0.76, JSON.stringify(turned));
  });

  it('is denied of other recordings, of a few frames, and of nothing to see', () => {
    for (let seed = 2; seed < 7; seed++)
      assert.equal(sameVideo(original, printsOf(recording(seed), 0, 6)), undefined, `recording ${seed}`);
    assert.equal(sameVideo(original, original.slice(0, 2)), undefined);
    const grey = printsOf(() => ({ width, height, data: new Uint8Array(width * height).fill(100) }), 0, 6);
    assert.equal(sameVideo(grey, grey), undefined);
  });

  it('is denied where the same pictures come in another order', () => {
    const backwards = original.map((print, i) => ({ ...original[original.length - 1 - i], time: print.time }));
    assert.equal(sameVideo(original, backwards), undefined);
  });
});
