import type { RandomStream } from '../numeric/random.js';

/** Red, green and blue in [0, 255], not rounded. */
export type Colour = readonly [number, number, number];

/** A colour of the given hue (turns), saturation and luma (both 0 to 1; luma by BT.601, kept exact while the colour fits into RGB). */
export const colourOf = (hue: number, saturation: number, luma: number): Colour => {
  const raw = [0, 1 / 3, 2 / 3].map((offset) => 0.5 + 0.5 * Math.cos(2 * Math.PI * (hue - offset)));
  const rawLuma = 0.299 * raw[0]! + 0.587 * raw[1]! + 0.114 * raw[2]!;
  // The offset from grey shrinks until it fits, so that the luma stays what was asked for.
  let strength = saturation;
  for (const channel of raw) {
    const offset = channel - rawLuma;
    if (offset > 0) strength = Math.min(strength, (1 - luma) / offset);
    else if (offset < 0) strength = Math.min(strength, luma / -offset);
  }
  return raw.map((channel) => 255 * (luma + strength * (channel - rawLuma))) as unknown as Colour;
};

/** Two colours whose lumas lie at least `contrast` apart around `middle`, with unrelated hues; which of them is the lighter is random. */
export const drawTwoColours = (random: RandomStream, contrast: number, middle = 0.5): [Colour, Colour] => {
  const half = contrast / 2 + random.uniform(0, 0.08);
  const centre = middle + random.uniform(-0.06, 0.06);
  const dark = colourOf(random.uniform(), random.uniform(0.1, 0.7), Math.max(0.03, centre - half));
  const light = colourOf(random.uniform(), random.uniform(0.1, 0.7), Math.min(0.97, centre + half));
  return random.chance(0.5) ? [dark, light] : [light, dark];
};
