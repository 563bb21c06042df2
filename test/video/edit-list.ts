import { findBoxes, replaceBox } from './mp4-boxes.js';

/** One entry of an edit list: `mediaTime` -1 for an empty edit, times in seconds. */
export type Edit = { readonly duration: number; readonly mediaTime: number };

/** An MP4 of one track with the given edit list in the place of its own. */
export const withEdits = (bytes: Buffer, edits: readonly Edit[]): Buffer => {
  const movieScale = bytes.readUInt32BE(findBoxes(bytes, ['moov', 'mvhd']).at(-1)!.start + 20);
  const mediaScale = bytes.readUInt32BE(findBoxes(bytes, ['moov', 'trak', 'mdia', 'mdhd']).at(-1)!.start + 20);
  const list = Buffer.alloc(8 + 12 * edits.length);
  list.writeUInt32BE(edits.length, 4);
  edits.forEach(({ duration, mediaTime }, i) => {
    list.writeUInt32BE(Math.round(duration * movieScale), 8 + 12 * i);
    list.writeInt32BE(mediaTime < 0 ? -1 : Math.round(mediaTime * mediaScale), 12 + 12 * i);
    list.writeUInt32BE(0x10000, 16 + 12 * i); // rate 1
  });
  return replaceBox(bytes, ['moov', 'trak', 'edts', 'elst'], list);
};
