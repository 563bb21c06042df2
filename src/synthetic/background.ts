import { RandomStream } from '../numeric/random.js';
import { drawTwoColours, type Colour } from './colour.js';
import { cellNoise, valueNoise, type Noise } from './noise.js';

/** The kinds of background; every one repeats over its texture without a seam. */
export const backgroundKinds = ['clouds', 'gravel', 'plaid', 'planks', 'leaves', 'tiles'] as const;

/** What a background looks like: plain data, so that a spec can be stored. */
export type BackgroundLook = {
  readonly kind: (typeof backgroundKinds)[number];
  readonly seed: number;
  readonly colours: readonly [Colour, Colour];
};

/** Draws a background; `contrast` is the distance of its two colours in luma (default 0.3). */
export const drawBackground = (random: RandomStream, contrast = 0.3): BackgroundLook => ({
  kind: backgroundKinds[random.integer(backgroundKinds.length)]!,
  seed: random.bits(),
  colours: drawTwoColours(random, contrast, random.uniform(0.35, 0.65)),
});

/** A painted plane: `size` x `size` x 3, 0 to 255, `size` a power of two; it repeats in both directions. */
export type Plane = { readonly size: number; readonly data: Float32Array };

/** Octaves of value noise that repeat over `size`, in about [0, 1]. `cell` is the coarsest cell in pixels. */
const octaves = (random: RandomStream, size: number, cell: number, count: number, roughness: number): Noise => {
  const layers = Array.from({ length: count }, (_, k) => ({
    noise: valueNoise(random, Math.max(1, (size / cell) << k)),
    scale: 2 ** k / cell,
    weight: roughness ** k,
  }));
  const total = layers.reduce((sum, layer) => sum + layer.weight, 0);
  return (x, y) => {
    let sum = 0;
    for (const layer of layers) sum += layer.weight * layer.noise(x * layer.scale, y * layer.scale);
    return sum / total;
  };
};

const step = (low: number, high: number, x: number): number => Math.min(1, Math.max(0, (x - low) / (high - low)));

/** The tone of a background at a point, in about [0, 1]: where between its two colours it lies. It repeats every `size` pixels. */
export const backgroundTone = (look: BackgroundLook, size = 512): Noise => {
  const random = RandomStream.of(look.seed, 'background');
  switch (look.kind) {
    case 'clouds': {
      const coarse = octaves(random, size, 32, 4, 0.85);
      return (x, y) => step(0.38, 0.62, coarse(x, y));
    }
    case 'gravel': {
      const rough = octaves(random, size, 32, 4, 0.75);
      const cells = cellNoise(random, size / 16);
      return (x, y) => {
        const [id, gap] = cells(x / 16, y / 16);
        return step(0, 0.18, gap) * (0.3 + 0.7 * id) * (0.75 + 0.5 * rough(x, y));
      };
    }
    case 'plaid': {
      const rough = octaves(random, size, 32, 4, 0.75);
      const lines = Array.from({ length: 2 }, () => Float32Array.from({ length: 32 }, () => random.uniform()));
      return (x, y) => {
        const a = lines[0]![(x >> 4) & 31]!;
        const b = lines[1]![(y >> 4) & 31]!;
        const thread = ((x & 15) < 3 ? 0.3 : 0) + ((y & 15) < 3 ? -0.3 : 0);
        return 0.1 + 0.4 * (a + b) + thread + 0.4 * (rough(x, y) - 0.3);
      };
    }
    case 'planks': {
      const rough = octaves(random, size, 32, 4, 0.75);
      const grain = valueNoise(random, 128);
      const tones = Float32Array.from({ length: 1024 }, () => random.uniform());
      return (x, y) => {
        const row = (y >> 5) & 15;
        const along = (x + 37 * row * row) & (size - 1);
        const inside = (y & 31) < 2 || (along & 127) < 3 ? 0 : 1;
        return inside * (0.25 + 0.4 * tones[row * 16 + (along >> 7)]! + 0.4 * grain(x / 16, y / 4) * rough(x, y) * 1.6);
      };
    }
    case 'leaves': {
      const bend = octaves(random, size, 64, 3, 0.6);
      const spots = octaves(random, size, 16, 3, 0.6);
      return (x, y) => step(0.47, 0.53, spots(x, y)) * 0.7 + 0.3 * bend(x, y);
    }
    case 'tiles': {
      const rough = octaves(random, size, 32, 4, 0.75);
      const tones = Float32Array.from({ length: 4096 }, () => random.uniform());
      return (x, y) => {
        const joint = (x & 31) < 2 || (y & 31) < 2;
        return (joint ? 0 : 0.2 + 0.6 * tones[(((y >> 5) & 63) << 6) | ((x >> 5) & 63)]!) + 0.45 * (rough(x, y) - 0.3);
      };
    }
  }
};

/** Paints a background. `size` (default 512) is a power of two, at least 512 so that the coarse kinds repeat without a seam. */
export const paintBackground = (look: BackgroundLook, size = 512): Plane => {
  if (size < 512 || (size & (size - 1)) !== 0) {
    throw new RangeError(`Expected \`size\` to be a power of two from 512, got \`${size}\``);
  }
  const tone = backgroundTone(look, size);
  const [first, second] = look.colours;
  const data = new Float32Array(size * size * 3);
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 3) {
      const blend = Math.min(1, Math.max(0, tone(x, y)));
      for (let k = 0; k < 3; k++) data[at + k] = first[k]! + (second[k]! - first[k]!) * blend;
    }
  }
  return { size, data };
};
