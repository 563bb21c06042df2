import { RandomStream } from '../numeric/random.js';
import { drawTwoColours, type Colour } from './colour.js';
import { families } from './families.js';
import { valueNoise } from './noise.js';

/** How one object of a family looks: plain numbers, so that a spec can be stored. */
export type Look = {
  /** Class number: index into `families`, for the outline. */
  readonly family: number;
  /** Whose pattern it wears: index into `families`. */
  readonly pattern: number;
  /** Of the fine grain. */
  readonly seed: number;
  readonly colours: readonly [Colour, Colour];
  /** Repeats of the pattern over one object unit (half the object's size). */
  readonly repeats: number;
  /** Direction (radians) and offset of the pattern on the object. */
  readonly patternAngle: number;
  readonly patternShift: readonly [number, number];
  /** Width over height, near 1. */
  readonly aspect: number;
};

/**
 * Draws a look of family `family`. Colours are drawn without regard to the family, so that they cannot give it away. With
 * probability `strangePattern` (default 0) the object wears another family's pattern.
 */
export const drawLook = (random: RandomStream, family: number, strangePattern = 0): Look => {
  if (!Number.isInteger(family) || family < 0 || family >= families.length) {
    throw new RangeError(`Expected \`family\` to be an integer from 0 to ${families.length - 1}, got \`${family}\``);
  }
  const strange = random.chance(strangePattern);
  const other = (family + 1 + random.integer(families.length - 1)) % families.length;
  return {
    family,
    pattern: strange ? other : family,
    seed: random.bits(),
    colours: drawTwoColours(random, 0.42),
    repeats: random.uniform(2.6, 3.8),
    patternAngle: random.uniform(0, 2 * Math.PI),
    patternShift: [random.uniform(0, 10), random.uniform(0, 10)],
    aspect: Math.exp(random.uniform(-0.18, 0.18)),
  };
};

/** A painted object: `size` x `size` pixels of premultiplied `[red, green, blue, coverage]`, colours 0 to 255 and coverage 0 to 1. */
export type Sprite = { readonly size: number; readonly data: Float32Array };

/** Paints a look into a square of `size` pixels; the object units' circle of radius 1 touches the square's sides. */
export const paintSprite = (look: Look, size = 176): Sprite => {
  const outline = families[look.family]!.outline;
  const tone = families[look.pattern]!.tone;
  const grain = valueNoise(RandomStream.of(look.seed, 'grain'), 64);
  const data = new Float32Array(size * size * 4);
  const half = size / 2;
  const stretchX = Math.min(1, look.aspect);
  const stretchY = Math.min(1, 1 / look.aspect);
  const c = Math.cos(look.patternAngle) * look.repeats;
  const s = Math.sin(look.patternAngle) * look.repeats;
  const [first, second] = look.colours;
  for (let j = 0; j < size; j++) {
    for (let i = 0; i < size; i++) {
      const x = (i + 0.5 - half) / half / stretchX;
      const y = (j + 0.5 - half) / half / stretchY;
      const distance = outline(x, y);
      const coverage = Math.min(1, Math.max(0, 0.5 + distance * half));
      if (coverage === 0) continue;
      // Four samples of the pattern a pixel: its edges are steps.
      let blend = 0;
      for (let k = 0; k < 4; k++) {
        const px = x + ((k & 1) - 0.5) / size;
        const py = y + ((k >> 1) - 0.5) / size;
        const u = c * px - s * py + look.patternShift[0];
        const v = s * px + c * py + look.patternShift[1];
        blend += tone(u, v, px, py);
      }
      blend *= 0.25;
      const rim = distance < 0.05 ? 0.45 : 1;
      const shade = rim * (1.04 - 0.22 * (x * x + y * y)) * (0.86 + 0.28 * grain(i * 0.3, j * 0.3));
      const at = (j * size + i) * 4;
      for (let k = 0; k < 3; k++) {
        data[at + k] = coverage * Math.min(255, shade * (first[k]! + (second[k]! - first[k]!) * blend));
      }
      data[at + 3] = coverage;
    }
  }
  return { size, data };
};
