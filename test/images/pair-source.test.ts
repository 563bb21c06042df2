import assert from 'node:assert/strict';
import sharp from 'sharp';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { identityDraw } from '../../src/images/augmentation.js';
import type { EncodedPair, PairCache } from '../../src/images/pair-cache.js';
import { loadPairCache, writePairCache } from '../../src/images/pair-cache-file.js';
import { openImageSource, openPairSource, openPatchSource, type PairKind } from '../../src/images/pair-source.js';
import { partnersFromOtherVideos, partnersInSameVideo } from '../../src/images/partners.js';
import type { PairRecord } from '../../src/shards/pair-record.js';
import type { Source } from '../../src/training/method.js';
import type { ViewSpec } from '../../src/images/augmentation.js';
import { inFolder } from './in-folder.js';

const target = { inputSize: 4, mean: [0, 0, 0] as const, std: [1, 1, 1] as const };
const png = (level: number): Promise<Buffer> =>
  sharp({ create: { width: 4, height: 4, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();

/** Pair i is grey of level 10 i (a), 10 i + 1 (b), 10 i + 2 (u): a rendered value tells which picture it came from. */
const cacheOf = async (videos: readonly string[], without = -1): Promise<PairCache> => {
  const pairs: EncodedPair[] = [];
  for (const [i, video] of videos.entries()) {
    const box = { x: 20 * i, y: 0, width: 10, height: 10 };
    const record = { key: `k${i}`, video, startFrame: 0, endFrame: 30, boxes: [box, box] } as unknown as PairRecord;
    const pair = { record, a: await png(i * 10), b: await png(i * 10 + 1) };
    pairs.push(i === without ? pair : { ...pair, u: await png(i * 10 + 2) });
  }
  return inFolder(async (folder) => {
    await writePairCache(folder, pairs, 4);
    return loadPairCache(folder);
  });
};

const levels = (source: Source<ViewSpec>, end: 'a' | 'b'): number[] => {
  const indices = Int32Array.from({ length: source.length }, (_, i) => i);
  const [view] = source.render(
    indices,
    [...indices].map(() => [{ end, augmentation: identityDraw }]),
  );
  const values = view!.dataSync();
  view!.dispose();
  return [...indices].map((i) => Math.round(values[i * 48]! * 255));
};

describe('pair sources', () => {
  const videos = ['v', 'w', 'v', 'x', 'w', 'v'];
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('serve both ends of each track', async () => {
    const source: Source<ViewSpec> = openPairSource(await cacheOf(videos), 'tracks', { seed: 1, target });
    assert.deepEqual(levels(source, 'a'), [0, 10, 20, 30, 40, 50]);
    assert.deepEqual(levels(source, 'b'), [1, 11, 21, 31, 41, 51]);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((i) => source.info(i).video),
      [0, 1, 0, 2, 1, 0],
    );
    assert.equal(source.videos, 3);
    assert.equal(source.info(2).paired, true);
    const plain = source.plain(Int32Array.of(3)).dataSync();
    assert.equal(Math.round(plain[0]! * 255), 30);
  });

  it('serve the same patch twice, the untracked patch, and partners of the right video', async () => {
    const cache = await cacheOf(videos);
    const open = (kind: 'self' | 'untracked' | 'shuffled' | 'same-video') =>
      openPairSource(cache, kind, { seed: 7, target });
    const everyPatch = [0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51];
    assert.deepEqual(levels(open('self'), 'a'), everyPatch, 'as many patches as the tracks have');
    assert.deepEqual(levels(open('self'), 'b'), everyPatch);
    assert.equal(open('self').info(3).video, 1);
    assert.deepEqual(levels(open('untracked'), 'b'), [2, 12, 22, 32, 42, 52]);
    levels(open('shuffled'), 'b').forEach((level, i) => {
      assert.equal(level % 10, 1);
      assert.notEqual(videos[Math.floor(level / 10)], videos[i]);
    });
    const same = open('same-video');
    assert.equal(same.length, 5, 'the only pair of its video has no other');
    const a = levels(same, 'a');
    levels(same, 'b').forEach((level, i) => {
      assert.equal(videos[Math.floor(level / 10)], videos[a[i]! / 10]);
      assert.notEqual(Math.floor(level / 10), a[i]! / 10);
    });
  });

  it('say which pairs of a video are apart, by pair also where samples are both ends or some are left out', async () => {
    const cache = await cacheOf(['v', 'v', 'v'], 1);
    const apartIn = (kind: PairKind, index: number, other: number) =>
      openPairSource(cache, kind, { seed: 1, target }).apart!(index, other);
    assert.ok(apartIn('tracks', 0, 1));
    assert.ok(!apartIn('tracks', 1, 1));
    assert.ok(!apartIn('self', 2, 3));
    assert.ok(apartIn('self', 1, 2));
    assert.ok(apartIn('untracked', 0, 1));
  });

  it('leave out pairs without an untracked patch, and fail where there is none', async () => {
    const source = openPairSource(await cacheOf(videos, 3), 'untracked', { seed: 1, target });
    assert.deepEqual(levels(source, 'a'), [0, 10, 20, 40, 50]);
    const one = await cacheOf(['v'], 0);
    assert.throws(() => openPairSource(one, 'untracked', { seed: 1, target }), /untracked patch/);
    assert.throws(() => openPairSource(one, 'shuffled', { seed: 1, target }), /at least 2 videos/);
  });

  it('differ in their digest by kind, seed, order and content', async () => {
    const cache = await cacheOf(videos);
    const swapped = await cacheOf(['w', 'v', 'v', 'x', 'w', 'v']);
    // Six pairs leave few derangements: seeds 1 and 2 happen to draw the same one, seeds 1 and 3 do not.
    const digests = [
      openPairSource(cache, 'tracks', { seed: 1, target }).digest,
      openPairSource(cache, 'self', { seed: 1, target }).digest,
      openPairSource(cache, 'shuffled', { seed: 1, target }).digest,
      openPairSource(cache, 'shuffled', { seed: 3, target }).digest,
      openPairSource(swapped, 'tracks', { seed: 1, target }).digest,
      openPatchSource(cache, { target }).digest,
    ];
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(openPairSource(await cacheOf(videos), 'shuffled', { seed: 3, target }).digest, digests[3]);
    assert.equal(openPairSource(cache, 'tracks', { seed: 9, target }).digest, digests[0], 'tracks know no chance');
  });

  it('serve every patch as a single sample for instance discrimination', async () => {
    const cache = await cacheOf(['v', 'w']);
    const source = openPatchSource(cache, { target });
    assert.deepEqual(levels(source, 'a'), [0, 1, 10, 11]);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => source.info(i).video),
      [0, 0, 1, 1],
    );
    assert.equal(source.info(0).paired, false);
    assert.throws(() => levels(source, 'b'), /no end `b`/);
    assert.equal(openImageSource(cache.pixels, { target }).videos, cache.pixels.count);
  });
});

describe('partners', () => {
  it('are a permutation without a meeting of one video, whenever one exists', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = RandomStream.of(seed, 'test');
      const half = 1 + random.integer(12);
      // One video owns exactly half of all samples, the hardest case that can be solved.
      const video = random.shuffle(
        Int32Array.from({ length: 2 * half }, (_, i) => (i < half ? 0 : 1 + random.integer(3))),
      );
      const partner = partnersFromOtherVideos(video, random);
      assert.equal(new Set(partner).size, video.length);
      partner.forEach((p, i) => assert.notEqual(video[p], video[i]));
    }
  });

  it('still come from other videos where one video owns most samples', () => {
    const video = Int32Array.of(0, 0, 0, 0, 0, 1);
    partnersFromOtherVideos(video, RandomStream.of(1)).forEach((p, i) => assert.notEqual(video[p], video[i]));
  });

  it('within a video go round all of its samples', () => {
    const partner = partnersInSameVideo(Int32Array.of(0, 1, 0, 0, 2, 1), RandomStream.of(4));
    assert.equal(partner[4], -1);
    assert.deepEqual([partner[1], partner[5]], [5, 1]);
    assert.deepEqual([partner[0], partner[2], partner[3]].sort(), [0, 2, 3]);
    assert.ok(partner.every((p, i) => p !== i));
  });
});
