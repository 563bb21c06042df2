/** One entry of an edit list: `mediaTime` -1 for an empty edit, times in seconds. */
export type Edit = { readonly duration: number; readonly mediaTime: number };

type Box = { readonly start: number; readonly size: number };

const childrenOf = (bytes: Buffer, from: number, to: number): (Box & { name: string })[] => {
  const found: (Box & { name: string })[] = [];
  for (let at = from; at + 8 <= to;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    found.push({ start: at, size, name: bytes.toString('latin1', at + 4, at + 8) });
    at += size;
  }
  return found;
};

const inside = (bytes: Buffer, path: readonly string[]): Box[] => {
  const boxes: Box[] = [];
  let [from, to] = [0, bytes.length];
  for (const name of path) {
    const box = childrenOf(bytes, from, to).find((child) => child.name === name);
    if (box === undefined) throw new Error(`Expected a box ${path.join('/')}, got none`);
    boxes.push(box);
    [from, to] = [box.start + 8, box.start + box.size];
  }
  return boxes;
};

/**
 * An MP4 of one track with the given edit list in the place of its own. The index must stand at the file's end (ffmpeg's habit), since it may
 * grow: offsets of samples would be wrong otherwise.
 */
export const withEdits = (bytes: Buffer, edits: readonly Edit[]): Buffer => {
  const movieScale = bytes.readUInt32BE(inside(bytes, ['moov', 'mvhd']).at(-1)!.start + 20);
  const mediaScale = bytes.readUInt32BE(inside(bytes, ['moov', 'trak', 'mdia', 'mdhd']).at(-1)!.start + 20);
  const boxes = inside(bytes, ['moov', 'trak', 'edts', 'elst']);
  const old = boxes.at(-1)!;
  const list = Buffer.alloc(16 + 12 * edits.length);
  list.writeUInt32BE(list.length, 0);
  list.write('elst', 4, 'latin1');
  list.writeUInt32BE(edits.length, 12);
  edits.forEach(({ duration, mediaTime }, i) => {
    list.writeUInt32BE(Math.round(duration * movieScale), 16 + 12 * i);
    list.writeInt32BE(mediaTime < 0 ? -1 : Math.round(mediaTime * mediaScale), 20 + 12 * i);
    list.writeUInt32BE(0x10000, 24 + 12 * i); // rate 1
  });
  const out = Buffer.concat([bytes.subarray(0, old.start), list, bytes.subarray(old.start + old.size)]);
  for (const { start, size } of boxes.slice(0, -1)) out.writeUInt32BE(size + list.length - old.size, start);
  return out;
};
