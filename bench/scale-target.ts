import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { writeRaster } from '../src/drawing/image-file.js';
import { RandomStream } from '../src/numeric/random.js';

/** A target of eight pictures of noise: a run needs one, and the embedded one would take longer than what is measured. */
export const writeNoiseTarget = async (folder: string): Promise<string> => {
  for (const part of ['train', 'test']) {
    for (const name of ['one', 'other']) {
      const place = path.join(folder, part, name);
      mkdirSync(place, { recursive: true });
      for (let i = 0; i < 2; i++) {
        const random = RandomStream.of(1, part, name, i);
        const data = Uint8Array.from({ length: 32 * 32 * 3 }, () => random.integer(256));
        await writeRaster(path.join(place, `${i}.png`), { width: 32, height: 32, channels: 3, data });
      }
    }
  }
  return folder;
};
