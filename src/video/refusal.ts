import { open } from 'node:fs/promises';

const startsWith = (head: Buffer, ...bytes: readonly (number | string)[]): boolean => {
  const wanted = Buffer.concat(
    bytes.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
  );
  return head.subarray(0, wanted.length).equals(wanted);
};

/** What a file is by its first bytes, where that is something often mistaken for a video: a picture, a playlist, text, an archive. */
export const guessKind = (head: Buffer): string | null => {
  if (startsWith(head, 0xff, 0xd8, 0xff)) return 'a JPEG picture';
  if (startsWith(head, 0x89, 'PNG')) return 'a PNG picture';
  if (startsWith(head, 'RIFF') && head.toString('latin1', 8, 12) === 'WEBP') return 'a WebP picture';
  if (startsWith(head, 'BM') && head.length > 54 && head.readUInt32LE(14) === 40) return 'a BMP picture';
  if (startsWith(head, 'II*\0') || startsWith(head, 'MM\0*')) return 'a TIFF picture';
  if (startsWith(head, 'ID3')) return 'an audio file';
  if (startsWith(head, 'PK', 3, 4)) return 'a ZIP archive';
  if (startsWith(head, '%PDF')) return 'a PDF document';
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (text.startsWith('#EXTM3U')) return 'a playlist (m3u8) that names other files';
  if (text.startsWith('ffconcat')) return 'a playlist (ffconcat) that names other files';
  if (/^<(\?xml[^>]*>\s*<)?MPD\b/i.test(text) || /<MPD\b/.test(text)) return 'a playlist (DASH) that names other files';
  if (/^<(!doctype html|html)\b/i.test(text)) return 'a web page';
  if (text.startsWith('version https://git-lfs')) return 'a Git LFS pointer: the video itself was not fetched';
  if (head.length > 0 && !/[^\t\n\r\x20-\x7e]/.test(head.toString('latin1'))) return 'a text file';
  return null;
};

/**
 * Why ffmpeg gave no frame, in words, from its log and the file's first bytes. The log's own words are cited where nothing better is known.
 */
export const explainRefusal = async (
  file: string,
  lines: readonly string[],
  codec: string | undefined,
): Promise<string> => {
  const handle = await open(file);
  let kind: string | null;
  let mp4: boolean;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    kind = guessKind(buffer.subarray(0, bytesRead));
    mp4 = bytesRead >= 8 && buffer.toString('latin1', 4, 8) === 'ftyp';
  } finally {
    await handle.close();
  }
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  if (kind !== null) return `not a video but ${kind}`;
  const [, wide, high] = lines.map((line) => /Picture size (\d+)x(\d+) is invalid/.exec(line)).find(Boolean) ?? [];
  if (wide !== undefined) return `pictures of ${wide} x ${high} are larger than can be decoded`;
  if (has(/Format not on whitelist/)) return 'not a video format that is taken (a playlist, a picture, audio or text)';
  if (has(/^\[info\] {3}(?: {2})?Stream #0:\d+.*: Audio:/) && codec === undefined)
    return 'it has no pictures, only audio';
  if (mp4 && has(/moov atom not found/))
    return 'an MP4 whose index (the moov box) is missing: the recording or download was cut short';
  if (codec !== undefined) {
    if (
      has(/Decod(er|ing) .*not found|no decoder found|Decoder \(codec \S+\) not found/i) ||
      codec === 'none' ||
      codec === 'unknown'
    ) {
      return `this ffmpeg has no decoder for its codec (${codec})`;
    }
    if (has(/Cannot allocate memory|max_alloc/i)) return 'decoding it needs more memory than is allowed';
    return `a video stream (${codec}) without a single decodable frame`;
  }
  if (has(/^\[info\] Input #0/)) return 'it has no picture stream';
  const errors = lines.flatMap((line) => /\[(?:error|fatal)\] (.*)$/.exec(line)?.[1] ?? []);
  const said = errors.find((text) => !/^Error (opening|parsing)/.test(text)) ?? errors[0];
  return `not a video${said === undefined ? '' : ` (${said.replaceAll(file, 'it').slice(0, 160)})`}`;
};
