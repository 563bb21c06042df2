import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { decodeFrames } from '../../src/video/decode-frames.js';
import type { DecodeOptions } from '../../src/video/decode-frames.js';
import { againIfKilled, DecoderKilled } from '../../src/video/decoder-killed.js';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import { passthrough, probeVideo } from '../../src/video/probe-video.js';
import { VideoRejection } from '../../src/video/video-rejection.js';
import {
  assertColour,
  barAt,
  colourAt,
  decodeAll,
  findBar,
  makeVideo,
  quadrantFrames,
  quadrants,
  remux,
  useFolder,
  x264,
} from './fixtures.js';

const rejects = (file: string, reason: RegExp): Promise<void> =>
  assert.rejects(
    decodeAll(file),
    (error) => error instanceof VideoRejection && reason.test(error.reason) && error.message.startsWith(file),
  );

/** Processes named ffmpeg whose parent is `parent`. */
const childrenOf = async (parent: number): Promise<number[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,comm=,stat=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, name, state]) => Number(ppid) === parent && name?.startsWith('ffmpeg') && !state?.startsWith('Z'))
    .map(([pid]) => Number(pid));
};

describe('decoding', () => {
  const folder = useFolder();
  const at = (name: string): string => path.join(folder.path, name);
  let plain = '';
  before(async () => {
    plain = await makeVideo(at('plain.mp4'), quadrantFrames(20), x264);
  });

  const assertQuadrants = (frame: Parameters<typeof colourAt>[0], tolerance?: number): void => {
    assertColour(colourAt(frame, 0.25, 0.35), quadrants.topLeft, tolerance);
    assertColour(colourAt(frame, 0.75, 0.35), quadrants.topRight, tolerance);
    assertColour(colourAt(frame, 0.25, 0.75), quadrants.bottomLeft, tolerance);
    assertColour(colourAt(frame, 0.75, 0.75), quadrants.bottomRight, tolerance);
  };

  it('gives every frame once, in order, with its time, place and colours', async () => {
    const { frames, warnings } = await decodeAll(plain);
    assert.deepEqual(warnings, []);
    assert.equal(frames.length, 20);
    frames.forEach((frame, i) => {
      assert.deepEqual([frame.index, frame.width, frame.height], [i, 160, 120]);
      assert.equal(frame.y.length, 160 * 120);
      assert.equal(frame.u.length, 80 * 60);
      assert.ok(Math.abs(frame.time - i / 25) < 1e-6, `frame ${i} at ${frame.time}`);
      assert.ok(Math.abs(findBar(frame) - barAt(i)) <= 1, `bar of frame ${i} at ${findBar(frame)}`);
    });
    assertQuadrants(frames[10]!);
  });

  it('shrinks to the area, keeps the aspect, and never enlarges', async () => {
    const { frames } = await decodeAll(plain, { areaPx: 80 * 60 });
    assert.deepEqual([frames[0]!.width, frames[0]!.height], [80, 60]);
    assertQuadrants(frames[10]!);
    assert.ok(Math.abs(findBar(frames[10]!) - barAt(10) / 2) <= 1);
  });

  it('turns a rotated video upright', async () => {
    const ffmpeg = await findFfmpeg();
    const modern = ffmpeg.libavutil[0] >= 58;
    const file = await remux(
      plain,
      at('rotated.mp4'),
      modern ? ['-display_rotation', '-90'] : [],
      modern ? [] : ['-metadata:s:v:0', 'rotate=90'],
    );
    assert.equal((await probeVideo(file)).rotation, 90);
    const { frames } = await decodeAll(file);
    assert.deepEqual([frames[0]!.width, frames[0]!.height], [120, 160]);
    // A quarter turn clockwise brings the bottom left to the top left.
    assertColour(colourAt(frames[5]!, 0.25, 0.25), quadrants.bottomLeft);
    assertColour(colourAt(frames[5]!, 0.25, 0.75), quadrants.bottomRight);
    assertColour(colourAt(frames[5]!, 0.7, 0.25), quadrants.topLeft);
  });

  it('makes wide pixels square', async () => {
    const file = await makeVideo(at('wide.mp4'), quadrantFrames(3), ['-vf', 'setsar=2/1', ...x264]);
    assert.equal((await probeVideo(file)).pixelAspect, 2);
    const { frames } = await decodeAll(file);
    assert.deepEqual([frames[0]!.width, frames[0]!.height], [160, 60]);
    assertQuadrants(frames[1]!);
  });

  it('keeps the times of a variable frame rate and repeats no frame', async () => {
    const file = await makeVideo(at('variable.mp4'), quadrantFrames(12), [
      ...[
        '-vf',
        'settb=1/10000,setpts=N*N*100',
        ...passthrough(await findFfmpeg()),
        '-enc_time_base',
        '1/10000',
        '-video_track_timescale',
        '10000',
        ...x264,
        '-bf',
        '0',
      ],
    ]);
    const { frames } = await decodeAll(file);
    assert.equal(frames.length, 12);
    frames.forEach((frame, i) => {
      assert.ok(Math.abs(frame.time - (i * i) / 100) < 0.002, `frame ${i} at ${frame.time}`);
      assert.ok(Math.abs(findBar(frame) - barAt(i)) <= 1);
    });
  });

  const kinds: [string, string[], number?][] = [
    ['10 bit', ['-c:v', 'libx264', '-crf', '12', '-pix_fmt', 'yuv420p10le']],
    ['4:4:4', ['-c:v', 'libx264', '-crf', '12', '-pix_fmt', 'yuv444p']],
    ['full range', ['-vf', 'scale=out_range=pc,format=yuv420p', '-color_range', 'pc', '-c:v', 'libx264', '-crf', '12']],
    [
      'BT.709',
      ['-vf', 'scale=out_color_matrix=bt709,format=yuv420p', '-colorspace', 'bt709', '-c:v', 'libx264', '-crf', '12'],
    ],
    ['RGB', ['-c:v', 'libx264rgb', '-crf', '12']],
  ];
  for (const [kind, options, tolerance] of kinds) {
    it(`brings ${kind} to the same colours`, async () => {
      const file = await makeVideo(at(`${kind.replace(/\W/g, '')}.mkv`), quadrantFrames(3), options);
      const { frames } = await decodeAll(file);
      assert.equal(frames.length, 3);
      assertQuadrants(frames[1]!, tolerance);
    });
  }

  it('gives grey video neutral chroma and the right luma', async () => {
    const { frames } = await decodeAll(
      await makeVideo(at('grey.mkv'), quadrantFrames(3), ['-c:v', 'ffv1', '-pix_fmt', 'gray']),
    );
    assert.ok(frames[1]!.u.every((value) => Math.abs(value - 128) <= 1));
    assertColour(colourAt(frames[1]!, 0.75, 0.75), [220, 220, 220], 3);
    assertColour(colourAt(frames[1]!, 0.25, 0.35), [88, 88, 88], 4); // 0.299 * 200 + 0.587 * 40 + 0.114 * 40
  });

  it('gives odd sizes one row and column less', async () => {
    const { frames } = await decodeAll(
      await makeVideo(at('odd.mkv'), quadrantFrames(3, 161, 121), ['-c:v', 'ffv1', '-pix_fmt', 'yuv444p']),
    );
    assert.deepEqual([frames[0]!.width, frames[0]!.height], [160, 120]);
    assertQuadrants(frames[1]!);
  });

  it('brings HDR down to ordinary light', async function () {
    if (!(await findFfmpeg()).toneMaps) this.skip();
    // As read off the luma: black, PQ code 0.58 (203 cd/m², white paper) and 0.75 (1000 cd/m², a lamp).
    const [black, paper, lamp] = [0, 0.58 * 255, 0.75 * 255];
    const data = Uint8Array.from(
      { length: 96 * 64 * 3 },
      (_, i) => [black, paper, lamp][Math.floor(((i / 3) % 96) / 32)] as number,
    );
    const file = await makeVideo(
      at('hdr.mkv'),
      [{ width: 96, height: 64, channels: 3, data }],
      [
        ...[
          '-vf',
          'scale=out_color_matrix=bt2020,format=yuv420p10le,setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc',
          '-c:v',
          'libx264',
          '-crf',
          '8',
        ],
        ...['-color_trc', 'smpte2084', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc', '-color_range', 'tv'],
      ],
    );
    assert.equal((await probeVideo(file)).colorTransfer, 'smpte2084');
    const { frames } = await decodeAll(file);
    const [dark, white, bright] = [1, 3, 5].map((sixth) => colourAt(frames[0]!, sixth / 6, 0.5)[1]) as [
      number,
      number,
      number,
    ];
    assert.ok(dark < 12 && white > 165 && bright > white + 15, `${dark} ${white} ${bright}`);
  });

  it('gives the frames before a break, and says so', async () => {
    const whole = await makeVideo(at('whole.mkv'), quadrantFrames(30), [...x264, '-g', '5', '-bf', '0']);
    const bytes = await readFile(whole);
    await writeFile(at('broken.mkv'), bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    const { frames, warnings } = await decodeAll(at('broken.mkv'));
    assert.ok(frames.length > 8 && frames.length < 29, `${frames.length} frames`);
    frames.forEach((frame, i) => assert.ok(Math.abs(frame.time - i / 25) < 0.002));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /prematurely|complaint|broke off/);
  });

  it('decodes a single frame', async () => {
    const { frames } = await decodeAll(await makeVideo(at('one.mp4'), quadrantFrames(1), x264));
    assert.equal(frames.length, 1);
    assert.equal(frames[0]!.time, 0);
  });

  it('rejects what is no video, with the reason', async () => {
    await rejects(at('nowhere.mp4'), /no such file/);
    await rejects(folder.path, /not a file/);
    await writeFile(at('empty.mp4'), '');
    await rejects(at('empty.mp4'), /empty/);
    await writeFile(
      at('picture.mp4'),
      await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
        .jpeg()
        .toBuffer(),
    );
    await rejects(at('picture.mp4'), /JPEG picture/);
    await writeFile(at('text.mp4'), 'hello, this is no video\n'.repeat(40));
    await rejects(at('text.mp4'), /text file/);
    await writeFile(
      at('noise.mp4'),
      Uint8Array.from({ length: 9000 }, (_, i) => (i * i * 31 + 7 * i) >> 3),
    );
    await rejects(at('noise.mp4'), /not a video/);
    const moovLast = await readFile(plain);
    await writeFile(at('cut.mp4'), moovLast.subarray(0, moovLast.length - 2000));
    await rejects(at('cut.mp4'), /cut short/);
  });

  it('rejects a file with sound only', async () => {
    const { path: binary } = await findFfmpeg();
    const { startFfmpeg } = await import('../../src/video/ffmpeg-process.js');
    const { Readable } = await import('node:stream');
    const input = Readable.from([Buffer.alloc(16000)]);
    await startFfmpeg({
      binary,
      input,
      inputOptions: ['-f', 's16le', '-ar', '8000'],
      output: at('sound.mp4'),
      outputOptions: ['-c:a', 'aac'],
    }).ended;
    await rejects(at('sound.mp4'), /only audio/);
  });

  it('does not let a playlist named .mp4 read another file', async () => {
    await writeFile(at('concat.mp4'), `ffconcat version 1.0\nfile ${path.basename(plain)}\n`);
    await writeFile(
      at('hls.mp4'),
      `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n${path.basename(plain)}\n#EXT-X-ENDLIST\n`,
    );
    await rejects(at('concat.mp4'), /playlist \(ffconcat\)/);
    await rejects(at('hls.mp4'), /playlist \(m3u8\)/);
  });

  it('takes names that look like options, addresses or patterns for names', async () => {
    const line = '[showinfo@x @ 0x1] [info] n:   0 pts:  7 pts_time:7';
    for (const name of [
      ...['-y.mp4', 'http:x.mp4', 'frame%03d.mp4', 'a b\'"$(x).mp4', 'concat:a|b.mp4'],
      `\n[info] Stream mapping:\n${line}\n${line.replace('showinfo@x', 'Parsed_showinfo_0')}\n.mp4`,
    ]) {
      await writeFile(at(name), await readFile(plain));
      assert.equal((await decodeAll(at(name))).frames.length, 20, name);
    }
  });

  it('ends at the limit of frames with a warning', async () => {
    const { frames, warnings } = await decodeAll(plain, { maxFrames: 7 });
    assert.equal(frames.length, 7);
    assert.match(warnings.join(), /limit of 7 frames/);
    assert.deepEqual((await decodeAll(plain, { maxFrames: 20 })).warnings, []);
  });

  it('gives up where waiting for frames takes longer than it may, in all or for one', async () => {
    const info = await probeVideo(plain);
    const gaveUp = (options: DecodeOptions, reason: RegExp): Promise<void> =>
      assert.rejects(
        decodeAll(plain, { info, ...options }),
        (error) => error instanceof VideoRejection && reason.test(error.reason),
      );
    await gaveUp({ waitSeconds: 0 }, /took more than 0 s in all/);
    await gaveUp({ stallSeconds: 0 }, /gave none within 0 s/);
    assert.deepEqual(await childrenOf(process.pid), []);
  });

  it('refuses pictures that are too large', () =>
    assert.rejects(
      probeVideo(plain, { maxPixels: 100 }),
      (error) => error instanceof VideoRejection && /160 x 120/.test(error.reason),
    ));

  it('rejects what needs more memory than is allowed', async () => {
    await assert.rejects(decodeAll(plain, { limits: { allocationBytes: 2000 } }), VideoRejection);
  });

  describe('and its process', () => {
    let long = '';
    before(async () => {
      long = await makeVideo(at('long.mp4'), new Array(900).fill(quadrantFrames(1, 640, 480)[0]!), [
        ...x264,
        '-preset',
        'ultrafast',
      ]);
    });

    it('waits for a slow consumer with a handful of frames in memory', async () => {
      globalThis.gc?.();
      const start = process.memoryUsage().arrayBuffers;
      let peak = 0;
      let count = 0;
      for await (const _ of decodeFrames(long)) {
        if (++count === 3) {
          await sleep(600);
          peak = process.memoryUsage().arrayBuffers - start;
          assert.equal((await childrenOf(process.pid)).length, 1, 'ffmpeg waits too');
          break;
        }
      }
      assert.ok(peak < 30e6, `${peak} bytes held`); // all 900 frames would be 360 MB
      assert.deepEqual(await childrenOf(process.pid), [], 'leaving the loop ends ffmpeg');
    });

    it('ends with its signal', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      let count = 0;
      await assert.rejects(async () => {
        for await (const _ of decodeFrames(long, { signal: controller.signal }))
          if (++count === 5) controller.abort(reason);
      }, reason);
      assert.ok(count >= 5 && count < 20);
      assert.deepEqual(await childrenOf(process.pid), []);
    });

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      it(`tells a ${signal} from outside from a defect of the file`, async () => {
        let count = 0;
        await assert.rejects(
          async () => {
            for await (const _ of decodeFrames(long))
              if (++count === 5) process.kill((await childrenOf(process.pid))[0]!, signal);
          },
          (error) => error instanceof DecoderKilled && error.signal === signal && error.path === long,
        );
        assert.ok(count >= 5 && count < 900, `${count} frames`);
      });
    }

    it('is tried three times where it is ended from outside, and once where the file is to blame', async () => {
      const tries = async (error: Error): Promise<number> => {
        let count = 0;
        const work = (): Promise<never> => ((count += 1), Promise.reject(error));
        await assert.rejects(againIfKilled(work), error);
        return count;
      };
      assert.equal(await tries(new DecoderKilled('a.mp4', 'SIGKILL')), 3);
      assert.equal(await tries(new VideoRejection('a.mp4', 'not a video')), 1);
    });

    it('dies with its parent', async () => {
      const module = new URL('../../src/video/decode-frames.js', import.meta.url).href;
      const script = `const { decodeFrames } = await import(${JSON.stringify(module)});
        for await (const frame of decodeFrames(${JSON.stringify(long)})) { process.stdout.write('x'); await new Promise((r) => setTimeout(r, 1e6)); }`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => parent.stdout.once('data', resolve));
      const [child] = await childrenOf(parent.pid as number);
      assert.ok(child !== undefined);
      parent.kill('SIGKILL');
      const alive = (): boolean => {
        try {
          return process.kill(child, 0);
        } catch {
          return false;
        }
      };
      for (let i = 0; i < 50 && alive(); i++) await sleep(100);
      assert.equal(alive(), false);
    });
  });
});
