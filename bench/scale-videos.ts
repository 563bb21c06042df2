import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../src/numeric/random.js';
import { findFfmpeg } from '../src/video/ffmpeg-binary.js';

/** Videos to generate: textured blocks that cross textured backgrounds, no two alike. */
export type VideoSet = {
  /** Number of the first, and how many. */
  readonly from: number;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** Frames of each. */
  readonly frames: number;
  readonly fps: number;
  /** Frames between two key frames at most. @default frames */
  readonly keyframeInterval?: number;
};

/** A texture of squares of `grain` pixels, each of a random grey level: `[rows, columns]`. */
const textureOf = (random: RandomStream, columns: number, rows: number, grain: number): Uint8Array => {
  const across = Math.ceil(columns / grain);
  const values = Uint8Array.from({ length: across * Math.ceil(rows / grain) }, () => 30 + random.integer(190));
  return Uint8Array.from(
    { length: columns * rows },
    (_, at) => values[Math.floor(at / columns / grain) * across + Math.floor((at % columns) / grain)],
  );
};

/** The frames of video number `number`, planar YUV 4:2:0, one after another in one buffer that is used again. */
function* framesOf(number: number, { width, height, frames }: VideoSet): Generator<Uint8Array> {
  const random = RandomStream.of(1, 'scale', number);
  const side = 2 * Math.round(0.3 * height);
  const grain = Math.max(4, Math.round(height / 16));
  const background = textureOf(random, width, height, grain);
  const block = textureOf(random, side, side, grain);
  const chroma = Uint8Array.from({ length: width * height * 0.5 }, () => 128);
  chroma.fill(90 + random.integer(76), 0, chroma.length / 2);
  const top = random.integer(height - side);
  const step = (width - side) / frames;
  const leftwards = random.chance(0.5);
  const picture = new Uint8Array(1.5 * width * height);
  picture.set(chroma, width * height);
  for (let frame = 0; frame < frames; frame++) {
    picture.set(background);
    const left = Math.round(step * (leftwards ? frames - 1 - frame : frame));
    for (let y = 0; y < side; y++) picture.set(block.subarray(y * side, (y + 1) * side), (top + y) * width + left);
    yield picture;
  }
}

/** Runs ffmpeg in one thread, with what `feed` writes as its input, and waits for it to end well. */
const runFfmpeg = async (args: readonly string[], feed: Iterable<Uint8Array> = []): Promise<void> => {
  const { path: program } = await findFfmpeg();
  const child = spawn(program, ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'close');
  for (const picture of feed) {
    if (!child.stdin.write(Buffer.from(picture))) await Promise.race([once(child.stdin, 'drain'), ended]);
  }
  child.stdin.end();
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`Expected ffmpeg to end with exit code 0, got \`${code}\``);
};

/**
 * Generates videos into a folder as `00000.mp4`, `00001.mp4`, …: H.264, one thread, cut by one encoder out of one stream, which makes
 * thousands of them a matter of a minute. The same set gives the same bytes with the same ffmpeg.
 */
export const generateVideos = async (folder: string, set: VideoSet): Promise<void> => {
  const { from, count, width, height, frames, fps, keyframeInterval = frames } = set;
  // Hidden until they are whole: a folder of videos leaves such names out.
  const unfinished = path.join(folder, '.unfinished');
  mkdirSync(unfinished, { recursive: true });
  function* stream(): Generator<Uint8Array> {
    for (let number = from; number < from + count; number++) yield* framesOf(number, set);
  }
  const cuts = Array.from({ length: count - 1 }, (_, i) => (i + 1) * frames);
  const starts = `eq(mod(n,${frames}),0)`;
  await runFfmpeg(
    [
      ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(fps), '-i', 'pipe:0'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '26', '-threads', '1', '-x264-params', 'threads=1'],
      ...['-g', String(keyframeInterval), '-sc_threshold', '0', '-force_key_frames', `expr:${starts}`],
      ...['-map_metadata', '-1', '-flags:v', '+bitexact', '-fflags', '+bitexact'],
      ...['-f', 'segment', '-segment_format', 'mp4', '-reset_timestamps', '1', '-segment_start_number', String(from)],
      // Without a cut the muxer would make its own, every two seconds.
      ...['-segment_frames', (cuts.length > 0 ? cuts : [frames]).join(','), path.join(unfinished, '%05d.mp4')],
    ],
    stream(),
  );
  for (let number = from; number < from + count; number++) {
    const name = `${String(number).padStart(5, '0')}.mp4`;
    renameSync(path.join(unfinished, name), path.join(folder, name));
  }
  rmSync(unfinished, { recursive: true });
};

/** Makes a longer video out of one by showing it `times` times, without encoding anything again. */
export const repeatVideo = (file: string, times: number, target: string): Promise<void> =>
  runFfmpeg(['-stream_loop', String(times - 1), '-i', file, '-c', 'copy', '-fflags', '+bitexact', target]);
