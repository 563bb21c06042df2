import { randomUUID } from 'node:crypto';

/**
 * The filter that announces each frame in the log. It carries a name nobody can guess: a file whose metadata, or whose own name, holds a
 * line of a log cannot announce a frame or tell a size that is none of its own.
 */
export type FrameAnnouncer = {
  /** For the end of a filter chain: `showinfo@0f3c…=checksum=0`. */
  readonly filter: string;
  /** What it says in a line of the log, from `n:` on; null where the line is not from it. */
  readonly said: (line: string) => string | null;
};

/** A frame announcer with a name of its own. */
export const announceFrames = (name: string = randomUUID().replaceAll('-', '').slice(0, 12)): FrameAnnouncer => {
  const mark = new RegExp(`\\[showinfo@${name} @ [^\\]]*\\] (?:\\[info\\] )?(.*)`);
  return { filter: `showinfo@${name}=checksum=0`, said: (line) => mark.exec(line)?.[1] ?? null };
};

/** What one line of ffmpeg's log says. */
export type LogLine = {
  /** Presentation time of the frame it announces, seconds; null where the frame has none, undefined where it announces none. */
  readonly time: number | null | undefined;
  /** Seconds a tick of the times to come; null where the line says nothing of it. */
  readonly newTimeBase: number | null;
  /** What it says is wrong with the file; null where nothing is. */
  readonly complaint: string | null;
};

// Two lines a frame pass here, nearly all without a complaint: nothing that begins with `.*`, which would start anew at every letter.
const complaintIn = (line: string): string | null => {
  const error = /\[(?:error|fatal)\].*/i.exec(line)?.[0];
  const wrong = error ?? (/corrupt decoded frame|partial file|ended prematurely/i.test(line) ? line : null);
  return wrong === null ? null : wrong.replace(/^(\[[^\]]*\] *)*/, '').slice(0, 160);
};

/**
 * Reads a line of ffmpeg's log. Its threads write into each other's lines: one line may announce a frame and carry the complaint of the
 * demuxer about the file's end as well, so neither hides the other.
 */
export const readLogLine = (line: string, timeBase: number, announcer: FrameAnnouncer): LogLine => {
  const said = announcer.said(line) ?? '';
  const frame = /^n: *\d+ pts: *(-?\d+|NOPTS)\b/.exec(said);
  const base = /^config in time_base: (\d+)\/(\d+)/.exec(said);
  return {
    time: frame === null ? undefined : frame[1] === 'NOPTS' ? null : Number(frame[1]) * timeBase,
    newTimeBase: base === null ? null : Number(base[1]) / Number(base[2]),
    complaint: complaintIn(line),
  };
};
