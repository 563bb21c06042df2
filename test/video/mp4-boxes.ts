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

/** The boxes along a path into an MP4, from the outermost to the one it names: `['moov', 'trak', 'edts', 'elst']`, first of each name. */
export const findBoxes = (bytes: Buffer, path: readonly string[]): Box[] => {
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

/** A box with its header. */
export const makeBox = (name: string, content: Buffer): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + content.length);
  header.write(name, 4, 'latin1');
  return Buffer.concat([header, content]);
};

/**
 * An MP4 with another content for one of its boxes. The index (moov) must stand at the file's end, ffmpeg's habit, since it may grow:
 * offsets of samples would be wrong otherwise.
 */
export const replaceBox = (bytes: Buffer, path: readonly string[], content: Buffer): Buffer => {
  const boxes = findBoxes(bytes, path);
  const old = boxes.at(-1) as Box;
  const box = makeBox(path.at(-1) as string, content);
  const out = Buffer.concat([bytes.subarray(0, old.start), box, bytes.subarray(old.start + old.size)]);
  for (const { start, size } of boxes.slice(0, -1)) out.writeUInt32BE(size + box.length - old.size, start);
  return out;
};
