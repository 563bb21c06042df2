import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import { DecoderKilled } from './decoder-killed.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import { findFfmpeg } from './ffmpeg-binary.js';
import { hostileInputOptions, startFfmpeg } from './ffmpeg-process.js';
import type { ProcessLimits } from './ffmpeg-process.js';
import { announceFrames } from './frame-log.js';
import { explainRefusal } from './refusal.js';
import { VideoRejection } from './video-rejection.js';

/** What is known of a video before it is decoded. `width` and `height` are those of decoded frames after rotation. */
export type VideoInfo = {
  readonly width: number;
  readonly height: number;
  /** Clockwise turn that players apply, degrees: 0, 90, 180 or 270 (already applied to `width`, `height`, `pixelAspect`). */
  readonly rotation: number;
  /** Width over height of one pixel, after rotation. */
  readonly pixelAspect: number;
  /** Mean frame rate as the container states it, frames a second; null where it does not. */
  readonly fps: number | null;
  /** As the container states it, seconds; null where it does not. It can be wrong by any amount: only decoded frames count. */
  readonly duration: number | null;
  /** `h264`, `av1`, … */
  readonly codec: string;
  /** As ffmpeg names it: `yuv420p10le`. */
  readonly pixelFormat: string;
  /** Matrix and transfer as ffmpeg names them (`bt709`, `smpte2084`, …; `unknown` where not stated). */
  readonly colorSpace: string;
  readonly colorTransfer: string;
  readonly colorPrimaries: string;
  /** `tv` (limited), `pc` (full) or `unknown`. */
  readonly colorRange: string;
  /** Number of the stream within the file: the largest picture stream that is not a cover picture. */
  readonly stream: number;
};

/** How to probe or decode. */
export type ProbeOptions = {
  /** @default findFfmpeg() */
  readonly ffmpeg?: FfmpegBinary | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<ProcessLimits>;
  /** Longest time one probe may take, seconds. @default 60 */
  readonly timeoutSeconds?: number;
  /** Largest picture taken, pixels. @default 8192 * 8192 */
  readonly maxPixels?: number;
  /** Longest side of a picture taken, pixels, before rotation and shrinking. @default 16_384 */
  readonly maxSidePx?: number;
};

/** Largest picture taken unless told otherwise, pixels. */
export const defaultMaxPixels = 8192 * 8192;

/** Shortest side of a picture that can show anything, pixels. */
const minSidePx = 8;

/** Lines of a log that are kept at most; those of metadata, which may be any number, are not among them. */
const keptLines = 5000;

/** Whether a line of the log is metadata: indented deeper than streams, and nothing that is read here. */
const isMetadata = (line: string): boolean =>
  /^(\[info\])? {4}/.test(line) && !/^\[info\] {3,5}Stream #|display ?matrix:|Encryption in/i.test(line);

const probedFrames = 4;

type Stream = { index: number; codec: string; width: number; height: number; fps: number | null; line: string };

/** The picture streams in the log of ffmpeg, without cover pictures. Metadata are indented deeper and cannot pose as a stream. */
export const parseStreams = (lines: readonly string[]): Stream[] =>
  lines.flatMap((line) => {
    const found = /^\[info\] {3}(?: {2})?Stream #0:(\d+)\S*: Video: (\w+)(.*)$/.exec(line);
    if (found === null || line.includes('(attached pic)')) return [];
    const rest = found[3] as string;
    const size = /, (\d+)x(\d+)/.exec(rest);
    const fps = /, ([\d.]+k?) fps/.exec(rest)?.[1];
    return {
      ...{ index: Number(found[1]), codec: found[2] as string, line },
      ...{ width: Number(size?.[1] ?? 0), height: Number(size?.[2] ?? 0) },
      fps: fps === undefined ? null : fps.endsWith('k') ? Number(fps.slice(0, -1)) * 1000 : Number(fps),
    };
  });

const parseDuration = (lines: readonly string[]): number | null => {
  for (const line of lines) {
    const found = /^\[info\] {3}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/.exec(line);
    if (found !== null) return Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3]);
  }
  return null;
};

/** The rotation ffmpeg's log states for a stream, as degrees clockwise (it counts the other way), rounded to quarters. */
const parseRotation = (lines: readonly string[], stream: number): number => {
  let inside = false;
  for (const line of lines) {
    const start = /^\[info\] {3}(?: {2})?Stream #0:(\d+)/.exec(line);
    if (start !== null) inside = Number(start[1]) === stream;
    const found = inside ? /display ?matrix: rotation of (-?[\d.]+) degrees/i.exec(line) : null;
    if (found !== null) return (((Math.round(-Number(found[1]) / 90) * 90) % 360) + 360) % 360;
  }
  return 0;
};

/** Node reads a name that is no UTF-8 with this mark in it, and cannot open it by that. */
const noCharacter = '\ufffd';

const missing = (file: string): string =>
  file.includes(noCharacter)
    ? 'its name, or that of a folder above it, is no UTF-8, or there is no such file: rename it'
    : 'there is no such file';

/**
 * Looks into a video: reads its description and decodes its first few frames, so that "it has a video stream" also means "a frame comes
 * out of it". The log of the very ffmpeg that will decode is read, not an ffprobe: the build that set-up brings has none, the one on npm
 * dates from 2023 and knows no VVC, and two programs of different age disagree about damaged files. Size and pixel shape are taken
 * from the decoded frame, since containers lie about both.
 *
 * @throws VideoRejection with a reason a person understands: empty, not a video, a picture, audio only, a playlist, no decodable frame
 * @throws DecoderKilled where a signal from outside ended ffmpeg
 */
export const probeVideo = async (file: string, options: ProbeOptions = {}): Promise<VideoInfo> => {
  const { signal, limits = {}, timeoutSeconds = 60, maxPixels = defaultMaxPixels, maxSidePx = 16_384 } = options;
  signal?.throwIfAborted();
  const source = path.resolve(file);
  const reject = (reason: string): VideoRejection => new VideoRejection(file, reason);
  const entry = await stat(source).catch((error: NodeJS.ErrnoException) => error);
  if (entry instanceof Error) {
    const link = await lstat(source).catch(() => null);
    if (link?.isSymbolicLink() === true && (entry.code === 'ENOENT' || entry.code === 'ELOOP'))
      throw reject('not a file but a link that leads nowhere');
    if (entry.code === 'ENOENT' || entry.code === 'ENOTDIR') throw reject(missing(source));
    throw entry;
  }
  if (!entry.isFile()) throw reject('not a file');
  if (entry.size === 0) throw reject('the file is empty');

  const ffmpeg = options.ffmpeg ?? (await findFfmpeg());
  const announcer = announceFrames();
  const run = async (stream: number | null): Promise<{ lines: string[]; timedOut: boolean }> => {
    const lines: string[] = [];
    const process = startFfmpeg({
      ...{ binary: ffmpeg.path, input: source, inputOptions: hostileInputOptions(maxPixels), output: null, signal },
      outputOptions: [
        ...['-map', stream === null ? '0:V:0' : `0:${stream}`, '-map_metadata', '-1', '-map_chapters', '-1'],
        ...['-vf', announcer.filter, '-frames:v', String(probedFrames)],
        ...passthrough(ffmpeg),
      ],
      onLine: (line) => void (lines.length < keptLines && !isMetadata(line) && lines.push(line.slice(0, 2000))),
      limits: { cpuSeconds: Math.ceil(timeoutSeconds), ...limits },
    });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      process.kill();
    }, timeoutSeconds * 1000);
    const { killedBy, started, message, endlessLine } = await process.ended;
    clearTimeout(timer);
    signal?.throwIfAborted();
    if (!started) throw new Error(`ffmpeg could not be started: ${message ?? 'no reason given'}`);
    if (killedBy !== null) throw new DecoderKilled(file, killedBy);
    if (endlessLine) throw reject('its metadata are one line without end');
    return { lines, timedOut };
  };

  let { lines, timedOut } = await run(null);
  // What comes after the filter's first word is about the output, whose streams look alike.
  const described = (): readonly string[] => {
    const end = lines.findIndex((line) => announcer.said(line) !== null);
    return end < 0 ? lines : lines.slice(0, end);
  };
  const streams = parseStreams(described());
  const largest = streams.reduce<Stream | undefined>(
    (best, stream) => (best === undefined || stream.width * stream.height > best.width * best.height ? stream : best),
    undefined,
  );
  // A first stream that is a thumbnail is not what anybody means by the video.
  if (largest !== undefined && largest !== streams[0]) ({ lines, timedOut } = await run(largest.index));
  if (timedOut) throw reject(`no frame could be decoded within ${timeoutSeconds} s`);
  const checkSize = (wide: number, high: number): void => {
    const are = `pictures of ${wide} x ${high} are`;
    if (wide * high > maxPixels) throw reject(`${are} larger than the ${maxPixels} pixels that are taken`);
    if (Math.max(wide, high) > maxSidePx) throw reject(`${are} longer than the ${maxSidePx} pixels that are taken`);
    if (Math.min(wide, high) < minSidePx)
      throw reject(`${are} too small to show anything (${minSidePx} pixels at least)`);
  };
  // 0 x 0 where the description does not say.
  if (largest !== undefined && largest.width > 0 && largest.height > 0) checkSize(largest.width, largest.height);

  const said = lines.flatMap((line) => announcer.said(line) ?? []);
  const first = said
    .map((text) => /^n: *0 pts:.*? fmt:(\S+) .*?sar:(\d+)\/(\d+) s:(\d+)x(\d+)/.exec(text))
    .find((found) => found !== null);
  if (largest === undefined || first == null) throw reject(await explainRefusal(source, lines, largest?.codec));
  const frames = said.filter((text) => /^n: *\d+ pts:/.test(text)).length;
  const corrupt = lines.filter((line) => line.includes('corrupt decoded frame')).length;
  if (frames >= 2 && corrupt >= frames) {
    const why = lines.some((line) => /Encryption (init|info)/i.test(line))
      ? 'it is encrypted'
      : 'it is damaged throughout';
    throw reject(`every one of the first ${frames} frames is damaged: ${why}`);
  }
  const colours = said
    .map((text) => /color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)/.exec(text))
    .find((found) => found !== null);
  const [sarWidth, sarHeight] = [Number(first[2]), Number(first[3])];
  const [width, height] = [Number(first[4]), Number(first[5])];
  checkSize(width, height);
  const aspect = sarWidth > 0 && sarHeight > 0 ? sarWidth / sarHeight : 1;
  return {
    ...{ width, height, rotation: parseRotation(described(), largest.index) },
    // A shape that no camera or disc ever had is a damaged header.
    pixelAspect: aspect >= 1 / 8 && aspect <= 8 ? aspect : 1,
    ...{ fps: largest.fps, duration: parseDuration(lines), codec: largest.codec, pixelFormat: first[1] as string },
    ...{ colorRange: colours?.[1] ?? 'unknown', colorSpace: colours?.[2] ?? 'unknown' },
    ...{ colorPrimaries: colours?.[3] ?? 'unknown', colorTransfer: colours?.[4] ?? 'unknown', stream: largest.index },
  };
};

/** The options that hand every frame through with its own time, in the spelling the given ffmpeg knows. */
export const passthrough = (ffmpeg: FfmpegBinary): readonly string[] =>
  ffmpeg.libavutil[0] >= 58 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
