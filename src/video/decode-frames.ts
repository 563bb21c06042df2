import { Writable } from 'node:stream';
import path from 'node:path';
import { DecoderKilled } from './decoder-killed.js';
import { findFfmpeg } from './ffmpeg-binary.js';
import { hostileInputOptions, startFfmpeg } from './ffmpeg-process.js';
import type { FfmpegEnd } from './ffmpeg-process.js';
import { filterChain } from './filter-chain.js';
import type { VideoFrame } from './frame.js';
import { announceFrames, readLogLine } from './frame-log.js';
import { defaultMaxPixels, passthrough, probeVideo } from './probe-video.js';
import type { ProbeOptions, VideoInfo } from './probe-video.js';
import { VideoRejection } from './video-rejection.js';
import { defaultAreaPx, workingSize } from './working-size.js';

/** How to decode a video. */
export type DecodeOptions = ProbeOptions & {
  /** Frames are shrunk to about this many pixels, never enlarged. @default 448 * 600 */
  readonly areaPx?: number;
  /** What `probeVideo` said of the file, to save probing it again. */
  readonly info?: VideoInfo;
  /** Decoding ends after this many frames, with a warning. @default 1_000_000 (9 h at 30 frames a second) */
  readonly maxFrames?: number;
  /** Longest time without a new frame, seconds, while one is waited for. @default 60 */
  readonly stallSeconds?: number;
  /** Longest time all waiting for frames together may take, seconds; what the consumer takes does not count. @default 4 h */
  readonly waitSeconds?: number;
  /** Called with one sentence for what was not as it should be: damage, a broken-off file, times that go back. */
  readonly onWarning?: (message: string) => void;
};

/** Frames that wait for the consumer at most; ffmpeg's own pipe holds back beyond that. */
const queueLength = 4;

// Not cleared first, since every byte is written before anybody sees it; memory of its own, not a part of a pool.
const unfilled = (bytes: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);

/** Cuts the stream of bytes into frames of equal size and holds ffmpeg back while `queueLength` of them wait. */
class FrameSplitter extends Writable {
  readonly frames: Uint8Array[] = [];
  #current: Uint8Array;
  #filled = 0;
  #held: (() => void) | null = null;
  #released = false;

  constructor(
    readonly frameBytes: number,
    private readonly changed: () => void,
  ) {
    // fluent-ffmpeg ends the process 20 ms after a `close`; without one it waits for the exit code.
    super({ autoDestroy: false, emitClose: false });
    this.#current = unfilled(frameBytes);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#released) return done();
    let at = 0;
    while (at < chunk.length) {
      const count = Math.min(chunk.length - at, this.frameBytes - this.#filled);
      this.#current.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === this.frameBytes) {
        this.frames.push(this.#current);
        this.#current = unfilled(this.frameBytes);
        this.#filled = 0;
      }
    }
    if (this.frames.length > 0) this.changed();
    if (this.frames.length >= queueLength) this.#held = done;
    else done();
  }

  take(): Uint8Array | undefined {
    const frame = this.frames.shift();
    const held = this.#held;
    if (held !== null && this.frames.length < queueLength) {
      this.#held = null;
      held();
    }
    return frame;
  }

  /** Throws away everything from now on, so that a process that is being ended can drain and close. */
  release(): void {
    this.#released = true;
    this.frames.length = 0;
    const held = this.#held;
    this.#held = null;
    held?.();
  }
}

/**
 * Decodes a video frame by frame at the working size: every frame the file holds, once, with its own presentation time (variable frame
 * rates stay variable), turned upright, pixels made square, colours as `VideoFrame` has them. At most a handful of frames is in
 * memory, however slow the consumer. Leaving the loop early, aborting `signal` or ending this process ends ffmpeg too. A file that
 * breaks off gives the frames before the break and a warning.
 *
 * @throws VideoRejection where no frame can be had, or decoding hangs
 * @throws DecoderKilled, after the frames that came, where a signal from outside ended ffmpeg
 * @throws the signal's reason where it was aborted
 */
export async function* decodeFrames(file: string, options: DecodeOptions = {}): AsyncGenerator<VideoFrame, void, void> {
  const {
    areaPx = defaultAreaPx,
    signal,
    limits = {},
    maxFrames = 1_000_000,
    stallSeconds = 60,
    waitSeconds = 4 * 3600,
    maxPixels = defaultMaxPixels,
    onWarning = () => undefined,
  } = options;
  const ffmpeg = options.ffmpeg ?? (await findFfmpeg());
  const info = options.info ?? (await probeVideo(file, { ...options, ffmpeg }));
  signal?.throwIfAborted();
  const { width, height } = workingSize(info, areaPx);
  const luma = width * height;

  let wake: () => void = () => undefined;
  const splitter = new FrameSplitter(luma * 1.5, () => wakeForFrame());
  const announcer = announceFrames();
  const times: (number | null)[] = [];
  // Bytes and time of a frame come by two pipes, in pieces: only both together are worth waking up for.
  const wakeForFrame = (): void => {
    if (splitter.frames.length > 0 && times.length > 0) wake();
  };
  const complaints: string[] = [];
  let complained = 0;
  let timeBase = 0;
  const onLine = (line: string): void => {
    const { time, newTimeBase, complaint } = readLogLine(line, timeBase, announcer);
    if (newTimeBase !== null) timeBase = newTimeBase;
    if (complaint !== null) {
      complained++;
      if (complaints.length < 3) complaints.push(complaint);
    }
    if (time !== undefined) {
      times.push(time);
      wakeForFrame();
    }
  };
  const process = startFfmpeg({
    ...{
      binary: ffmpeg.path,
      input: path.resolve(file),
      inputOptions: hostileInputOptions(maxPixels),
      output: splitter,
      onLine,
      limits,
      signal,
    },
    outputOptions: [
      ...['-map', `0:${info.stream}`, '-an', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1'],
      ...['-vf', `${filterChain(info, { width, height }, ffmpeg)},${announcer.filter}`],
      ...passthrough(ffmpeg),
      ...[
        '-threads',
        '1',
        '-c:v',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-frames:v',
        String(maxFrames + 1),
        '-f',
        'rawvideo',
      ],
    ],
  });
  let end: FfmpegEnd | null = null;
  // Frames may still be on their way into the splitter when the process is gone.
  splitter.once('finish', () => wake());
  void process.ended.then((how) => {
    end = how;
    if (!splitter.writableEnded) splitter.end(); // it never started, so nothing ended its output
    wake();
  });

  const step = info.fps !== null && info.fps > 0 ? 1 / info.fps : 1 / 25;
  let index = 0;
  let last = -Infinity;
  let wentBack = false;
  let waited = 0;
  let gaveUp: string | null = null;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const over = end !== null && (splitter.writableFinished || gaveUp !== null);
      // A frame whose announcement was lost in the log is a frame all the same.
      if (splitter.frames.length > 0 && (times.length > 0 || over)) {
        if (index === maxFrames) {
          onWarning(`decoding ended at the limit of ${maxFrames} frames`);
          return;
        }
        const bytes = splitter.take() as Uint8Array;
        const stated = times.shift() ?? null;
        // Times only ever grow; a frame without one, or with one that goes back, follows the frame before it.
        if (stated !== null && stated <= last && !wentBack) {
          wentBack = true;
          onWarning(`frame ${index}: its time goes back from ${last.toFixed(3)} s to ${stated.toFixed(3)} s`);
        }
        const time = stated !== null && stated > last ? stated : index === 0 ? 0 : last + step;
        last = time;
        yield {
          ...{ index: index++, time, width, height, y: bytes.subarray(0, luma) },
          ...{ u: bytes.subarray(luma, luma * 1.25), v: bytes.subarray(luma * 1.25) },
        };
        continue;
      }
      if (over) break;
      const before = performance.now();
      const left = waitSeconds - waited;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(
          () => {
            gaveUp ??=
              left < stallSeconds ? `took more than ${waitSeconds} s in all` : `gave none within ${stallSeconds} s`;
            process.kill();
            splitter.release(); // frames that nothing announced would keep the pipe from closing
          },
          Math.max(0, Math.min(stallSeconds, left)) * 1000,
        );
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = () => undefined;
      waited += (performance.now() - before) / 1000;
    }
  } finally {
    if (end === null) {
      process.kill();
      splitter.release();
      await process.ended;
    }
  }
  signal?.throwIfAborted();
  const { message: failed, killedBy, started } = end as unknown as FfmpegEnd;
  if (!started) throw new Error(`ffmpeg could not be started: ${failed ?? 'no reason given'}`);
  if (killedBy !== null) throw new DecoderKilled(file, killedBy);
  const said = complaints.length > 0 ? ` (${complaints.join('; ')})` : '';
  if (index === 0) {
    throw new VideoRejection(
      file,
      gaveUp === null ? `no frame could be decoded${said}` : `no frame: decoding ${gaveUp}`,
    );
  }
  if (gaveUp !== null) onWarning(`decoding ${gaveUp} after frame ${index - 1} and was ended`);
  else if (failed !== null) onWarning(`decoding broke off after frame ${index - 1}: ${failed}${said}`);
  else if (complained > 0) onWarning(`${complained} complaints while decoding${said}`);
}
