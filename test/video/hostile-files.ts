import { makeBox, replaceBox } from './mp4-boxes.js';

/** A file that is out for harm, under a name of a video. */
export type Mutant = {
  /** What was done to it: a row of the table. */
  readonly kind: string;
  readonly name: string;
  readonly bytes: Buffer;
};

const u16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const chunk = (name: string, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(name, 'latin1'), u32(content.length), content, Buffer.alloc(content.length % 2)]);

/**
 * An AVI that carries a playlist as its subtitles ("GAB2"): its demuxer opens what is in them with whatever demuxer fits, a way by which
 * an upload once could make ffmpeg read the server's own files.
 */
const aviWithSubtitles = (avi: Buffer, playlist: string): Buffer => {
  const text = Buffer.from(playlist);
  const gab2 = Buffer.concat([Buffer.from('GAB2\0'), u16(2), u32(2), u16(0), u16(4), u32(text.length), text]);
  const header = Buffer.alloc(56);
  header.write('txts', 0, 'latin1');
  header.writeUInt32LE(1, 20); // scale
  header.writeUInt32LE(25, 24); // rate
  header.writeUInt32LE(1, 32); // length
  const stream = chunk(
    'LIST',
    Buffer.concat([Buffer.from('strl'), chunk('strh', header), chunk('strf', Buffer.alloc(0))]),
  );
  const hdrl = avi.indexOf('hdrl') - 8;
  const movi = avi.indexOf('movi') - 8;
  const end = hdrl + 8 + avi.readUInt32LE(hdrl + 4);
  const packet = chunk('01tx', gab2);
  const out = Buffer.concat([
    ...[avi.subarray(0, end), stream, avi.subarray(end, movi + 12), packet, avi.subarray(movi + 12)],
  ]);
  out.writeUInt32LE(out.length - 8, 4);
  out.writeUInt32LE(avi.readUInt32LE(hdrl + 4) + stream.length, hdrl + 4);
  out.writeUInt32LE(avi.readUInt32LE(movi + 4) + packet.length, movi + stream.length + 4);
  out.writeUInt32LE(2, avi.indexOf('avih') + 8 + 24); // two streams
  return out;
};

/** A QuickTime file that says its pictures lie in another file. */
const movWithReference = (mp4: Buffer, file: string): Buffer => {
  const name = Buffer.from(file);
  const alias = Buffer.alloc(10 + 28 + 12 + 64 + 16 + 4 + 16);
  alias.writeUInt8(1, 10); // volume's name
  alias.write('v', 11);
  alias.writeUInt8(Math.min(63, name.length), 50);
  name.copy(alias, 51, 0, 63);
  alias.writeInt16BE(0, 130); // levels from, levels to
  alias.writeInt16BE(1, 132);
  const absolute = Buffer.concat([
    Buffer.from([0, 18, name.length >> 8, name.length & 255]),
    name,
    Buffer.alloc(name.length % 2),
  ]);
  const path = Buffer.concat([
    Buffer.from([0, 2, name.length >> 8, name.length & 255]),
    name,
    Buffer.alloc(name.length % 2),
  ]);
  const entry = makeBox('alis', Buffer.concat([Buffer.alloc(4), alias, absolute, path, Buffer.from([255, 255, 0, 0])]));
  return replaceBox(
    mp4,
    ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref'],
    Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), entry]),
  );
};

/** What scripts point to. */
export type Bait = {
  /** Absolute path of a video that nobody is to read. */ readonly file: string;
  /** `127.0.0.1:1234` */ readonly host: string;
};

/** Playlists, concat scripts and containers that name other files or addresses, each to every bait, under names of videos. */
export const scripts = (bait: Bait, seeds: { readonly mp4: Buffer; readonly avi: Buffer }): Mutant[] => {
  const { file, host } = bait;
  const base = file.slice(file.lastIndexOf('/') + 1);
  const targets = {
    ...{ relative: base, absolute: file, 'file-address': `file:${file}`, 'file-url': `file://${file}` },
    ...{ http: `http://${host}/canary.mp4`, tcp: `tcp://${host}`, concat: `concat:${file}|${file}` },
    ...{ subfile: `subfile,,start,0,end,0,,:${file}` },
  };
  const forms: Record<string, (target: string) => string> = {
    m3u8: (target) =>
      `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.0,\n${target}\n#EXT-X-ENDLIST\n`,
    'm3u8 of playlists': (target) => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n${target}\n`,
    'm3u8 with a key': (target) =>
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="${target}"\n#EXT-X-MAP:URI="${target}"\n#EXTINF:2.0,\n${target}\n#EXT-X-ENDLIST\n`,
    ffconcat: (target) => `ffconcat version 1.0\nfile '${target}'\n`,
    'concat text': (target) => `file '${target}'\nduration 2\n`,
    sdp: () =>
      `v=0\no=- 0 0 IN IP4 ${host.split(':')[0]}\ns=x\nc=IN IP4 ${host.split(':')[0]}\nt=0 0\nm=video ${host.split(':')[1]} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    xspf: (target) =>
      `<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>${target}</location></track></trackList></playlist>`,
    mpd: (target) =>
      `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    asx: (target) => `<asx version="3.0"><entry><ref href="${target}"/></entry></asx>`,
    pls: (target) => `[playlist]\nFile1=${target}\nNumberOfEntries=1\n`,
    imf: (target) =>
      `<?xml version="1.0"?><AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM"><AssetList><Asset><ChunkList><Chunk><Path>${target}</Path></Chunk></ChunkList></Asset></AssetList></AssetMap>`,
    avisynth: (target) => `FFVideoSource("${target}")\n`,
    'ffmetadata and mpl2': (target) => `;FFMETADATA1\ntitle=${target}\n[0][10]${target}\n`,
  };
  const names = ['mp4', 'mkv', 'avi', 'ts', 'mov', 'webm'];
  const mutants: Mutant[] = [];
  let count = 0;
  for (const [form, write] of Object.entries(forms)) {
    for (const [target, address] of Object.entries(targets)) {
      // What names no address in its text needs no more than one.
      if (form === 'sdp' && target !== 'relative') continue;
      const name = `${form}-${target}`.replace(/\W+/g, '-') + `.${names[count++ % names.length]}`;
      mutants.push({ kind: 'script', name, bytes: Buffer.from(write(address)) });
    }
  }
  for (const [target, address] of Object.entries(targets)) {
    const playlist = (forms['m3u8'] as (target: string) => string)(address);
    mutants.push({
      kind: 'script',
      name: `gab2-${target.replace(/\W+/g, '-')}.avi`,
      bytes: aviWithSubtitles(seeds.avi, playlist),
    });
  }
  [file, base, `http://${host}/canary.mp4`].forEach((target, i) => {
    mutants.push({ kind: 'script', name: `alias-${i}.mov`, bytes: movWithReference(seeds.mp4, target) });
  });
  return mutants;
};

/** A value that a header field is overwritten with. */
const lies = [0, 1, 7, 0x7fffffff, 0x80000000, 0xffffffff];

/** Fields of an MP4, as bytes behind the name of their box, and their width. */
const fields: [box: string, offset: number, bytes: 1 | 2 | 4][] = [
  ...(['moov', 'trak', 'mdia', 'minf', 'stbl', 'mdat', 'stsd', 'avc1', 'avcC', 'edts'] as const).map(
    (box): [string, number, 4] => [box, -4, 4],
  ),
  ...([
    ['mvhd', 16, 4],
    ['mvhd', 20, 4],
    ['mdhd', 16, 4],
    ['mdhd', 20, 4],
    ['tkhd', 80, 4],
    ['tkhd', 84, 4],
    ['tkhd', 44, 4],
  ] as [string, number, 4][]),
  ...([
    ['avc1', 28, 2],
    ['avc1', 30, 2],
  ] as [string, number, 2][]),
  ...([
    ['avcC', 9, 1],
    ['avcC', 10, 1],
  ] as [string, number, 1][]),
  ...([
    ['stts', 8, 4],
    ['stts', 12, 4],
    ['stts', 16, 4],
    ['stsz', 8, 4],
    ['stsz', 12, 4],
    ['stsz', 16, 4],
  ] as [string, number, 4][]),
  ...([
    ['stsc', 8, 4],
    ['stsc', 16, 4],
    ['stco', 8, 4],
    ['stco', 12, 4],
    ['elst', 8, 4],
    ['elst', 12, 4],
    ['elst', 16, 4],
  ] as [string, number, 4][]),
];

/** An MP4 with one field of its headers overwritten, for each field and lie. */
export const lyingHeaders = (mp4: Buffer): Mutant[] =>
  fields.flatMap(([box, offset, width]) =>
    lies.map((lie): Mutant => {
      const bytes = Buffer.from(mp4);
      const at = mp4.lastIndexOf(box) + offset;
      const value = width === 4 ? lie : width === 2 ? lie & 0xffff : lie & 255;
      bytes.writeUIntBE(value, at, width);
      return { kind: 'lying header', name: `${box}-${offset}-${lie.toString(16)}.mp4`, bytes };
    }),
  );

const y4m = (width: number, height: number, frames: number, space = 'mono'): Buffer => {
  const header = Buffer.from(`YUV4MPEG2 W${width} H${height} F25:1 Ip A1:1 C${space}\n`);
  if (frames === 0) return header;
  const frame = Buffer.concat([Buffer.from('FRAME\n'), Buffer.alloc(width * height, 90)]);
  return Buffer.concat([header, Buffer.alloc(frame.length * frames, frame)]);
};

const gif = (width: number, height: number): Buffer => {
  const size = Buffer.concat([u16(width), u16(height)]);
  const data = [Buffer.from('2c00000000', 'hex'), size, Buffer.from('00024401003b', 'hex')];
  return Buffer.concat([Buffer.from('GIF89a'), size, Buffer.from('800000000000ffffff', 'hex'), ...data]);
};

/** A stream of JPEG pictures whose later ones claim another size. */
const growing = (jpeg: Buffer, width: number, height: number): Buffer => {
  const large = Buffer.from(jpeg);
  const frame = large.indexOf(Buffer.from([0xff, 0xc0]));
  large.writeUInt16BE(height, frame + 5);
  large.writeUInt16BE(width, frame + 7);
  return Buffer.concat([
    ...Array<Buffer>(6).fill(jpeg),
    ...Array<Buffer>(3).fill(large),
    ...Array<Buffer>(6).fill(jpeg),
  ]);
};

/** Pictures too wide, too small and too many. */
export const extremeSizes = (jpeg: Buffer): Mutant[] =>
  (
    [
      ['wide-60000x16.y4m', y4m(60_000, 16, 2)],
      ['high-16x60000.y4m', y4m(16, 60_000, 2)],
      ['wide-60000x60000.y4m', Buffer.concat([y4m(60_000, 60_000, 0), Buffer.from('FRAME\n'), Buffer.alloc(5000)])],
      ['claims-2147483647.y4m', y4m(2_147_483_647, 1, 0)],
      ['million-1x1.y4m', y4m(1, 1, 1_000_000)],
      ['many-8x8.y4m', y4m(8, 8, 100_000)],
      ['0x0.y4m', y4m(0, 0, 3)],
      ['60000x60000.gif', gif(60_000, 60_000)],
      ['60000x1.gif', gif(60_000, 1)],
      ['grows-60000x60000.mjpg', growing(jpeg, 60_000, 60_000)],
      ['grows-60000x8.mjpg', growing(jpeg, 60_000, 8)],
      ['grows-0x0.mjpg', growing(jpeg, 0, 0)],
    ] as const
  ).map(([name, bytes]) => ({ kind: 'extreme size', name, bytes }));

/** A Matroska element: its id, its length in eight bytes, its content. */
const element = (id: string, content: Buffer): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(content.length) | (1n << 56n));
  return Buffer.concat([Buffer.from(id, 'hex'), length, content]);
};

/** Tags behind the name that a live Matroska file (of unknown length) ends with. */
const tagged = (mkv: Buffer, tags: readonly (readonly [name: string, value: string])[]): Buffer => {
  const simple = tags.map(([name, value]) =>
    element('67c8', Buffer.concat([element('45a3', Buffer.from(name)), element('4487', Buffer.from(value))])),
  );
  const all = element('1254c367', element('7373', Buffer.concat([element('63c0', Buffer.alloc(0)), ...simple])));
  const tracks = mkv.indexOf(Buffer.from('1654ae6b', 'hex'));
  return Buffer.concat([mkv.subarray(0, tracks), all, mkv.subarray(tracks)]);
};

/** Metadata that are endless, or words of ffmpeg's own log. `live` is a Matroska file whose segment states no length. */
export const talkative = (live: Buffer): Mutant[] => {
  const frame = 'n:   0 pts:      7 pts_time:7 fmt:yuv420p cl:left sar:1/1 s:0x0 i:P iskey:1 type:I';
  const log = [
    ...['', '[info] Stream mapping:', '[info]   Stream #0:7: Video: h264, yuv420p, 99999x99999, 25 fps'],
    ...[`[info] [Parsed_showinfo_0 @ 0x1] ${frame}`, `[Parsed_showinfo_0 @ 0x1] [info] ${frame}`],
    ...['[info] Exiting normally, received signal 9.', '[error] corrupt decoded frame', ''],
  ].join('\n');
  return (
    [
      ['poses-as-log.mkv', tagged(live, [[log, log]])],
      ['endless-line.mkv', tagged(live, [['title', '\r'.repeat(8_000_000)]])],
      ['endless-lines.mkv', tagged(live, [['title', 'x\n'.repeat(1_000_000)]])],
      [
        'many-tags.mkv',
        tagged(
          live,
          Array.from({ length: 20_000 }, (_, i) => [`t${i}`, 'x'] as const),
        ),
      ],
    ] as const
  ).map(([name, bytes]) => ({ kind: 'metadata', name, bytes }));
};
