import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import type { VideoFrame } from '../../src/video/frame.js';
import { frameSignature, signatureDifference } from '../../src/video/frame-signature.js';
import { labelShots, shotLookAhead } from '../../src/video/shot-detector.js';

const width = 96;
const height = 72;

/** A smooth random scene wider than the frame, so that it can be panned over. */
const scene = (seed: number): ((x: number, y: number) => number) => {
  const random = RandomStream.of(seed, 'scene');
  const waves = Array.from(
    { length: 8 },
    () => [random.uniform(0.02, 0.25), random.uniform(0.02, 0.25), random.uniform(0, 6.3)] as const,
  );
  const level = random.uniform(80, 150);
  return (x, y) => level + waves.reduce((sum, [a, b, phase]) => sum + 14 * Math.sin(a * x + b * y + phase), 0);
};

const draw = (index: number, luma: (x: number, y: number) => number, chroma = 128): VideoFrame => ({
  ...{ index, time: index / 25, width, height },
  y: Uint8Array.from({ length: width * height }, (_, i) =>
    Math.min(235, Math.max(16, luma(i % width, Math.floor(i / width)))),
  ),
  u: new Uint8Array((width * height) / 4).fill(chroma),
  v: new Uint8Array((width * height) / 4).fill(256 - chroma),
});

const starts = async (
  lumaOf: (frame: number) => (x: number, y: number) => number,
  count: number,
  chromaOf?: (frame: number) => number,
) => {
  const frames = Array.from({ length: count }, (_, i) => draw(i, lumaOf(i), chromaOf?.(i)));
  const found: [number, string][] = [];
  let next = 0;
  let shot = -1;
  for await (const label of labelShots(frames)) {
    assert.equal(label.frame.index, next++, 'every frame once, in order');
    if (label.start !== null) {
      shot++;
      found.push([label.frame.index, label.start]);
    }
    assert.equal(label.shot, shot);
  }
  assert.equal(next, count);
  assert.deepEqual(found.shift(), [0, 'start']);
  return found;
};

describe('the shot detector', () => {
  it('finds cuts between moving shots at their frame', async () => {
    for (let seed = 0; seed < 4; seed++) {
      const [a, b, c] = [scene(3 * seed), scene(3 * seed + 1), scene(3 * seed + 2)];
      const found = await starts(
        (i) => (i < 40 ? (x, y) => a(x + i, y) : i < 70 ? (x, y) => b(x, y + i) : c),
        100,
        (i) => (i < 40 ? 120 : i < 70 ? 138 : 128),
      );
      assert.deepEqual(
        found,
        [
          [40, 'cut'],
          [70, 'cut'],
        ],
        `scenes of seed ${seed}`,
      );
    }
  });

  it('finds cuts near both ends, and two close together', async () => {
    const [a, b, c] = [scene(1), scene(2), scene(5)];
    assert.deepEqual(await starts((i) => (i < 3 ? a : b), 40), [[3, 'cut']]);
    assert.deepEqual(await starts((i) => (i < 38 ? a : b), 40), [[38, 'cut']]);
    assert.deepEqual(await starts((i) => (i < 30 ? a : i < 38 ? b : c), 60), [
      [30, 'cut'],
      [38, 'cut'],
    ]);
  });

  it('sees no cut in a still picture, in noise, in a fast pan or a shaking camera', async () => {
    const a = scene(7);
    assert.deepEqual(await starts(() => a, 60), []);
    const random = RandomStream.of(1, 'noise');
    assert.deepEqual(await starts(() => (x, y) => a(x, y) + random.normal(0, 8), 60), []);
    assert.deepEqual(await starts((i) => (x, y) => a(x + 12 * i, y), 60), []);
    const shake = Array.from({ length: 60 }, () => random.uniform(-8, 8));
    assert.deepEqual(await starts((i) => (x, y) => a(x + shake[i]!, y - shake[i]!), 60), []);
  });

  it('takes a flash and a burst of dropped pictures for interruptions', async () => {
    const a = scene(11);
    for (const length of [1, 2, 4]) {
      const during = (i: number): boolean => i >= 30 && i < 30 + length;
      assert.deepEqual(
        await starts((i) => (x, y) => (during(i) ? 0.2 * a(x, y) + 190 : a(x, y)), 70),
        [],
        `flash of ${length}`,
      );
      assert.deepEqual(await starts((i) => (x, y) => (during(i) ? 16 : a(x, y)), 70), [], `black for ${length}`);
    }
  });

  it('makes a dissolve a shot of its own, so that nothing crosses it', async () => {
    const [a, b] = [scene(21), scene(22)];
    for (const length of [6, 12, 20, 40]) {
      const share = (i: number): number => Math.min(1, Math.max(0, (i - 40) / length));
      const found = await starts((i) => (x, y) => (1 - share(i)) * a(x, y) + share(i) * b(x, y), 110);
      assert.ok(
        found.length >= 2 && found.every(([, kind]) => kind === 'dissolve'),
        `${length}: ${JSON.stringify(found)}`,
      );
      assert.ok(found[0]![0] > 30 && found[0]![0] <= 40 + length / 2, `${length} begins at ${found[0]![0]}`);
      assert.ok(
        found.at(-1)![0] >= 40 + length / 2 && found.at(-1)![0] <= 50 + length,
        `${length} ends at ${found.at(-1)![0]}`,
      );
    }
  });

  it('finds a fade to black and the one out of it', async () => {
    const [a, b] = [scene(31), scene(32)];
    const light = (i: number): number =>
      i < 30 ? 1 : i < 42 ? 1 - (i - 30) / 12 : i < 50 ? 0 : Math.min(1, (i - 50) / 12);
    const found = await starts((i) => (x, y) => 16 + light(i) * ((i < 46 ? a : b)(x, y) - 16), 100);
    assert.ok(found.length >= 3 && found.every(([, kind]) => kind === 'fade'), JSON.stringify(found));
    assert.ok(found[0]![0] >= 24 && found[0]![0] <= 36);
    assert.ok(found.at(-1)![0] >= 56 && found.at(-1)![0] <= 72);
  });

  it('holds no more frames than its look-ahead', async () => {
    let given = 0;
    const a = scene(1);
    const source = function* (): Generator<VideoFrame> {
      for (; given < 80;) yield draw(given++, a);
    };
    for await (const { frame } of labelShots(source())) assert.ok(given - frame.index <= shotLookAhead + 1);
    assert.equal(given, 80);
  });

  it('copes with no frame and with one', async () => {
    assert.deepEqual(await starts(() => scene(1), 1), []);
    for await (const _ of labelShots([])) assert.fail('no frames, no labels');
  });
});

describe('the signature of a frame', () => {
  it('is the mean of its cells', () => {
    const { y, u, mean, contrast } = frameSignature(draw(0, (x) => (x < width / 2 ? 40 : 100), 130));
    assert.equal(y[0], 40);
    assert.equal(y[23], 100);
    assert.equal(u[300], 130);
    assert.equal(mean, 70);
    assert.ok(Math.abs(contrast - 30) < 1e-4);
  });

  it('differs by nothing after a shift of whole cells, and by the step of its light without one', () => {
    const a = scene(3);
    const still = frameSignature(draw(0, a));
    const moved = signatureDifference(still, frameSignature(draw(1, (x, y) => a(x + 12, y - 3))));
    assert.ok(moved.level < 0.01 && moved.correlation > 0.999, JSON.stringify(moved));
    const flat = signatureDifference(frameSignature(draw(0, () => 60)), frameSignature(draw(1, () => 80)));
    assert.deepEqual(flat, { level: 10, correlation: 0 });
  });

  it('is that of plain loops at every size: every second pixel of large planes, no cell empty in small ones', () => {
    for (const [w, h] of [
      [2, 2],
      [30, 40],
      [190, 96],
      [194, 388],
      [600, 448],
      [1280, 10],
    ] as const) {
      const plane = (width: number, height: number, seed: number): Uint8Array =>
        Uint8Array.from({ length: width * height }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255);
      const planes = [plane(w, h, 1), plane(w / 2, h / 2, 2), plane(w / 2, h / 2, 3)] as const;
      const { y, u, v } = frameSignature({
        ...{ index: 0, time: 0, width: w, height: h, y: planes[0], u: planes[1], v: planes[2] },
      });
      for (const [got, data, width, height] of [
        ...([
          [y, planes[0], w, h],
          [u, planes[1], w / 2, h / 2],
          [v, planes[2], w / 2, h / 2],
        ] as const),
      ]) {
        got.forEach((mean, cell) => {
          const ends = (at: number, size: number): number[] => {
            const from = Math.floor((at * size) / 24);
            const to = Math.max(from + 1, Math.floor(((at + 1) * size) / 24));
            const taken = [];
            for (let i = from; i < to; i += size >= 96 ? 2 : 1) taken.push(i);
            return taken;
          };
          const values = ends(Math.floor(cell / 24), height).flatMap((row) =>
            ends(cell % 24, width).map((column) => data[row * width + column]!),
          );
          const sum = values.reduce((total, value) => total + value, 0);
          assert.equal(mean, Math.fround(sum / values.length), `${width} x ${height}, cell ${cell}`);
        });
      }
    }
  });

  it('is compared at the best of all shifts, as a search to the end finds it', () => {
    const noise =
      (seed: number): ((x: number, y: number) => number) =>
      (x, y) =>
        (Math.imul(Math.floor(x / 8) + 37 * Math.floor(y / 8) + 1009 * seed, 2654435761) >>> 13) & 255;
    for (let k = 0; k < 20; k++) {
      const a = frameSignature(draw(0, noise(k)));
      const b = frameSignature(draw(1, k % 2 === 0 ? noise(k + 1) : (x, y) => noise(k)(x + 5 * k, y - 3 * k)));
      let best = { value: Infinity, level: 0 };
      for (let dy = -4; dy <= 4; dy++) {
        for (let dx = -4; dx <= 4; dx++) {
          let [luma, chroma, count] = [0, 0, 0];
          for (let row = 0; row < 24; row++) {
            for (let column = 0; column < 24; column++) {
              if (row + dy < 0 || row + dy > 23 || column + dx < 0 || column + dx > 23) continue;
              const [i, j] = [row * 24 + column, (row + dy) * 24 + column + dx];
              luma += Math.abs(a.y[i]! - b.y[j]!);
              chroma += Math.abs(a.u[i]! - b.u[j]!) + Math.abs(a.v[i]! - b.v[j]!);
              count++;
            }
          }
          const value = luma / count + 0.02 * (Math.abs(dx) + Math.abs(dy));
          if (value < best.value) best = { value, level: (0.5 * luma + 0.25 * chroma) / count };
        }
      }
      assert.ok(Math.abs(signatureDifference(a, b).level - best.level) < 1e-9, `pair ${k}`);
    }
  });
});
