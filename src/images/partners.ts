import type { RandomStream } from '../numeric/random.js';

const groupsOf = (video: Int32Array): Map<number, number[]> => {
  const groups = new Map<number, number[]>();
  video.forEach((number, i) => {
    const group = groups.get(number);
    if (group) group.push(i);
    else groups.set(number, [i]);
  });
  return groups;
};

/**
 * A partner from another video for every sample: a random permutation in which no sample meets its own video. Where one video
 * owns more than half of the samples no such permutation exists; its surplus samples then draw partners with replacement.
 * Throws where all samples are of one video.
 *
 * Repair by exchange suffices: for a conflict of video V there are at most `m - 1` other positions of V and `m - 1` other
 * positions that hold a sample of V, so with `2 m <= n` some position j has neither, and exchanging with it mends the conflict
 * without making another.
 */
export const partnersFromOtherVideos = (video: Int32Array, random: RandomStream): Int32Array => {
  const count = video.length;
  if (new Set(video).size < 2) {
    throw new RangeError('Expected samples of at least 2 videos for partners from other videos, got 1');
  }
  const partner = random.shuffle(Int32Array.from(video, (_, i) => i));
  for (let i = 0; i < count; i++) {
    const own = video[i];
    if (video[partner[i] as number] !== own) continue;
    const start = random.integer(count);
    let mended = false;
    for (let step = 0; step < count && !mended; step++) {
      const j = (start + step) % count;
      if (video[j] === own || video[partner[j] as number] === own) continue;
      [partner[i], partner[j]] = [partner[j] as number, partner[i] as number];
      mended = true;
    }
    while (!mended) {
      partner[i] = random.integer(count);
      mended = video[partner[i] as number] !== own;
    }
  }
  return partner;
};

/**
 * Another sample of the same video for every sample, a random cycle through each video's samples; -1 for the only sample of its video.
 */
export const partnersInSameVideo = (video: Int32Array, random: RandomStream): Int32Array => {
  const partner = new Int32Array(video.length).fill(-1);
  for (const group of groupsOf(video).values()) {
    if (group.length < 2) continue;
    const order = random.shuffle([...group]);
    order.forEach((sample, i) => {
      partner[sample] = order[(i + 1) % order.length] as number;
    });
  }
  return partner;
};
