import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Raster } from '../numeric/raster.js';
import { killPoint } from '../pipeline/kill-point.js';
import { findFfmpeg } from './ffmpeg-binary.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import { startFfmpeg } from './ffmpeg-process.js';

/** How to encode a video. */
export type EncodeOptions = {
  /** Frames a second. */
  readonly fps: number;
  /** @default 'h264' */
  readonly codec?: 'h264' | 'mpeg4';
  /** Constant quality, codec's scale: x264's CRF (0 lossless to 51) or MPEG-4's quantiser (1 to 31). @default 20 or 3 */
  readonly quality?: number;
  /** Frames between two key frames at most. @default 60 */
  readonly keyframeInterval?: number;
  /** @default findFfmpeg() */
  readonly ffmpeg?: FfmpegBinary;
  readonly signal?: AbortSignal;
};

async function* bytesOf(
  frames: Iterable<Raster> | AsyncIterable<Raster>,
  first: Raster,
  fail: (error: Error) => void,
): AsyncGenerator<Buffer> {
  let index = 0;
  try {
    for await (const frame of frames) {
      if (frame.width !== first.width || frame.height !== first.height || frame.channels !== 3) {
        throw new RangeError(
          `Expected frame ${index} to be ${first.width} x ${first.height} RGB like the first, got \`${frame.width} x ${frame.height} x ${frame.channels}\``,
        );
      }
      index++;
      yield Buffer.from(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength);
    }
  } catch (error) {
    fail(error as Error);
  }
}

async function* prepend<T>(first: T, rest: AsyncIterator<T> | Iterator<T>): AsyncGenerator<T> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/**
 * Encodes RGB frames of one even size as a video file (`.mp4`, `.mkv`, `.avi` by the name), BT.601 limited range 4:2:0, tagged as such. One thread and bit-exact
 * flags, so that the same frames give the same bytes with the same ffmpeg. The file appears under its name only when it is whole.
 *
 * @throws RangeError where there is no frame, or a size is odd or changes
 */
export const encodeVideo = async (
  frames: Iterable<Raster> | AsyncIterable<Raster>,
  file: string,
  { fps, codec = 'h264', quality, keyframeInterval = 60, ffmpeg, signal }: EncodeOptions,
): Promise<void> => {
  if (!(fps > 0 && fps <= 1000))
    throw new RangeError(`Expected \`fps\` to be above 0 and at most 1000, got \`${fps}\``);
  const iterator = Symbol.asyncIterator in frames ? frames[Symbol.asyncIterator]() : frames[Symbol.iterator]();
  const start = await iterator.next();
  if (start.done === true) throw new RangeError('Expected at least one frame, got none');
  const first = start.value;
  if (first.channels !== 3 || first.width % 2 !== 0 || first.height % 2 !== 0) {
    throw new RangeError(
      `Expected RGB frames of even size, got \`${first.width} x ${first.height} x ${first.channels}\``,
    );
  }
  const chosen = ffmpeg ?? (await findFfmpeg());
  const folder = path.dirname(path.resolve(file));
  const temporary = path.join(folder, `.${process.pid}-${path.basename(file)}`);
  const codecOptions =
    codec === 'h264'
      ? ['-c:v', 'libx264', '-preset', 'medium', '-crf', String(quality ?? 20), '-x264-params', 'threads=1']
      : ['-c:v', 'mpeg4', '-q:v', String(quality ?? 3)];
  let failure: Error | undefined;
  const log: string[] = [];
  const input = Readable.from(
    bytesOf(prepend(first, iterator), first, (error) => (failure = error)),
    { objectMode: false },
  );
  const end = await startFfmpeg({
    ...{ binary: chosen.path, input, output: temporary, signal },
    inputOptions: [
      ...[
        '-f',
        'rawvideo',
        '-pix_fmt',
        'rgb24',
        '-s',
        `${first.width}x${first.height}`,
        '-r',
        String(fps),
        '-threads',
        '1',
      ],
    ],
    outputOptions: [
      ...[
        '-map_metadata',
        '-1',
        '-vf',
        'scale=flags=area+accurate_rnd+bitexact:out_color_matrix=bt601:out_range=tv,format=yuv420p',
      ],
      ...[
        '-colorspace',
        'smpte170m',
        '-color_range',
        'tv',
        '-threads',
        '1',
        '-g',
        String(keyframeInterval),
        ...codecOptions,
      ],
      ...['-flags:v', '+bitexact', '-fflags', '+bitexact', '-y'],
    ],
    onLine: (line) => void (/\[(error|fatal)\]/.test(line) && log.length < 5 && log.push(line)),
  }).ended;
  if (failure !== undefined || end.message !== null || signal?.aborted === true) {
    await rm(temporary, { force: true });
    signal?.throwIfAborted();
    throw failure ?? new Error(`${file}: could not be encoded: ${end.message ?? ''} ${log.join('; ')}`);
  }
  killPoint('before rename of an output file');
  await rename(temporary, file);
  killPoint('after rename of an output file');
};
