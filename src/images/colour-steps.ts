/** Share of red, green and blue in grey (ITU-R 601-2, as torchvision's `rgb_to_grayscale`). */
export const greyWeights = [0.2989, 0.587, 0.114] as const;

const [redShare, greenShare, blueShare] = greyWeights;

const clip = (value: number): number => (value < 0 ? 0 : value > 1 ? 1 : value);

/** Mean over the pixels of their grey. `picture` holds `r, g, b` after `r, g, b`, all in [0, 1], here and below. */
export const meanGrey = (picture: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < picture.length; i += 3) {
    sum += redShare * picture[i]! + greenShare * picture[i + 1]! + blueShare * picture[i + 2]!;
  }
  return (sum * 3) / picture.length;
};

/** `clip(f x)`, in place, as torchvision's `adjust_brightness`. */
export const adjustBrightness = (picture: Float64Array, factor: number): void => {
  for (let i = 0; i < picture.length; i += 3) {
    picture[i] = clip(factor * picture[i]!);
    picture[i + 1] = clip(factor * picture[i + 1]!);
    picture[i + 2] = clip(factor * picture[i + 2]!);
  }
};

/** `clip(f x + (1 - f) m)` for the mean grey `m` of the picture, in place, as torchvision's `adjust_contrast`. */
export const adjustContrast = (picture: Float64Array, factor: number, mean: number): void => {
  const base = (1 - factor) * mean;
  for (let i = 0; i < picture.length; i += 3) {
    picture[i] = clip(factor * picture[i]! + base);
    picture[i + 1] = clip(factor * picture[i + 1]! + base);
    picture[i + 2] = clip(factor * picture[i + 2]! + base);
  }
};

/** `clip(f x + (1 - f) g)` for the grey `g` of each pixel, in place, as torchvision's `adjust_saturation`. */
export const adjustSaturation = (picture: Float64Array, factor: number): void => {
  for (let i = 0; i < picture.length; i += 3) {
    const red = picture[i]!;
    const green = picture[i + 1]!;
    const blue = picture[i + 2]!;
    const pull = (1 - factor) * (redShare * red + greenShare * green + blueShare * blue);
    picture[i] = clip(factor * red + pull);
    picture[i + 1] = clip(factor * green + pull);
    picture[i + 2] = clip(factor * blue + pull);
  }
};

/**
 * Turns the hue by a share of the colour circle, in place, as torchvision's `adjust_hue` does through HSV; here in the sixths of the
 * circle in which each channel is piecewise linear, and without the 256 steps that pictures of bytes have there.
 */
export const adjustHue = (picture: Float64Array, turns: number): void => {
  const turn = turns * 6;
  for (let i = 0; i < picture.length; i += 3) {
    const red = picture[i]!;
    const green = picture[i + 1]!;
    const blue = picture[i + 2]!;
    const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
    const least = red < green ? (red < blue ? red : blue) : green < blue ? green : blue;
    const chroma = most - least;
    if (chroma <= 0) continue;
    let h =
      most === red ? (green - blue) / chroma : most === green ? (blue - red) / chroma + 2 : (red - green) / chroma + 4;
    h += turn;
    if (h < 0) h += 6;
    else if (h >= 6) h -= 6;
    picture[i] = least + chroma * clip(Math.abs(h - 3) - 1);
    picture[i + 1] = least + chroma * clip(2 - Math.abs(h - 2));
    picture[i + 2] = least + chroma * clip(2 - Math.abs(h - 4));
  }
};

/** The grey of each pixel in all its channels, in place, as torchvision's `rgb_to_grayscale`. */
export const turnGrey = (picture: Float64Array): void => {
  for (let i = 0; i < picture.length; i += 3) {
    const grey = redShare * picture[i]! + greenShare * picture[i + 1]! + blueShare * picture[i + 2]!;
    picture[i] = picture[i + 1] = picture[i + 2] = grey;
  }
};

/** `x >= threshold ? 1 - x : x`, in place, as torchvision's `solarize`. */
export const solarize = (picture: Float64Array, threshold: number): void => {
  for (let i = 0; i < picture.length; i++) {
    const value = picture[i]!;
    if (value >= threshold) picture[i] = 1 - value;
  }
};
