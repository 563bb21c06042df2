import sharp from 'sharp';
import { writePairCache } from '../../src/images/pair-cache-file.js';
import type { EncodedPair } from '../../src/images/pair-cache.js';
import { RandomStream } from '../../src/numeric/random.js';
import type { PairRecord } from '../../src/shards/pair-record.js';

/** How many pairs there are. */
export const pairs = 120;
const size = 8;
/** Bytes of a decoded picture. */
export const pictureBytes = size * size * 3;

/** Packs pairs of noise, eight a video, every fifth without an untracked patch. */
export const writeNoisePairs = async (folder: string): Promise<void> => {
  const random = RandomStream.of(1, 'pairs');
  const picture = (): Promise<Buffer> =>
    sharp(
      Uint8Array.from({ length: pictureBytes }, () => random.integer(256)),
      { raw: { width: size, height: size, channels: 3 } },
    )
      .png({ compressionLevel: 0 })
      .toBuffer();
  const encoded: EncodedPair[] = [];
  for (let i = 0; i < pairs; i++) {
    const box = { x: 20 * i, y: 0, width: 10, height: 10 };
    const record = { key: `k${i}`, video: `v${i >> 3}`, startFrame: 0, endFrame: 30, boxes: [box, box] };
    encoded.push({
      record: record as unknown as PairRecord,
      a: await picture(),
      b: await picture(),
      ...(i % 5 === 0 ? {} : { u: await picture() }),
    });
  }
  await writePairCache(folder, encoded, size);
};
