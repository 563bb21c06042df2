import type { RandomStream } from '../numeric/random.js';

export { augmentationPolicies, type AugmentationName } from './augmentation-policies.js';

/** The four steps of a colour jitter. */
export type ColourStep = 'brightness' | 'contrast' | 'saturation' | 'hue';

/** The order of a policy that draws none: that of the arguments of torchvision's ColorJitter. */
export const fixedColourOrder: readonly ColourStep[] = ['brightness', 'contrast', 'saturation', 'hue'];

/** The side, px, of the views that the papers blur, and that `blurSigma` is measured at. */
export const blurReferenceSize = 224;

/**
 * How views are varied. Crops as torchvision's RandomResizedCrop, colours as its ColorJitter with the factors drawn
 * independently, then grey, blur and solarize, in the order in which SimCLR, BYOL and SwAV have them.
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
  /** Whether the order of the four colour steps is drawn, as torchvision and BYOL do, or {@link fixedColourOrder}. */
  readonly colourOrder: 'drawn' | 'fixed';
  /** Probability of a grey picture. */
  readonly grey: number;
  /** Probability of a Gaussian blur. */
  readonly blur: number;
  /**
   * Its standard deviation, drawn uniformly from [low, high]: px of a view of {@link blurReferenceSize}. Views of another size are
   * blurred by as much of their side, so that a recipe means the same at 96 px (0.1 to 2.0 become 0.04 to 0.86 px).
   */
  readonly blurSigma: readonly [low: number, high: number];
  /** Probability that what is bright is inverted. */
  readonly solarize: number;
  /** Values from here on are inverted, as a share of the full range. */
  readonly solarizeThreshold: number;
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
  /** Each of the four steps once. */
  readonly colourOrder: readonly ColourStep[];
  readonly grey: boolean;
  /** As in the policy, px of a view of {@link blurReferenceSize}; 0 is no blur. */
  readonly blurSigma: number;
  /** The threshold from which values are inverted; null for none. */
  readonly solarize: number | null;
};

/** A view of a sample: which end of it, how varied, and how large. The `V` of the project's sources. */
export type ViewSpec = {
  readonly end: 'a' | 'b';
  readonly augmentation: AugmentationDraw;
  /** Side of the rendered view, px; one size a view number in a batch. @default the trunk's `inputSize` */
  readonly size?: number;
};

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
  colourOrder: fixedColourOrder,
  grey: false,
  blurSigma: 0,
  solarize: null,
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
  for (const name of ['flip', 'jitter', 'grey', 'blur', 'solarize'] as const) within(name, policy[name], 1);
  for (const name of ['brightness', 'contrast', 'saturation', 'solarizeThreshold'] as const)
    within(name, policy[name], 1);
  within('hue', policy.hue, 0.5);
  range('blurSigma', policy.blurSigma, 0, blurReferenceSize);
  if (policy.colourOrder !== 'drawn' && policy.colourOrder !== 'fixed') {
    throw new RangeError(`Expected \`colourOrder\` to be drawn or fixed, got \`${String(policy.colourOrder)}\``);
  }
};

const factor = (random: RandomStream, strength: number): number => random.uniform(1 - strength, 1 + strength);

/**
 * Draws one augmentation. Always takes the same steps, so that one draw never shifts the meaning of the numbers after it more
 * than its own tries of a crop do: ten tries for a box that fits, then the largest centred box of an allowed ratio. What a policy
 * never does (a drawn order, blur, solarize) takes no numbers.
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
  const order = policy.colourOrder === 'drawn' ? random.shuffle([...fixedColourOrder]) : fixedColourOrder;
  const blurSigma = policy.blur > 0 ? drawSigma(policy, random) : 0;
  const solarized = policy.solarize > 0 && random.chance(policy.solarize);
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
    colourOrder: jitter ? order : fixedColourOrder,
    grey,
    blurSigma,
    solarize: solarized ? policy.solarizeThreshold : null,
  };
};

const drawSigma = ({ blur, blurSigma: [low, high] }: AugmentationPolicy, random: RandomStream): number => {
  const blurred = random.chance(blur);
  const sigma = random.uniform(low, high);
  return blurred ? sigma : 0;
};
