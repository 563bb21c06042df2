import { RandomStream } from '../numeric/random.js';

/** How a set is shuffled that is read through a buffer, in samples. */
export type ShuffleBuffer = {
  /** Samples the buffer holds. */
  readonly bufferSize: number;
  /** Samples that lie beside each other in the file and are read in one go. */
  readonly blockSize: number;
};

/** An epoch of a set that is read through a buffer. */
export type BufferedOrder = {
  /** Samples as they are read: blocks by chance, each from its first sample to its last. */
  readonly read: Int32Array;
  /** Samples as they are shown; position `k` holds one of the first `bufferSize + k` of `read`. */
  readonly shown: Int32Array;
};

/**
 * The order of an epoch through a shuffle buffer, a pure function of (seed, epoch) and the two sizes. Blocks of neighbours are read
 * in an order by chance; the buffer holds `bufferSize` samples, each position shows one of them by chance, and the next one that is
 * read takes its place. Every sample is read and shown once.
 *
 * How far from a uniform order: two samples of a block enter together and stay for times that are geometric with mean `bufferSize`, so
 * they meet in a batch of `b` with probability `tanh(b / (2 bufferSize))`, about `b / (2 bufferSize)`; in a uniform order of `n` samples
 * it is `(b - 1) / (n - 1)`. So blocks are told apart as by a uniform order of twice the buffer. With a buffer that holds all samples
 * the order is uniform, and the very one that the training loop draws for a set in memory.
 */
export const bufferedOrder = (
  length: number,
  { bufferSize, blockSize }: ShuffleBuffer,
  seed: number,
  epoch: number,
): BufferedOrder => {
  for (const [name, value] of Object.entries({ bufferSize, blockSize })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be a whole number above 0, got \`${value}\` (${typeof value})`);
    }
  }
  if (bufferSize >= length) {
    const read = Int32Array.from({ length }, (_, sample) => sample);
    return { read, shown: RandomStream.of(seed, 'order', epoch).shuffle(read.slice()) };
  }
  const random = RandomStream.of(seed, 'order through a buffer', epoch);
  const read = blocksByChance(length, blockSize, random);
  const buffer = read.slice(0, bufferSize);
  const shown = new Int32Array(length);
  for (let position = 0, next = bufferSize, held = bufferSize; position < length; position++) {
    const place = random.integer(held);
    shown[position] = buffer[place]!;
    buffer[place] = next < length ? read[next++]! : buffer[--held]!;
  }
  return { read, shown };
};

const blocksByChance = (length: number, blockSize: number, random: RandomStream): Int32Array => {
  const blocks = random.shuffle(Int32Array.from({ length: Math.ceil(length / blockSize) }, (_, block) => block));
  const read = new Int32Array(length);
  let at = 0;
  for (const block of blocks) {
    const end = Math.min(length, (block + 1) * blockSize);
    for (let sample = block * blockSize; sample < end; sample++) read[at++] = sample;
  }
  return read;
};
