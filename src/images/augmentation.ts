import type { RandomStream } from '../numeric/random.js';

/**
 * How views are varied. Crops as torchvision's RandomResizedCrop, colours as its ColorJitter with the factors drawn
 * independently; the order of the four colour steps is fixed (brightness, contrast, saturation, hue, then grey), because a
 * fixed order can be rendered for a whole batch at once.
 */
export type AugmentationPolicy = {
  /** Share of the picture's area that a crop keeps, drawn uniformly from [low, high], both in (0, 1]. */
  readonly cropArea: readonly [low: number, high: number];
  /** Width / height of a crop, drawn log-uniformly from [low, high]. */
  readonly cropRatio: readonly [low: number, high: number];
  /** Probability of a mirror image. */
  readonly flip: number;
  /** Probability that the colours are changed at all. */
  readonly jitter: number;
  /** The brightness factor is uniform in [1 - x, 1 + x] (never below 0); the two below alike. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** The hue shift is uniform in [-x, x] turns of the colour circle, x at most 0.5. */
  readonly hue: number;
  /** Probability of a grey picture. */
  readonly grey: number;
};

/** One drawn augmentation, plain data: what `renderViews` needs and a log can hold. Box in shares of the picture, from its top left. */
export type AugmentationDraw = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly flip: boolean;
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Turns of the colour circle. */
  readonly hue: number;
  readonly grey: boolean;
};

/** A view of a sample: which end of it, and how varied. The `V` of the project's sources. */
export type ViewSpec = { readonly end: 'a' | 'b'; readonly augmentation: AugmentationDraw };

/** The whole picture as it is: the view at test time. */
export const identityDraw: AugmentationDraw = {
  x: 0,
  y: 0,
  width: 1,
  height: 1,
  flip: false,
  brightness: 1,
  contrast: 1,
  saturation: 1,
  hue: 0,
  grey: false,
};

/** Names of the ready-made policies. */
export type AugmentationName = 'full' | 'paper' | 'none';

/**
 * Ready-made policies. `full` (the default): square crop of 25-100 % of the area, flip, jitter 0.4, grey 0.2; without the
 * colours a network learns to tell videos apart by theirs. `paper`: crop-resize and mirror alone, drawn for each image and not
 * for each pair (Wang & Gupta 2015). `none`: the picture as it is.
 */
export const augmentationPolicies: Readonly<Record<AugmentationName, AugmentationPolicy>> = {
  full: {
    cropArea: [0.25, 1],
    cropRatio: [1, 1],
    flip: 0.5,
    jitter: 0.8,
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    hue: 0.1, // a quarter of the others, as in the papers that jitter by 0.4
    grey: 0.2,
  },
  paper: {
    cropArea: [0.25, 1], // as `full`, so that the two differ in colours alone; the released recipe does not jitter the crop
    cropRatio: [1, 1],
    flip: 0.5,
    jitter: 0,
    brightness: 0,
    contrast: 0,
    saturation: 0,
    hue: 0,
    grey: 0,
  },
  none: {
    cropArea: [1, 1],
    cropRatio: [1, 1],
    flip: 0,
    jitter: 0,
    brightness: 0,
    contrast: 0,
    saturation: 0,
    hue: 0,
    grey: 0,
  },
};

const range = (name: string, [low, high]: readonly [number, number], least: number, most: number): void => {
  if (!(low > least) || !(high <= most) || !(low <= high)) {
    throw new RangeError(
      `Expected \`${name}\` to be two ascending numbers above ${least} and at most ${most}, got \`[${low}, ${high}]\``,
    );
  }
};

const within = (name: string, value: number, most: number): void => {
  if (!(value >= 0 && value <= most)) {
    throw new RangeError(`Expected \`${name}\` to be a number from 0 to ${most}, got \`${value}\` (${typeof value})`);
  }
};

/** Throws a RangeError that names the first field of the policy that makes no sense. */
export const checkPolicy = (policy: AugmentationPolicy): void => {
  range('cropArea', policy.cropArea, 0, 1);
  range('cropRatio', policy.cropRatio, 0, Infinity);
  for (const name of ['flip', 'jitter', 'grey'] as const) within(name, policy[name], 1);
  for (const name of ['brightness', 'contrast', 'saturation'] as const) within(name, policy[name], 1);
  within('hue', policy.hue, 0.5);
};

const factor = (random: RandomStream, strength: number): number => random.uniform(1 - strength, 1 + strength);

/**
 * Draws one augmentation. Always takes the same steps, so that one draw never shifts the meaning of the numbers after it more
 * than its own tries of a crop do: ten tries for a box that fits, then the largest centred box of an allowed ratio.
 */
export const drawAugmentation = (policy: AugmentationPolicy, random: RandomStream): AugmentationDraw => {
  let width = 0;
  let height = 0;
  const [lowRatio, highRatio] = policy.cropRatio;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = random.uniform(policy.cropArea[0], policy.cropArea[1]);
    const ratio = lowRatio === highRatio ? lowRatio : Math.exp(random.uniform(Math.log(lowRatio), Math.log(highRatio)));
    width = Math.sqrt(area * ratio);
    height = Math.sqrt(area / ratio);
    if (width <= 1 && height <= 1) break;
  }
  let x: number;
  let y: number;
  if (width <= 1 && height <= 1) {
    x = random.uniform(0, 1 - width);
    y = random.uniform(0, 1 - height);
  } else {
    const ratio = Math.min(Math.max(1, lowRatio), highRatio);
    width = Math.min(1, ratio);
    height = Math.min(1, 1 / ratio);
    x = (1 - width) / 2;
    y = (1 - height) / 2;
  }
  const flip = random.chance(policy.flip);
  const jitter = random.chance(policy.jitter);
  const brightness = factor(random, policy.brightness);
  const contrast = factor(random, policy.contrast);
  const saturation = factor(random, policy.saturation);
  const hue = random.uniform(-policy.hue, policy.hue);
  const grey = random.chance(policy.grey);
  return {
    x,
    y,
    width,
    height,
    flip,
    brightness: jitter ? brightness : 1,
    contrast: jitter ? contrast : 1,
    saturation: jitter ? saturation : 1,
    hue: jitter && hue !== 0 ? hue : 0,
    grey,
  };
};
