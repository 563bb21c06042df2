import type { Raster } from '../../../numeric/raster.js';

/** The colour spaces of the paper's strategies: three channels each, but for `hue` and `intensity`, which have one. */
export type ColourSpace = 'hsv' | 'lab' | 'rgi' | 'hue' | 'intensity';

/** An image as separate 8-bit channels: each plane has `width * height` values from 0 to 255. */
export type ColourPlanes = {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly Uint8Array[];
};

const linearOfSrgb = Float64Array.from({ length: 256 }, (_, value) =>
  value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
);

/** CIE's `f(t)`, tabulated over [0, 1] so finely that L*a*b* in 8 bits is off by one step at most. */
const labSteps = 16384;
const labCurve = Float32Array.from({ length: labSteps + 1 }, (_, i) =>
  i / labSteps > 216 / 24389 ? Math.cbrt(i / labSteps) : (24389 / 27 / 116) * (i / labSteps) + 16 / 116,
);

/** Hue in [0, 256), one turn: 0 is red, a third of a turn green. A grey has hue 0. */
const hueOf = (r: number, g: number, b: number, max: number, spread: number): number => {
  if (spread === 0) return 0;
  const sixth = max === r ? (g - b) / spread : max === g ? 2 + (b - r) / spread : 4 + (r - g) / spread;
  return (sixth < 0 ? sixth + 6 : sixth) * (256 / 6);
};

const intensityOf = (r: number, g: number, b: number): number => 0.299 * r + 0.587 * g + 0.114 * b;

type Convert = (pixels: Uint8Array, step: number, planes: readonly Uint8Array[]) => void;

const toHsv: Convert = (pixels, step, [hue, saturation, value]) => {
  for (let i = 0, at = 0; i < hue.length; i++, at += step) {
    const r = pixels[at];
    const g = step === 1 ? r : pixels[at + 1];
    const b = step === 1 ? r : pixels[at + 2];
    const max = Math.max(r, g, b);
    const spread = max - Math.min(r, g, b);
    hue[i] = hueOf(r, g, b, max, spread);
    saturation[i] = max === 0 ? 0 : (255 * spread) / max + 0.5;
    value[i] = max;
  }
};

const toLab: Convert = (pixels, step, [lightness, a, b]) => {
  for (let i = 0, at = 0; i < lightness.length; i++, at += step) {
    const red = linearOfSrgb[pixels[at]];
    const green = step === 1 ? red : linearOfSrgb[pixels[at + 1]];
    const blue = step === 1 ? red : linearOfSrgb[pixels[at + 2]];
    // sRGB to XYZ, each divided by the white point D65.
    const x = labCurve[((0.433953 * red + 0.376219 * green + 0.189828 * blue) * labSteps + 0.5) | 0];
    const y = labCurve[((0.212671 * red + 0.71516 * green + 0.072169 * blue) * labSteps + 0.5) | 0];
    const z = labCurve[((0.017758 * red + 0.109477 * green + 0.872766 * blue) * labSteps + 0.5) | 0];
    lightness[i] = (116 * y - 16) * 2.55 + 0.5;
    a[i] = 500 * (x - y) + 128.5;
    b[i] = 200 * (y - z) + 128.5;
  }
};

const toRgi: Convert = (pixels, step, [red, green, intensity]) => {
  for (let i = 0, at = 0; i < red.length; i++, at += step) {
    const r = pixels[at];
    const g = step === 1 ? r : pixels[at + 1];
    const b = step === 1 ? r : pixels[at + 2];
    const sum = r + g + b;
    red[i] = sum === 0 ? 85 : (255 * r) / sum + 0.5;
    green[i] = sum === 0 ? 85 : (255 * g) / sum + 0.5;
    intensity[i] = intensityOf(r, g, b) + 0.5;
  }
};

const toHue: Convert = (pixels, step, [hue]) => {
  for (let i = 0, at = 0; i < hue.length; i++, at += step) {
    const r = pixels[at];
    const g = step === 1 ? r : pixels[at + 1];
    const b = step === 1 ? r : pixels[at + 2];
    const max = Math.max(r, g, b);
    hue[i] = hueOf(r, g, b, max, max - Math.min(r, g, b));
  }
};

const toIntensity: Convert = (pixels, step, [intensity]) => {
  for (let i = 0, at = 0; i < intensity.length; i++, at += step) {
    intensity[i] = step === 1 ? pixels[at] : intensityOf(pixels[at], pixels[at + 1], pixels[at + 2]) + 0.5;
  }
};

const conversions: Readonly<Record<ColourSpace, { readonly channels: number; readonly convert: Convert }>> = {
  hsv: { channels: 3, convert: toHsv },
  lab: { channels: 3, convert: toLab },
  rgi: { channels: 3, convert: toRgi },
  hue: { channels: 1, convert: toHue },
  intensity: { channels: 1, convert: toIntensity },
};

/**
 * An RGB or grey raster in a colour space of Uijlings et al. 2013, 3.2, every channel scaled to 0 … 255:
 * `hsv` (one turn of hue is 256), `lab` (CIE L*a*b* of sRGB under D65: `2.55 L`, `a + 128`, `b + 128`), `rgi` (`255 R / (R + G + B)`,
 * `255 G / (R + G + B)` and intensity; black counts as grey), `hue`, and `intensity` (Rec. 601 luma).
 */
export const toColourSpace = (image: Raster, space: ColourSpace): ColourPlanes => {
  const { width, height, channels: step, data } = image;
  const { channels, convert } = conversions[space];
  const planes = Array.from({ length: channels }, () => new Uint8Array(width * height));
  convert(data, step, planes);
  return { width, height, planes };
};
