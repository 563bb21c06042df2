import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import { probeVideo } from '../../src/video/probe-video.js';
import { withEdits } from './edit-list.js';
import type { Edit } from './edit-list.js';
import { assertColour, colourAt, decodeAll, makeVideo, remux, useFolder } from './fixtures.js';
import type { Colour } from './fixtures.js';
import { assertQuarters, encodePlanes, numberedFrames, numberedPlanes, planesOf, readNumber } from './known-picture.js';
import type { Coding } from './known-picture.js';

const lossless = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0'];

describe('odd formats: the picture that comes out is the picture that went in', () => {
  const folder = useFolder();
  const at = (name: string): string => path.join(folder.path, name);
  before(async function () {
    if ((await findFfmpeg()).libavutil[0] < 60) {
      console.log('      skipped: this needs an ffmpeg of 2024 or later to make the files');
      this.skip();
    }
  });

  describe('turned and mirrored', () => {
    // What is stored is the picture turned the other way, so that what players show is upright.
    const turns: [string, string[], string, number][] = [
      ['90', ['-display_rotation', '-90'], 'transpose=cclock', 90],
      ['180', ['-display_rotation', '180'], 'hflip,vflip', 180],
      ['270', ['-display_rotation', '90'], 'transpose=clock', 270],
      ['mirrored', ['-display_hflip'], 'hflip', 0],
      ['upside down', ['-display_vflip'], 'vflip', 180],
    ];
    for (const [name, flags, stored, rotation] of turns) {
      it(`${name} comes out upright`, async () => {
        const from = await makeVideo(at(`stored-${name}.mkv`), numberedFrames(3), ['-vf', stored, ...lossless]);
        for (const container of ['mp4', 'mkv']) {
          const file = await remux(from, at(`turned-${name}.${container}`), flags);
          const { frames } = await decodeAll(file);
          assert.equal((await probeVideo(file)).rotation % 180, rotation % 180);
          assert.deepEqual(frames.map(readNumber), [0, 1, 2]);
          assert.deepEqual([frames[0]!.width, frames[0]!.height], [160, 120]);
          assertQuarters(frames[2]!);
        }
      });
    }
  });

  describe('of pixels that are not square', () => {
    const shapes: [string, string, [number, number]][] = [
      ['2/1', 'scale=80:120:flags=area', [80, 60]],
      ['1/2', 'scale=160:60:flags=area', [80, 60]],
      ['4/3', 'scale=120:120:flags=area', [120, 90]],
    ];
    for (const [shape, stored, size] of shapes) {
      for (const container of ['mp4', 'avi']) {
        it(`${shape} in ${container} comes out square`, async () => {
          const options = ['-vf', `${stored},setsar=${shape}`, ...lossless];
          const { frames } = await decodeAll(
            await makeVideo(at(`${shape.replace('/', '-')}.${container}`), numberedFrames(3), options),
          );
          assert.deepEqual([frames[0]!.width, frames[0]!.height], size);
          assert.deepEqual(frames.map(readNumber), [0, 1, 2]);
          assertQuarters(frames[1]!);
        });
      }
    }

    it('and turned as well, the shape turns too', async () => {
      const stored = ['-vf', 'transpose=cclock,scale=60:160:flags=area,setsar=2/1', ...lossless];
      const from = await makeVideo(at('tall.mkv'), numberedFrames(3), stored);
      const file = await remux(from, at('tall-turned.mp4'), ['-display_rotation', '-90']);
      const { pixelAspect, width, height } = await probeVideo(file);
      assert.deepEqual([pixelAspect, width, height], [0.5, 160, 60]);
      const { frames } = await decodeAll(file);
      assert.deepEqual([frames[0]!.width, frames[0]!.height], [80, 60]);
      assertQuarters(frames[1]!);
    });
  });

  describe('of deep, full, grey and rarely used colour', () => {
    const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'lossless=1:log-level=none'];
    const kinds: [string, Coding, string, string[], { matrix?: string; grey?: boolean; tolerance?: number }?][] = [
      [
        '10-bit 4:2:0 H.264',
        { matrix: 'bt709', full: false, depth: 10 },
        'yuv444p10le',
        [...lossless, '-pix_fmt', 'yuv420p10le'],
      ],
      [
        '10-bit 4:2:2 ProRes',
        { matrix: 'bt709', full: false, depth: 10 },
        'yuv444p10le',
        ['-c:v', 'prores_ks', '-pix_fmt', 'yuv422p10le'],
      ],
      ['12-bit 4:4:4 HEVC', { matrix: 'bt709', full: false, depth: 12 }, 'yuv444p12le', x265],
      ['full-range 4:4:4', { matrix: 'smpte170m', full: true, depth: 8 }, 'yuv444p', lossless],
      ['BT.2020', { matrix: 'bt2020nc', full: false, depth: 10 }, 'yuv444p10le', lossless],
      ['SMPTE 240M', { matrix: 'smpte240m', full: false, depth: 8 }, 'yuv444p', lossless],
      ['YCgCo', { matrix: 'ycgco', full: false, depth: 8 }, 'yuv444p', lossless],
      ['YCgCo full range', { matrix: 'ycgco', full: true, depth: 8 }, 'yuv444p', lossless],
      // Read as the nearest matrix that the scaler knows, which these are but for the name.
      [
        'BT.2020 named constant luminance',
        { matrix: 'bt2020nc', full: false, depth: 10 },
        'yuv444p10le',
        lossless,
        { matrix: 'bt2020c' },
      ],
      [
        'BT.709 named by its primaries',
        { matrix: 'bt709', full: false, depth: 8 },
        'yuv444p',
        lossless,
        { matrix: 'chroma-derived-nc' },
      ],
      ['RGB', { matrix: 'gbr', full: true, depth: 8 }, 'gbrp', ['-c:v', 'ffv1']],
      ['grey HEVC of limited range', { matrix: 'smpte170m', full: false, depth: 8 }, 'gray', x265, { grey: true }],
      ['grey HEVC of full range', { matrix: 'smpte170m', full: true, depth: 8 }, 'gray', x265, { grey: true }],
      [
        'grey 10-bit HEVC of limited range',
        { matrix: 'smpte170m', full: false, depth: 10 },
        'gray10le',
        x265,
        { grey: true },
      ],
      [
        'grey FFV1 of limited range',
        { matrix: 'smpte170m', full: false, depth: 8 },
        'gray',
        ['-c:v', 'ffv1'],
        { grey: true },
      ],
      [
        'grey H.264',
        { matrix: 'smpte170m', full: false, depth: 8 },
        'gray',
        [...lossless, '-pix_fmt', 'gray'],
        { grey: true },
      ],
    ];
    for (const [name, coding, pixelFormat, options, { matrix = coding.matrix, grey = false } = {}] of kinds) {
      it(`${name} comes out in the colours it had`, async () => {
        const tags = ['-color_range', coding.full ? 'pc' : 'tv'];
        const named = grey || matrix === 'gbr' ? [] : ['-vf', `setparams=colorspace=${matrix}`];
        const file = await encodePlanes(
          at(`${name.replace(/\W/g, '')}.${name.includes('ProRes') ? 'mov' : 'mkv'}`),
          numberedPlanes(3, coding, grey),
          { width: 160, height: 120, pixelFormat, tags },
          [...named, ...options],
        );
        const { frames, warnings } = await decodeAll(file);
        assert.deepEqual(warnings, []);
        assert.deepEqual(frames.map(readNumber), [0, 1, 2]);
        if (!grey) return assertQuarters(frames[1]!);
        // 0.299 R + 0.587 G + 0.114 B of the quarters
        const greys: [number, number, number][] = [
          [0.25, 0.35, 88],
          [0.75, 0.35, 124],
          [0.25, 0.75, 73],
          [0.75, 0.75, 220],
        ];
        for (const [x, y, value] of greys) assertColour(colourAt(frames[1]!, x, y), [value, value, value], 2);
      });
    }

    it('odd sizes down to 9 x 17 come out whole', async () => {
      for (const [width, height] of [
        [161, 121],
        [97, 33],
        [17, 9],
      ] as const) {
        const coding = { matrix: 'smpte170m', full: false, depth: 8 } as const;
        const shade = (x: number, y: number): [number, number, number] => [x / width, y / height, 0.5];
        const file = await encodePlanes(
          ...([at(`odd-${width}.mkv`), planesOf(width, height, shade, coding)] as const),
          ...([{ width, height, pixelFormat: 'yuv444p' }, ['-c:v', 'ffv1']] as const),
        );
        const { frames } = await decodeAll(file);
        assert.deepEqual([frames[0]!.width, frames[0]!.height], [width - 1, height - 1]);
        const corner = (x: number, y: number): number => frames[0]!.y[y * (width - 1) + x]!;
        const luma = (r: number, g: number): number => 16 + 219 * (0.299 * r + 0.587 * g + 0.114 * 0.5);
        for (const [x, y] of [
          [0, 0],
          [width - 2, 0],
          [0, height - 2],
          [width - 2, height - 2],
        ] as const)
          assert.ok(Math.abs(corner(x, y) - luma((x + 0.5) / width, (y + 0.5) / height)) < 12, `${width}: ${x}, ${y}`);
      }
    });
  });

  describe('of high dynamic range', () => {
    // Light of patches in cd/m², red, green and blue of BT.2020.
    const light: Colour[] = [
      [1, 1, 1],
      [50, 50, 50],
      [203, 203, 203],
      [1000, 1000, 1000],
      [150, 60, 40],
      [30, 120, 50],
      [30, 40, 150],
      [400, 300, 200],
    ];
    const pq = (value: number): number => {
      const power = (value / 10_000) ** 0.1593017578125;
      return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375;
    };
    const hlg = ([r, g, b]: Colour): Colour => {
      const luminance = 0.2627 * r + 0.678 * g + 0.0593 * b; // the screen's curve (1000 cd/m², gamma 1.2) undone
      const scene = (value: number): number => (value / luminance) * (luminance / 1000) ** (1 / 1.2);
      const curve = (e: number): number =>
        e <= 1 / 12 ? Math.sqrt(3 * e) : 0.17883277 * Math.log(12 * e - 0.28466892) + 0.55991073;
      return [curve(scene(r)), curve(scene(g)), curve(scene(b))];
    };
    const hable = (x: number): number => (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 1 / 15;
    // As the documentation of `filterChain` has it.
    const toneMapped = ([r, g, b]: Colour): Colour => {
      const linear = [
        [1.660491, -0.587641, -0.07285],
        [-0.12455, 1.1329, -0.008349],
        [-0.018151, -0.100579, 1.11873],
      ].map((row) => (row[0]! * r + row[1]! * g + row[2]! * b) / 100);
      const top = Math.max(...linear);
      const down = hable(top) / hable(10) / top;
      const [red, green, blue] = linear.map((value) => 255 * Math.min(1, Math.max(0, value * down)) ** (1 / 2.4));
      return [red!, green!, blue!];
    };
    const tags = {
      'tagged throughout': 'colorspace=bt2020nc:color_primaries=bt2020:range=tv',
      'tagged with its transfer alone': 'range=tv',
      'tagged constant luminance': 'colorspace=bt2020c:color_primaries=bt2020:range=tv',
    };
    for (const [curve, transfer] of [
      ['PQ', 'smpte2084'],
      ['HLG', 'arib-std-b67'],
    ] as const) {
      for (const [how, parameters] of Object.entries(tags)) {
        it(`${curve}, ${how}, comes out as the documented formula has it`, async function () {
          if (!(await findFfmpeg()).toneMaps) this.skip();
          const colour = (x: number): Colour => {
            const patch = light[Math.floor(x / 40)] as Colour;
            return curve === 'HLG' ? hlg(patch) : [pq(patch[0]), pq(patch[1]), pq(patch[2])];
          };
          const planes = planesOf(320, 64, colour, { matrix: 'bt2020nc', full: false, depth: 10 });
          const file = await encodePlanes(
            at(`${curve}-${how}.mkv`),
            planes,
            { width: 320, height: 64, pixelFormat: 'yuv444p10le' },
            ['-vf', `setparams=color_trc=${transfer}:${parameters}`, '-c:v', 'ffv1'],
          );
          const { frames } = await decodeAll(file);
          light.forEach((patch, i) => assertColour(colourAt(frames[0]!, (i + 0.5) / 8, 0.5), toneMapped(patch), 4));
        });
      }
    }
  });

  describe('of uneven times', () => {
    const coded = [...lossless, '-pix_fmt', 'yuv420p', '-movie_timescale', '90000'];

    it('a variable frame rate keeps each picture and its time, in every container', async () => {
      // Gaps of 20 ms to 660 ms.
      const times = (i: number): number => (i * i + i) * 0.02;
      for (const container of ['mp4', 'mkv', 'webm']) {
        const codec =
          container === 'webm'
            ? ['-c:v', 'libvpx-vp9', '-cpu-used', '8']
            : ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-pix_fmt', 'yuv420p'];
        const file = await makeVideo(at(`uneven.${container}`), numberedFrames(17), [
          ...[
            '-vf',
            'settb=1/1000,setpts=20*(N*N+N)',
            '-fps_mode',
            'passthrough',
            '-enc_time_base',
            '1/1000',
            ...codec,
          ],
        ]);
        const { frames, warnings } = await decodeAll(file);
        assert.deepEqual(warnings, []);
        assert.deepEqual(
          frames.map(readNumber),
          Array.from({ length: 17 }, (_, i) => i),
        );
        frames.forEach(({ time }, i) =>
          assert.ok(Math.abs(time - times(i)) < 0.0015, `${container}: frame ${i} at ${time}`),
        );
      }
    });

    const second = (from: number, to: number): Edit => ({ mediaTime: from, duration: to - from });
    const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
    const lists: [string, Edit[], number[]][] = [
      ['that leaves out the start', [second(0.4, 1.2)], range(10, 30)],
      ['that leaves out the end', [second(0, 0.8)], range(0, 20)],
      ['that leaves out the middle', [second(0, 0.4), second(0.8, 1.2)], [...range(0, 10), ...range(20, 30)]],
      ['that begins late', [{ mediaTime: -1, duration: 0.48 }, second(0, 1.2)], range(0, 30)],
    ];
    for (const [what, edits, numbers] of lists) {
      it(`an edit list ${what} is obeyed; times count from the first frame shown`, async () => {
        const plain = await makeVideo(at('for-edits.mp4'), numberedFrames(30), [...coded, '-bf', '0', '-g', '50']);
        const file = at(`edited-${what.replaceAll(' ', '-')}.mp4`);
        await writeFile(file, withEdits(await readFile(plain), edits));
        const { frames } = await decodeAll(file);
        assert.deepEqual(frames.map(readNumber), numbers);
        frames.forEach(({ time }, i) => assert.ok(Math.abs(time - i / 25) < 0.002, `frame ${i} at ${time}`));
      });
    }

    it('an edit list over reordered frames (B-frames) starts at its frame, not at the key frame before it', async () => {
      const whole = await makeVideo(at('reordered.mp4'), numberedFrames(40), [
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-bf',
        '3',
        '-g',
        '50',
        '-pix_fmt',
        'yuv420p',
      ]);
      const { frames: all } = await decodeAll(whole);
      assert.deepEqual(all.map(readNumber), range(0, 40));
      assert.equal(all[0]!.time, 0);
      const { frames } = await decodeAll(await remux(whole, at('reordered-late.mp4'), ['-ss', '0.52']));
      assert.deepEqual(frames.map(readNumber), range(13, 40));
      frames.forEach(({ time }, i) => assert.ok(Math.abs(time - i / 25) < 0.021, `frame ${i} at ${time}`));
    });
  });
});
