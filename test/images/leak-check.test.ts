import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import {
  fingerprintOf,
  fingerprintPictures,
  fingerprintVideo,
  mirrored,
  type GreyPicture,
} from '../../src/images/frame-fingerprint.js';
import { findLeaks, type VideoPrints } from '../../src/images/leak-check.js';
import { RandomStream } from '../../src/numeric/random.js';
import { encodeVideo } from '../../src/video/encode-video.js';

const shared = path.resolve('..', 'shared', 'data');

/** A scene without end: patches of random grey, smoothly joined, some 10 px wide. */
const scene = (seed: number): ((x: number, y: number) => number) => {
  const random = RandomStream.of(seed, 'scene');
  const grid = Uint8Array.from({ length: 64 * 64 }, () => random.integer(200) + 25);
  return (x, y) => {
    const [u, v] = [x / 10 + 20, y / 10 + 20];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const at = (a: number, b: number): number => grid[(b % 64) * 64 + (a % 64)]!;
    const [p, q] = [u - i, v - j];
    return (at(i, j) * (1 - p) + at(i + 1, j) * p) * (1 - q) + (at(i, j + 1) * (1 - p) + at(i + 1, j + 1) * p) * q;
  };
};

/** `width x height` pixels of what stands from (left, top) on, `step` units a pixel. */
const paint = (
  light: (x: number, y: number) => number,
  { width = 160, height = 120, left = 0, top = 0, stepX = 1, stepY = 1 } = {},
): GreyPicture => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height }, (_, i) =>
    Math.round(light(left + ((i % width) + 0.5) * stepX, top + (Math.floor(i / width) + 0.5) * stepY)),
  ),
});

const flipped = ({ width, height, data }: GreyPicture): GreyPicture => ({
  width,
  height,
  data: data.map((_, at) => data[at - (at % width) + width - 1 - (at % width)]!),
});

const videoOf = (video: string, pictures: readonly GreyPicture[]): VideoPrints => ({
  video,
  frames: pictures.map((picture, i) => ({ time: i / 4, ...fingerprintOf(picture) })),
});

/** Two videos: a pan over scene 1, and one over scene 2. */
const videos = [1, 2].map((seed) =>
  videoOf(
    `pan ${seed}`,
    Array.from({ length: 8 }, (_, i) => paint(scene(seed), { left: i * 30 })),
  ),
);

describe('fingerprints', () => {
  it('hash whether it grows brighter to the right: all bits of a ramp, none of its mirror image', () => {
    const ramp = paint((x) => x);
    assert.deepEqual(fingerprintOf(ramp).whole.hash, [-1, -1]);
    assert.deepEqual(fingerprintOf(flipped(ramp)).whole.hash, [0, 0]);
  });

  it('are mirrored as the picture is', () => {
    const picture = paint(scene(5));
    const view = mirrored(fingerprintOf(picture).whole);
    const expected = fingerprintOf(flipped(picture)).whole;
    assert.deepEqual(view.hash, expected.hash);
    view.detail.forEach((value, i) => assert.ok(Math.abs(value - expected.detail[i]!) <= 1));
    assert.ok(Math.abs(view.deviation - expected.deviation) < 1e-4);
  });

  it('do not depend on size and aspect, nor on bars', () => {
    const light = scene(3);
    const { whole } = fingerprintOf(paint(light));
    const small = fingerprintOf(paint(light, { width: 80, height: 120, stepX: 2 })).whole;
    assert.deepEqual(small.hash, whole.hash);
    const boxed = paint((x, y) => (y < 20 || y >= 140 ? 3 + (x % 2) : light(x, y - 20)), { height: 160 });
    assert.deepEqual(fingerprintOf(boxed).whole, whole);
  });

  it('take a picture of one colour as it is, and not as bars all over', () => {
    const { deviation } = fingerprintOf(paint(() => 77)).whole;
    assert.equal(deviation, 0);
  });
});

describe('the leak check', () => {
  const found = (picture: GreyPicture, more: Parameters<typeof findLeaks>[2] = {}) =>
    findLeaks([fingerprintOf(picture)], videos, more);

  it('finds the frame that a picture is, its video and time', () => {
    const [leak, ...others] = found(paint(scene(2), { left: 90 }));
    assert.deepEqual([leak!.image, leak!.video, leak!.time, leak!.mirrored], [0, 'pan 2', 0.75, false]);
    assert.ok(leak!.similarity > 0.999);
    assert.deepEqual(others, []);
  });

  it('finds it mirrored, enlarged, brighter and flatter, with bars, and cropped on either side', () => {
    const light = scene(1);
    const same: Record<string, GreyPicture> = {
      mirrored: flipped(paint(light, { left: 60 })),
      enlarged: paint(light, { left: 60, width: 400, height: 300, stepX: 0.4, stepY: 0.4 }),
      'brighter and flatter': paint((x, y) => 90 + light(x, y) / 2, { left: 60 }),
      'with bars': paint((x, y) => (x < 60 || x >= 220 ? 0 : light(x, y)), { left: 40, width: 200 }),
      cropped: paint(light, { left: 68, top: 6, width: 144, height: 108 }),
      'with more around': paint(light, { left: 52, top: -6, width: 176, height: 132 }),
    };
    for (const [what, picture] of Object.entries(same)) {
      const [leak] = found(picture);
      assert.equal(leak?.video, 'pan 1', what);
      assert.equal(leak.mirrored, what === 'mirrored', what);
      assert.ok(Math.abs(leak.time - 0.5) <= 0.25, `${what}: at ${leak.time} s`);
    }
  });

  it('says nothing of other pictures, however lax the hash', () => {
    const others = Array.from({ length: 40 }, (_, i) => fingerprintOf(paint(scene(100 + i))));
    assert.deepEqual(findLeaks(others, videos, { maxBits: 64 }), []);
  });

  it('says nothing of what is flat, on either side', () => {
    const sky = paint((_, y) => 120 + y / 20);
    assert.deepEqual(findLeaks([fingerprintOf(sky)], [videoOf('sky', [sky])]), []);
    assert.equal(findLeaks([fingerprintOf(sky)], [videoOf('sky', [sky])], { minDetail: 0 }).length, 1);
  });

  it('names each video once a picture, the most alike first, pictures in order', () => {
    const light = scene(1);
    const copies = [...videos, videoOf('again', [paint((x, y) => light(x + (y % 3), y))])];
    const leaks = findLeaks([paint(scene(2)), paint(scene(1))].map(fingerprintOf), copies);
    assert.deepEqual(
      leaks.map(({ image, video }) => [image, video]),
      [
        [0, 'pan 2'],
        [1, 'pan 1'],
        [1, 'again'],
      ],
    );
  });
});

describe('fingerprints of files', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'prints-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('know frames of a video, encoded anew and smaller, in pictures of another size', async () => {
    const file = path.join(folder, 'pan.mp4');
    const light = scene(9);
    const frameAt = (i: number, size = {}) => {
      const { width, height, data } = paint(light, { left: i * 4, ...size });
      const rgb = Uint8Array.from({ length: data.length * 3 }, (_, at) => data[Math.floor(at / 3)]!);
      return { width, height, channels: 3 as const, data: rgb };
    };
    await encodeVideo(
      Array.from({ length: 24 }, (_, i) => frameAt(i)),
      file,
      { fps: 12, quality: 35 },
    );
    const frames = await fingerprintVideo(file, { everySeconds: 0.5 });
    assert.deepEqual(
      frames.map(({ time }) => Math.round(time * 12)),
      [0, 6, 12, 18],
    );
    const big = frameAt(7, { width: 320, height: 240, stepX: 0.5, stepY: 0.5 });
    const jpeg = await sharp(big.data, { raw: { width: 320, height: 240, channels: 3 } })
      .jpeg({ quality: 50 })
      .toBuffer();
    const prints = await fingerprintPictures([{ label: 'picture', read: () => jpeg }]);
    const [leak] = findLeaks(prints, [{ video: 'pan', frames }]);
    assert.equal(leak?.time, 0.5);
  });

  it('of a picture that cannot be read name it', async () => {
    const broken = { label: 'a/b.jpg', read: () => Buffer.from('no picture') };
    await assert.rejects(fingerprintPictures([broken]), /Could not decode a\/b\.jpg/);
  });

  it('tell real sequences that also lie among the clips from pictures that do not', async function () {
    if (!existsSync(shared)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const pictures = (names: readonly string[]) =>
      fingerprintPictures(names.map((name) => ({ label: name, read: () => readFileSync(path.join(shared, name)) })));
    const clips = ['otb__Basketball', 'vid2vid-zero__brown-bear'];
    const prints = await Promise.all(
      clips.map(async (video) => ({
        video,
        frames: await fingerprintVideo(path.join(shared, `video/clips/${video}.mp4`), { everySeconds: 0.5 }),
      })),
    );
    const sequence = ['0001', '0020', '0037'].map((number) => `video/tracking/OTB_Basketball/img/${number}.jpg`);
    const others = ['bonsai', 'chair', 'kangaroo'].map(
      (name) => `images/classification/caltech101/101_ObjectCategories/${name}/image_0001.jpg`,
    );
    const leaks = findLeaks(await pictures([...sequence, ...others]), prints);
    assert.deepEqual(
      leaks.map(({ image, video }) => [image, video]),
      [0, 1, 2].map((image) => [image, 'otb__Basketball']),
    );
  });
});
