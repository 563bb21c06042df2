import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import {
  augmentationPolicies,
  checkPolicy,
  drawAugmentation,
  identityDraw,
  type AugmentationDraw,
} from '../../src/images/augmentation.js';
import { cacheSizeFor, pixelCacheOf, type PixelCache } from '../../src/images/pixel-cache.js';
import { renderPlain, renderViews } from '../../src/images/render-views.js';

const target = { inputSize: 12, mean: [0.5, 0.4, 0.3] as const, std: [0.2, 0.25, 0.3] as const };

const noisyCache = (count: number, size: number, seed = 3): PixelCache => {
  const random = RandomStream.of(seed, 'pixels');
  return pixelCacheOf(
    Array.from({ length: count }, () => ({
      width: size,
      height: size,
      channels: 3 as const,
      data: Uint8Array.from({ length: size * size * 3 }, () => random.integer(256)),
    })),
  );
};

/** Slow and separate: one pixel at a time, in the words of torchvision (`adjust_*`, `_rgb2hsv`, `_hsv2rgb`). */
const reference = (cache: PixelCache, picture: number, draw: AugmentationDraw, size: number): number[] => {
  const source = (x: number, y: number, c: number): number => {
    const inside = (v: number): number => Math.min(Math.max(v, 0), cache.size - 1);
    return cache.pixels[((picture * cache.size + inside(y)) * cache.size + inside(x)) * 3 + c]! / 255;
  };
  const pixels: number[][] = [];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const column = draw.flip ? size - 1 - j : j;
      const x = draw.x * cache.size + ((column + 0.5) * draw.width * cache.size) / size - 0.5;
      const y = draw.y * cache.size + ((i + 0.5) * draw.height * cache.size) / size - 0.5;
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      pixels.push(
        [0, 1, 2].map(
          (c) =>
            source(x0, y0, c) * (1 - (x - x0)) * (1 - (y - y0)) +
            source(x0 + 1, y0, c) * (x - x0) * (1 - (y - y0)) +
            source(x0, y0 + 1, c) * (1 - (x - x0)) * (y - y0) +
            source(x0 + 1, y0 + 1, c) * (x - x0) * (y - y0),
        ),
      );
    }
  }
  const grey = (p: number[]): number => 0.2989 * p[0]! + 0.587 * p[1]! + 0.114 * p[2]!;
  const blend = (a: number, b: number, f: number): number => Math.min(1, Math.max(0, f * a + (1 - f) * b));
  const turn = (p: number[]): number[] => {
    const [r, g, b] = p as [number, number, number];
    const v = Math.max(r, g, b);
    const chroma = v - Math.min(r, g, b);
    if (chroma === 0) return p;
    const s = chroma / v;
    const [rc, gc, bc] = [(v - r) / chroma, (v - g) / chroma, (v - b) / chroma];
    const raw = v === r ? bc - gc : v === g ? 2 + rc - bc : 4 + gc - rc;
    const h = (((raw / 6 + draw.hue) % 1) + 2) % 1;
    const i = Math.floor(h * 6);
    const f = h * 6 - i;
    const [q0, q1, q2] = [v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))];
    return [
      [v, q2, q0],
      [q1, v, q0],
      [q0, v, q2],
      [q0, q1, v],
      [q2, q0, v],
      [v, q0, q1],
    ][i % 6]!;
  };
  let current = pixels;
  for (const step of draw.colourOrder) {
    const mean = current.reduce((sum, p) => sum + grey(p), 0) / current.length;
    current = current.map((p) => {
      if (step === 'hue') return turn(p);
      const other = step === 'brightness' ? 0 : step === 'contrast' ? mean : grey(p);
      return p.map((v) => blend(v, other, draw[step]));
    });
  }
  if (draw.grey) current = current.map((p) => [grey(p), grey(p), grey(p)]);
  const sigma = (draw.blurSigma * size) / 224;
  if (sigma > 0) {
    const mirrored = (at: number): number => (at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at);
    const around = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5];
    const weights = around.map((k) => Math.exp((-k * k) / (2 * sigma * sigma)));
    const total = weights.reduce((sum, weight) => sum + weight);
    const sharp = current;
    current = sharp.map((_, at) =>
      [0, 1, 2].map((c) => {
        let sum = 0;
        around.forEach((dy, i) =>
          around.forEach((dx, j) => {
            const y = mirrored(Math.floor(at / size) + dy);
            sum += (weights[i]! * weights[j]! * sharp[y * size + mirrored((at % size) + dx)]![c]!) / total ** 2;
          }),
        );
        return sum;
      }),
    );
  }
  const { solarize } = draw;
  if (solarize !== null) current = current.map((p) => p.map((v) => (v >= solarize ? 1 - v : v)));
  return current.flatMap((p) => p.map((v, c) => (v - target.mean[c]!) / target.std[c]!));
};

describe('views', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('agree with a slow per-pixel reference for random draws of every kind', () => {
    const cache = noisyCache(3, 17);
    const random = RandomStream.of(1, 'draws');
    const policy = { ...augmentationPolicies.full, cropRatio: [0.6, 1.7] as const, hue: 0.5, grey: 0.3 };
    const draws = Array.from({ length: 40 }, () => drawAugmentation(policy, random));
    const pictures = draws.map((_, i) => i % 3);
    const rendered = renderViews(cache, pictures, draws, target);
    assert.deepEqual(rendered.shape, [40, 12, 12, 3]);
    const values = rendered.dataSync();
    draws.forEach((draw, i) => {
      const expected = reference(cache, i % 3, draw, 12);
      expected.forEach((value, j) => {
        assert.ok(
          Math.abs(values[i * 432 + j]! - value) < 1e-4,
          `draw ${i}, value ${j}: ${values[i * 432 + j]} for ${value}`,
        );
      });
    });
    rendered.dispose();
  });

  it('turn pure red into green by a third of a turn, and leave grey pixels grey', () => {
    const cache = pixelCacheOf([
      { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) },
      { width: 1, height: 1, channels: 3, data: Uint8Array.of(90, 90, 90) },
    ]);
    const one = { inputSize: 1, mean: [0, 0, 0] as const, std: [1, 1, 1] as const };
    const values = renderViews(
      cache,
      [0, 1],
      [0, 1].map(() => ({ ...identityDraw, hue: 1 / 3 })),
      one,
    ).dataSync();
    [0, 1, 0, 90 / 255, 90 / 255, 90 / 255].forEach((value, i) => assert.ok(Math.abs(values[i]! - value) < 1e-6));
  });

  it('give back a picture of the right size exactly when nothing is changed, and its mirror image when flipped', () => {
    const cache = noisyCache(1, 12);
    const plain = renderPlain(cache, [0], target).dataSync();
    const mirrored = renderViews(cache, [0], [{ ...identityDraw, flip: true }], target).dataSync();
    for (let y = 0; y < 12; y++) {
      for (let x = 0; x < 12; x++) {
        for (let c = 0; c < 3; c++) {
          const value = (cache.pixels[(y * 12 + x) * 3 + c]! / 255 - target.mean[c]!) / target.std[c]!;
          assert.ok(Math.abs(plain[(y * 12 + x) * 3 + c]! - value) < 1e-5);
          assert.ok(Math.abs(mirrored[(y * 12 + 11 - x) * 3 + c]! - value) < 1e-5);
        }
      }
    }
  });

  it('refuse picture numbers beyond the cache and draws that do not match', () => {
    const cache = noisyCache(1, 12);
    assert.throws(() => renderViews(cache, [1], [identityDraw], target), /from 0 to 0, got `1`/);
    assert.throws(() => renderViews(cache, [0], [], target), /one draw a picture/);
    assert.throws(() => renderViews(cache, [0], [identityDraw], target, 0.5), /`size`.*got `0.5`/);
  });

  it('agree with it in every order of colours, blurred and solarized, at several sizes', () => {
    const cache = noisyCache(2, 17, 4);
    const random = RandomStream.of(2, 'draws');
    const { simclr } = augmentationPolicies;
    for (const size of [12, 15, 24]) {
      const policy = { ...simclr, jitter: 1, blurSigma: [0.5, 18] as const, solarize: 0.5, solarizeThreshold: 0.5 };
      const draws = Array.from({ length: 24 }, () => drawAugmentation(policy, random));
      const rendered = renderViews(
        cache,
        draws.map((_, i) => i % 2),
        draws,
        target,
        size,
      );
      assert.deepEqual(rendered.shape, [24, size, size, 3]);
      const values = rendered.dataSync();
      draws.forEach((draw, i) => {
        // Kernels end where an eighth of a level is left: 1 / 2048 of the range a pass, divided by the smallest deviation here.
        const tolerance = draw.blurSigma > 0 ? (2 * 2) / 2048 / 0.2 : 1e-4;
        reference(cache, i % 2, draw, size).forEach((value, j) => {
          const found = values[i * size * size * 3 + j]!;
          assert.ok(Math.abs(found - value) < tolerance, `size ${size}, draw ${i}, value ${j}: ${found} for ${value}`);
        });
      });
      rendered.dispose();
    }
  });
});

describe('drawAugmentation', () => {
  const draws = (name: 'full' | 'paper' | 'none'): AugmentationDraw[] => {
    const random = RandomStream.of(5, name);
    return Array.from({ length: 4000 }, () => drawAugmentation(augmentationPolicies[name], random));
  };

  it('keeps crops inside the picture, square, and between 25 and 100 % of the area', () => {
    for (const { x, y, width, height } of draws('full')) {
      assert.ok(x >= 0 && y >= 0 && x + width <= 1 + 1e-12 && y + height <= 1 + 1e-12);
      assert.ok(Math.abs(width - height) < 1e-12 && width * height >= 0.25 - 1e-12);
    }
  });

  it('draws flips, jitter and grey at their rates, and colours within their range', () => {
    const all = draws('full');
    const rate = (of: (draw: AugmentationDraw) => boolean): number => all.filter(of).length / all.length;
    assert.ok(Math.abs(rate(({ flip }) => flip) - 0.5) < 0.03);
    assert.ok(Math.abs(rate(({ brightness }) => brightness !== 1) - 0.8) < 0.03);
    assert.ok(Math.abs(rate(({ grey }) => grey) - 0.2) < 0.03);
    assert.ok(all.every(({ contrast, hue }) => contrast >= 0.6 && contrast <= 1.4 && Math.abs(hue) <= 0.1));
    assert.ok(Math.abs(all.reduce((sum, { width }) => sum + width * width, 0) / all.length - 0.625) < 0.01);
  });

  it('leaves colours alone in `paper`, and everything in `none`', () => {
    const colours = ({ brightness, contrast, saturation, hue, grey }: AugmentationDraw) => [
      brightness,
      contrast,
      saturation,
      hue,
      grey,
    ];
    for (const draw of draws('paper')) assert.deepEqual(colours(draw), [1, 1, 1, 0, false]);
    for (const draw of draws('none')) assert.deepEqual(draw, identityDraw);
  });

  it('falls back to the largest centred box where no crop of the ratio fits', () => {
    const policy = { ...augmentationPolicies.none, cropArea: [1, 1] as const, cropRatio: [2, 2] as const };
    const draw = drawAugmentation(policy, RandomStream.of(1));
    assert.deepEqual([draw.x, draw.y, draw.width, draw.height], [0, 0.25, 1, 0.5]);
  });

  it('is checked by name', () => {
    assert.throws(() => checkPolicy({ ...augmentationPolicies.full, hue: 0.6 }), /Expected `hue`.*got `0.6`/);
    assert.throws(() => checkPolicy({ ...augmentationPolicies.full, cropArea: [0, 1] }), /Expected `cropArea`/);
    checkPolicy(augmentationPolicies.full);
  });

  it('keeps pictures at 128 px for inputs of 96', () => assert.equal(cacheSizeFor(96), 128));
});
