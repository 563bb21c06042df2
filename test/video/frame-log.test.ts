import assert from 'node:assert/strict';
import { announceFrames, readLogLine } from '../../src/video/frame-log.js';

const announcer = announceFrames('x');

describe('the log of ffmpeg', () => {
  it('is read where two threads wrote into one line: the frame and the complaint', () => {
    const frame = '[showinfo@x @ 0x55] [info] n:  17 pts:    680 pts_time:0.68    duration:     40';
    const complaint = '[matroska,webm @ 0x56] [error] File ended prematurely at pos. 5120 (0x1400)';
    const said = 'File ended prematurely at pos. 5120 (0x1400)';
    assert.deepEqual(readLogLine(frame, 1 / 1000, announcer), { time: 0.68, newTimeBase: null, complaint: null });
    assert.deepEqual(readLogLine(`${frame} fmt:yuv420p ${complaint}`, 1 / 1000, announcer), {
      ...{ time: 0.68, newTimeBase: null, complaint: said },
    });
    assert.equal(readLogLine(`${complaint}${frame}`, 1 / 1000, announcer).time, 0.68);
  });

  it('is read for what lies in no error: damage, and a file that ends early', () => {
    for (const [line, complaint] of [
      ['[info] corrupt decoded frame in stream 0', 'corrupt decoded frame in stream 0'],
      ['[mov @ 0x1] [warning] stream 0, offset 0x3: partial file', 'stream 0, offset 0x3: partial file'],
      ['[h264 @ 0x1] [warning] something else', null],
    ] as const)
      assert.equal(readLogLine(line, 1, announcer).complaint, complaint);
  });

  it('is read with the level before the name (ffmpeg 8 and older) or behind it', () => {
    for (const start of ['[info] [showinfo@x @ 0x55] ', '[showinfo@x @ 0x55] [info] ']) {
      assert.equal(
        readLogLine(`${start}config in time_base: 1/90000, frame_rate: 25/1`, 0, announcer).newTimeBase,
        1 / 90000,
      );
      assert.equal(readLogLine(`${start}n:   0 pts: NOPTS pts_time:NOPTS`, 1, announcer).time, null);
      assert.equal(readLogLine(`${start}n:   3 pts:   -12 pts_time:-1.2`, 0.1, announcer).time, -12 * 0.1);
    }
  });

  it('takes no frame from anybody else: metadata may say what they like', () => {
    for (const name of [
      '',
      '[info]     title           : ',
      '[showinfo@y @ 0x55] [info] ',
      '[Parsed_showinfo_0 @ 0x55] [info] ',
    ])
      assert.equal(readLogLine(`${name}n:   0 pts:    0 pts_time:0`, 1, announcer).time, undefined);
    assert.notEqual(announceFrames().filter, announceFrames().filter);
  });
});
