import { createHash } from 'node:crypto';
import { RandomStream } from '../numeric/random.js';
import { partnersFromOtherVideos, partnersInSameVideo } from './partners.js';
import type { PairCache } from './pair-cache.js';
import type { Pictures } from './picture-file.js';
import type { ImageTarget } from './render-views.js';
import { sampleSource, type SampleSource } from './sample-source.js';
import { tracksApart } from './track-place.js';

/**
 * What end `b` of a sample is. `tracks`: the other end of its track. The controls: `self`, the same patch as `a` again, with both
 * ends of every track as samples, so that it sees all the patches that `tracks` sees;
 * `shuffled`, end `b` of a pair of another video; `same-video`, end `b` of another pair of its video; `untracked`, the place
 * of `a` 30 frames later.
 */
export type PairKind = 'tracks' | 'self' | 'shuffled' | 'same-video' | 'untracked';

/** All kinds, `tracks` first. */
export const pairKinds: readonly PairKind[] = ['tracks', 'self', 'shuffled', 'same-video', 'untracked'];

/**
 * The pairs of a cache as samples of two ends. Partners of the controls are drawn once, from the seed. Pairs that a control
 * cannot serve (no other pair in their video, no untracked patch) are left out; with none left it fails.
 */
export const openPairSource = (
  cache: PairCache,
  kind: PairKind,
  { seed, target }: { readonly seed: number; readonly target: ImageTarget },
): SampleSource => {
  if (kind === 'self') return openSelfSource(cache, target);
  const random = RandomStream.of(seed, 'pair-source', kind);
  const b = endsOf(cache, kind, random);
  const kept = Int32Array.from(b.keys()).filter((i) => (b[i] as number) >= 0);
  if (kept.length === 0) throw new RangeError(noneLeft(kind, cache));
  const pick = (values: Int32Array): Int32Array => kept.map((i) => values[i] as number);
  const hash = createHash('sha256').update(`source ${kind} ${cache.digest}\n`);
  kept.forEach((i) => hash.update(`${cache.a[i]} ${b[i]}\n`));
  return sampleSource({
    cache: cache.pixels,
    a: pick(cache.a),
    b: pick(b),
    video: pick(cache.video),
    videos: cache.videos.length,
    apart: (index, other) => tracksApart(cache.places, kept[index]!, kept[other]!),
    digest: hash.digest('hex'),
    target,
  });
};

const interleave = (first: Int32Array, second: Int32Array): Int32Array =>
  Int32Array.from({ length: first.length * 2 }, (_, i) => (i % 2 ? second : first)[i >> 1] as number);

const openSelfSource = (cache: PairCache, target: ImageTarget): SampleSource => {
  const patches = interleave(cache.a, cache.b);
  return sampleSource({
    cache: cache.pixels,
    a: patches,
    b: patches,
    video: interleave(cache.video, cache.video),
    videos: cache.videos.length,
    apart: (index, other) => tracksApart(cache.places, index >> 1, other >> 1),
    digest: createHash('sha256').update(`source self, both ends ${cache.digest}`).digest('hex'),
    target,
  });
};

/** Every patch of the tracks (both ends) as a sample of its own, for methods that tell single images apart. */
export const openPatchSource = (cache: PairCache, { target }: { readonly target: ImageTarget }): SampleSource => {
  return sampleSource({
    cache: cache.pixels,
    a: interleave(cache.a, cache.b),
    video: interleave(cache.video, cache.video),
    videos: cache.videos.length,
    digest: createHash('sha256').update(`patches ${cache.digest}`).digest('hex'),
    target,
  });
};

/** The pictures of an image set as single samples, each a video of its own. */
export const openImageSource = (cache: Pictures, { target }: { readonly target: ImageTarget }): SampleSource => {
  const order = Int32Array.from({ length: cache.count }, (_, i) => i);
  return sampleSource({
    cache,
    a: order,
    video: order,
    videos: cache.count,
    digest: createHash('sha256').update(`images ${cache.digest}`).digest('hex'),
    target,
  });
};

/** The picture of end `b` of each pair, -1 where there is none. */
const endsOf = (cache: PairCache, kind: Exclude<PairKind, 'self'>, random: RandomStream): Int32Array => {
  const through = (partner: Int32Array): Int32Array => partner.map((i) => (i < 0 ? -1 : (cache.b[i] as number)));
  switch (kind) {
    case 'tracks':
      return cache.b;
    case 'untracked':
      return cache.u;
    case 'shuffled':
      return through(partnersFromOtherVideos(cache.video, random));
    case 'same-video':
      return through(partnersInSameVideo(cache.video, random));
    default:
      throw new RangeError(`Expected \`kind\` to be one of ${pairKinds.join(', ')}, got \`${String(kind)}\``);
  }
};

const noneLeft = (kind: PairKind, cache: PairCache): string =>
  kind === 'untracked'
    ? `Expected pairs with an untracked patch (\`u\`), got none among ${cache.keys.length}: pack the shards with it`
    : `Expected at least one pair for \`${kind}\`, got none usable among ${cache.keys.length} of ${cache.videos.length} video(s)`;
