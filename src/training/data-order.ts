import { RandomStream } from '../numeric/random.js';

/**
 * The order in which an epoch visits its samples: a pure function of (seed, epoch, weights). Without weights every sample once;
 * with weights `length` draws with replacement, sample `i` with probability `weights[i] / sum`.
 */
export function epochOrder(length: number, seed: number, epoch: number, weights?: Float64Array): Int32Array {
  const random = RandomStream.of(seed, 'order', epoch);
  if (!weights) return random.shuffle(Int32Array.from({ length }, (_, index) => index));
  if (weights.length !== length) throw new RangeError(`Expected ${length} sampling weights, got ${weights.length}`);
  const sums = new Float64Array(length);
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const weight = weights[i]!;
    if (!(weight >= 0 && weight < Infinity)) {
      throw new RangeError(`Expected sampling weights from 0, got \`${weight}\` for sample ${i}`);
    }
    sums[i] = sum += weight;
  }
  if (!(sum > 0)) throw new RangeError('Expected a sampling weight above 0, got none');
  return Int32Array.from({ length }, () => firstAbove(sums, random.uniform(0, sum)));
}

/**
 * {@link epochOrder} with `perVideo` samples of one video beside each other: those of each video in an order by chance, cut into so
 * many (the last ones may be fewer), the pieces in an order by chance.
 *
 * @param videos number of each sample's video
 */
export function epochOrderByVideo(videos: Int32Array, perVideo: number, seed: number, epoch: number): Int32Array {
  const random = RandomStream.of(seed, 'order by video', epoch);
  const samples = new Map<number, number[]>();
  videos.forEach((video, sample) => {
    const list = samples.get(video);
    if (list) list.push(sample);
    else samples.set(video, [sample]);
  });
  const pieces: number[][] = [];
  for (const list of samples.values()) {
    const shuffled = random.shuffle(list);
    for (let from = 0; from < shuffled.length; from += perVideo) pieces.push(shuffled.slice(from, from + perVideo));
  }
  return Int32Array.from(random.shuffle(pieces).flat());
}

/** The first position of ascending `sums` whose value is above `value`. */
const firstAbove = (sums: Float64Array, value: number): number => {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** Full batches in an epoch: what is left over at its end waits for another order. */
export const batchesPerEpoch = (length: number, batchSize: number): number => {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > length) {
    throw new RangeError(
      `Expected \`batchSize\` to be a whole number from 1 to the ${length} samples there are, got \`${batchSize}\` (${typeof batchSize})`,
    );
  }
  return Math.floor(length / batchSize);
};
