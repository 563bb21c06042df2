import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { RandomStream } from '../../src/numeric/random.js';
import { decodeFrames } from '../../src/video/decode-frames.js';
import type { DecodeOptions } from '../../src/video/decode-frames.js';
import { probeVideo } from '../../src/video/probe-video.js';
import { VideoRejection } from '../../src/video/video-rejection.js';
import { colourAt, makeVideo, remux } from './fixtures.js';
import { extremeSizes, lyingHeaders, scripts, talkative } from './hostile-files.js';
import type { Bait, Mutant } from './hostile-files.js';
import { numberedFrames } from './known-picture.js';

/** Files that mutants are made of. */
export type Seeds = {
  readonly whole: readonly { readonly name: string; readonly bytes: Buffer }[];
  readonly mp4: Buffer;
  readonly avi: Buffer;
  readonly live: Buffer;
  readonly jpeg: Buffer;
};

/** Renders small seeds in six containers; `more` are files that are mutated too. */
export const makeSeeds = async (folder: string, more: readonly string[] = []): Promise<Seeds> => {
  const at = (name: string): string => path.join(folder, name);
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '6'];
  const mp4 = await makeVideo(at('seed.mp4'), numberedFrames(12, 96, 64), h264);
  const copies = await Promise.all([
    ...[remux(mp4, at('seed.mkv'), []), remux(mp4, at('seed.ts'), [])],
    ...[
      remux(mp4, at('live.mkv'), [], ['-live', '1']),
      remux(mp4, at('fragmented.mp4'), [], ['-movflags', 'frag_keyframe+empty_moov']),
    ],
  ]);
  const avi = await makeVideo(at('seed.avi'), numberedFrames(12, 96, 64), ['-c:v', 'mpeg4', '-q:v', '4']);
  const webm = await makeVideo(at('seed.webm'), numberedFrames(12, 96, 64), ['-c:v', 'libvpx', '-cpu-used', '8']);
  const jpeg = await makeVideo(at('seed.mjpg'), numberedFrames(1, 96, 64), ['-c:v', 'mjpeg']);
  const names = [mp4, ...copies.filter((file) => !file.endsWith('live.mkv')), avi, webm, ...more];
  return {
    whole: await Promise.all(names.map(async (file) => ({ name: path.basename(file), bytes: await readFile(file) }))),
    ...{
      mp4: await readFile(mp4),
      avi: await readFile(avi),
      live: await readFile(at('live.mkv')),
      jpeg: await readFile(jpeg),
    },
  };
};

/** How a random mutation changes the bytes of a seed. */
const damages: Record<string, (bytes: Buffer, random: RandomStream, other: Buffer) => Buffer> = {
  'bit flips': (bytes, random) => {
    const out = Buffer.from(bytes);
    for (let left = 1 + random.integer(200); left > 0; left--)
      out[random.integer(out.length)]! ^= 1 << random.integer(8);
    return out;
  },
  'bit flips in the header': (bytes, random) => {
    const out = Buffer.from(bytes);
    const reach = Math.min(700, out.length);
    for (let left = 1 + random.integer(12); left > 0; left--) {
      const at = random.integer(reach);
      out[random.chance(0.5) ? at : out.length - 1 - at]! ^= 1 << random.integer(8);
    }
    return out;
  },
  cut: (bytes, random) => bytes.subarray(0, random.integer(bytes.length)),
  beheaded: (bytes, random) => bytes.subarray(random.integer(bytes.length)),
  'swapped chunks': (bytes, random) => {
    const size = 1 + random.integer(Math.floor(bytes.length / 3));
    const a = random.integer(bytes.length - 2 * size + 1);
    const b = a + size + random.integer(bytes.length - a - 2 * size + 1);
    const parts = [bytes.subarray(0, a), bytes.subarray(b, b + size), bytes.subarray(a + size, b)];
    return Buffer.concat([...parts, bytes.subarray(a, a + size), bytes.subarray(b + size)]);
  },
  'chunk of zeros': (bytes, random) => {
    const at = random.integer(bytes.length);
    return Buffer.from(bytes).fill(0, at, Math.min(bytes.length, at + 1 + random.integer(4000)));
  },
  'head of one, tail of another': (bytes, random, other) =>
    Buffer.concat([bytes.subarray(0, random.integer(bytes.length)), other.subarray(random.integer(other.length))]),
};

/** `count` random mutants of each kind named. */
const damaged = (seeds: Seeds, counts: Readonly<Record<string, number>>): Mutant[] =>
  Object.entries(counts).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i): Mutant => {
      const random = RandomStream.of(20, kind, i);
      const { name, bytes } = seeds.whole[i % seeds.whole.length]!;
      const other = seeds.whole[random.integer(seeds.whole.length)]!.bytes;
      return { kind, name: `${kind.replace(/\W+/g, '-')}-${i}-${name}`, bytes: damages[kind]!(bytes, random, other) };
    }),
  );

const every = <T>(step: number, items: readonly T[]): T[] => items.filter((_, i) => i % step === 0);

/** All mutants: more than 300. */
export const allMutants = (seeds: Seeds, bait: Bait): Mutant[] => [
  ...damaged(seeds, { 'bit flips': 50, 'bit flips in the header': 30, cut: 24, beheaded: 10, 'swapped chunks': 24 }),
  ...damaged(seeds, { 'chunk of zeros': 12, 'head of one, tail of another': 12 }),
  ...every(3, lyingHeaders(seeds.mp4)),
  ...scripts(bait, seeds),
  ...extremeSizes(seeds.jpeg),
  ...talkative(seeds.live),
];

/** About 30 of them, some of each kind. */
export const someMutants = (seeds: Seeds, bait: Bait): Mutant[] => [
  ...damaged(seeds, { 'bit flips': 3, cut: 2, 'swapped chunks': 2, 'head of one, tail of another': 1 }),
  ...every(41, lyingHeaders(seeds.mp4)),
  ...every(13, scripts(bait, seeds)),
  ...scripts(bait, seeds).filter(({ name }) => /^(gab2-(absolute|http)\.|alias-0)/.test(name)),
  ...extremeSizes(seeds.jpeg).filter(({ name }) => /wide|grows-60000x60000/.test(name)),
  ...talkative(seeds.live).filter(({ name }) => /poses|endless-line\./.test(name)),
];

/** What became of a file. */
export type Verdict = {
  readonly kind: string;
  readonly name: string;
  readonly status: 'decoded' | 'decoded with warnings' | 'rejected';
  /** Why it was rejected, or what was complained about. */
  readonly reason: string;
  readonly frames: number;
  readonly seconds: number;
};

/** Limits that the tests can wait for. */
export const shortLimits = {
  ...{ timeoutSeconds: 30, stallSeconds: 30, waitSeconds: 60, maxFrames: 400, areaPx: 64 * 48 },
  limits: { cpuSeconds: 20, memoryBytes: 2 * 1024 ** 3 },
} satisfies DecodeOptions;

/** Looks into a file and decodes it, as the stages `index` and `mine` do. Whatever is thrown but a rejection fails the test. */
export const examine = async (file: string, { kind, name }: Mutant): Promise<Verdict> => {
  const start = performance.now();
  const warnings: string[] = [];
  let frames = 0;
  const seconds = (): number => (performance.now() - start) / 1000;
  try {
    const info = await probeVideo(file, shortLimits);
    for await (const frame of decodeFrames(file, { ...shortLimits, info, onWarning: (line) => warnings.push(line) })) {
      frames++;
      if (kind === 'script') {
        const [r, g, b] = colourAt(frame, 0.5, 0.5);
        assert.ok(!(r > 200 && g < 60 && b > 200), `${name} shows the picture of another file`);
      }
    }
    const status = warnings.length > 0 ? 'decoded with warnings' : 'decoded';
    return { kind, name, status, reason: warnings.join('; '), frames, seconds: seconds() };
  } catch (error) {
    if (!(error instanceof VideoRejection)) throw new Error(`${name} failed`, { cause: error });
    assert.ok(error.reason.length > 5, `${name}: a reason`);
    return { kind, name, status: 'rejected', reason: error.reason, frames, seconds: seconds() };
  }
};

/** A folder with a video that nobody is to read, and a server that nobody is to call. */
export type Trap = {
  readonly bait: Bait;
  /** Connections that came since the last call. */
  readonly connections: () => number;
  /** Whether the file was read since the last call; null where the file system does not say. */
  readonly wasRead: () => Promise<boolean | null>;
  readonly close: () => Promise<void>;
};

/** Lays out the bait: a magenta video, and a loopback server that counts who connects. */
export const setTrap = async (folder: string): Promise<Trap> => {
  const file = path.join(folder, 'canary.mp4');
  const magenta = {
    width: 64,
    height: 48,
    channels: 3 as const,
    data: new Uint8Array(64 * 48 * 3).map((_, i) => (i % 3 === 1 ? 0 : 255)),
  };
  await makeVideo(file, [magenta, magenta], ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']);
  let connected = 0;
  const server: Server = createServer((socket) => {
    connected++;
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const past = new Date('2001-01-01');
  const forget = async (): Promise<void> => utimes(file, past, new Date('2002-02-02'));
  await forget();
  await readFile(file);
  const tells = (await stat(file)).atime.getTime() !== past.getTime();
  await forget();
  return {
    bait: { file, host: `127.0.0.1:${port}` },
    connections: () => {
      const count = connected;
      connected = 0;
      return count;
    },
    wasRead: async () => {
      if (!tells) return null;
      const read = (await stat(file)).atime.getTime() !== past.getTime();
      await forget();
      return read;
    },
    close: () => new Promise((done) => void server.close(() => done())),
  };
};

/** Processes of this one that are named ffmpeg, or the shell that becomes one. */
export const leftBehind = async (): Promise<string[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'ppid=,pid=,comm=,stat=']);
  return stdout.split('\n').filter((line) => {
    const [parent, , name = '', state = ''] = line.trim().split(/\s+/);
    return Number(parent) === process.pid && /^(ffmpeg|sh$)/.test(name) && !state.startsWith('Z');
  });
};

/** Writes each mutant beside the bait, examines it, takes it away again; `lanes` at a time. */
export const examineAll = async (mutants: readonly Mutant[], bait: Bait, lanes: number): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  const waiting = mutants.entries();
  const lane = async (): Promise<void> => {
    for (const [i, mutant] of waiting) {
      const file = path.join(path.dirname(bait.file), mutant.name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, mutant.bytes);
      verdicts[i] = await examine(file, mutant);
      await rm(file);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return verdicts;
};
