import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { findFfmpeg, parseVersionText } from '../../src/video/ffmpeg-binary.js';
import { startFfmpeg } from '../../src/video/ffmpeg-process.js';
import { guessKind } from '../../src/video/refusal.js';
import { parseStreams } from '../../src/video/probe-video.js';
import { useFolder } from './fixtures.js';

const text = (version: string, libavutil: string): string =>
  `ffmpeg version ${version} Copyright (c) 2000-2026 the FFmpeg developers\nconfiguration: --enable-gpl --enable-libzimg\nlibavutil      ${libavutil} / ${libavutil}\n`;

describe('the choice of ffmpeg', () => {
  const folder = useFolder();
  const fake = async (name: string, libavutil: string): Promise<string> => {
    await mkdir(path.join(folder.path, name), { recursive: true });
    const file = path.join(folder.path, name, 'ffmpeg');
    await writeFile(file, `#!/bin/sh\ncat <<'END'\n${text(name, libavutil)}END\n`);
    await chmod(file, 0o755);
    return file;
  };

  it('reads the versions of releases and of nameless builds', () => {
    assert.deepEqual(parseVersionText(text('5.1.6-0+deb12u1', '57. 28.100')), {
      version: '5.1.6-0+deb12u1',
      libavutil: [57, 28, 100],
      toneMaps: true,
    });
    assert.equal(
      parseVersionText(text('N-47683-g0e8eb07980-static', '56. 24.101').replace('--enable-libzimg', '')).toneMaps,
      false,
    );
    assert.throws(() => parseVersionText('sox 14'), /Expected the version text of an ffmpeg/);
  });

  it('takes FFMPEG_PATH before all, and refuses one that does not run', async () => {
    const file = await fake('named', '50.  1.  1');
    const other = path.dirname(await fake('newest', '99.  1.  1'));
    assert.deepEqual(await findFfmpeg({ FFMPEG_PATH: file, PATH: `${other}:${process.env['PATH']}` }), {
      ...{ path: file, version: 'named', source: 'FFMPEG_PATH', libavutil: [50, 1, 1], toneMaps: true },
    });
    await assert.rejects(
      findFfmpeg({ FFMPEG_PATH: '/no/such/ffmpeg' }),
      (error) => error instanceof UsageError && /`FFMPEG_PATH`.*`\/no\/such\/ffmpeg`/.test(error.message),
    );
  });

  it('takes one on PATH only if it is newer than the bundled one', async () => {
    const newer = path.dirname(await fake('newer', '61.  1.  1'));
    const older = path.dirname(await fake('older', '55.  1.  1'));
    assert.equal((await findFfmpeg({ PATH: `${newer}:/bin:/usr/bin` })).source, 'PATH');
    assert.notEqual((await findFfmpeg({ PATH: `${older}:/bin:/usr/bin` })).version, 'older');
  });
});

describe('starting ffmpeg', () => {
  const folder = useFolder();
  const script = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder.path, name);
    await writeFile(file, `#!/bin/sh\n${text}\n`);
    await chmod(file, 0o755);
    return file;
  };

  it('has its limits from its first moment on', async function () {
    if (process.platform !== 'linux') this.skip();
    const binary = await script('limits of mine', 'echo "[info] $(ulimit -v) $(ulimit -S -t) $(ulimit -H -t)" >&2');
    const lines: string[] = [];
    const { message, started } = await startFfmpeg({
      ...{ binary, input: 'x', output: null, onLine: (line) => void lines.push(line) },
      limits: { memoryBytes: 3 * 1024 ** 3, cpuSeconds: 70 },
    }).ended;
    assert.deepEqual([message, started, lines[0]], [null, true, `[info] ${3 * 1024 ** 2} 70 100`]);
  });

  it('tells a program that is not there, or may not run, from one that fails', async () => {
    const end = (binary: string) => startFfmpeg({ binary, input: 'x', output: null }).ended;
    assert.equal((await end(path.join(folder.path, 'nowhere'))).started, false);
    const locked = await script('locked', '');
    await chmod(locked, 0o644);
    assert.equal((await end(locked)).started, false);
    const failing = await end(await script('failing', 'echo "[error] no" >&2; exit 127'));
    assert.equal(failing.started, true);
    assert.match(failing.message ?? '', /127/);
  });

  it('is not asked for its version again while its file is the same', async () => {
    const said = text('asked', '50.  1.  1').replaceAll('\n', '\\n');
    const asked = path.join(folder.path, 'asked');
    const binary = await script('ffmpeg', `echo once >> '${asked}'; printf '${said}'`);
    for (let i = 0; i < 3; i++) assert.equal((await findFfmpeg({ FFMPEG_PATH: binary })).version, 'asked');
    assert.equal(await readFile(asked, 'utf8'), 'once\n');
    await script('ffmpeg', `printf '${said.replace('asked', 'another')}'`);
    assert.equal((await findFfmpeg({ FFMPEG_PATH: binary })).version, 'another');
  });
});

describe('reading the log of ffmpeg', () => {
  it('finds the streams that are pictures, but no cover and no metadata that pose as one', () => {
    const lines = [
      '[info]   Stream #0:0[0x1](und): Audio: aac (LC), 44100 Hz',
      '[info]   Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc), 600x600, 90k tbr (attached pic)',
      '[info]   Stream #0:2[0x2](eng): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 1920x1080 [SAR 1:1 DAR 16:9], 9 kb/s, 29.97 fps, 30 tbr',
      '[info]     title           : x',
      '[info]     Stream #0:3     : Video: h264, yuv420p, 64x64',
      '[info]     Stream #0:4(und): Video: mpeg4, yuv420p, 320x240, 1k fps',
    ];
    assert.deepEqual(
      parseStreams(lines).map(({ index, codec, width, height, fps }) => [index, codec, width, height, fps]),
      [
        [2, 'h264', 1920, 1080, 29.97],
        [4, 'mpeg4', 320, 240, 1000],
      ],
    );
  });

  it('knows what is often taken for a video', () => {
    assert.equal(guessKind(Buffer.from('\x89PNG\r\n', 'latin1')), 'a PNG picture');
    assert.equal(
      guessKind(Buffer.from('version https://git-lfs.github.com/spec/v1')),
      'a Git LFS pointer: the video itself was not fetched',
    );
    assert.equal(
      guessKind(Buffer.from('<?xml version="1.0"?>\n<MPD xmlns=""/>')),
      'a playlist (DASH) that names other files',
    );
    assert.equal(guessKind(Buffer.from('<!DOCTYPE html>')), 'a web page');
    assert.equal(guessKind(Buffer.from([0, 0, 0, 32, 0x66, 0x74, 0x79, 0x70])), null);
    assert.equal(guessKind(Buffer.alloc(0)), null);
  });
});
