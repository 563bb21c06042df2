import type { AugmentationPolicy } from './augmentation.js';

/** Names of the ready-made policies. */
export type AugmentationName =
  | 'full'
  | 'paper'
  | 'none'
  | 'npid'
  | 'simclr'
  | 'moco-v2'
  | 'byol-first'
  | 'byol-second'
  | 'swav-global'
  | 'swav-local';

const none: AugmentationPolicy = {
  cropArea: [1, 1],
  cropRatio: [1, 1],
  flip: 0,
  jitter: 0,
  brightness: 0,
  contrast: 0,
  saturation: 0,
  hue: 0,
  colourOrder: 'fixed',
  grey: 0,
  blur: 0,
  blurSigma: [0.1, 2],
  solarize: 0,
  solarizeThreshold: 0.5,
};

/** What the recipes on single images have in common. */
const recipe: AugmentationPolicy = {
  ...none,
  cropRatio: [3 / 4, 4 / 3],
  flip: 0.5,
  jitter: 0.8,
  colourOrder: 'drawn',
  grey: 0.2,
};

/** Colour distortion of strength 1 in SimCLR's measure. */
const strong = { brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 } as const;

const byol: AugmentationPolicy = {
  ...recipe,
  cropArea: [0.08, 1],
  brightness: 0.4,
  contrast: 0.4,
  saturation: 0.2,
  hue: 0.1,
};

const swav: AugmentationPolicy = { ...recipe, ...strong, blur: 0.5 };

/**
 * Ready-made policies. `full` (the default): square crop of 25-100 % of the area, flip, jitter 0.4, grey 0.2; without the
 * colours a network learns to tell videos apart by theirs. `paper`: crop-resize and mirror alone, drawn for each image and not
 * for each pair (Wang & Gupta 2015). `none`: the picture as it is.
 *
 * The others are the recipes of the papers, as released. Where their programs differ in arithmetic from one another, all of them
 * are rendered as torchvision would: BYOL's release adds to the brightness what torchvision multiplies by, takes the contrast a channel
 * at a time and scales the saturation in HSV; SimCLR and BYOL blur with black beyond the border, torchvision with the mirrored
 * picture, PIL (MoCo, SwAV) with the repeated border and three box filters for a Gaussian.
 *
 * - `npid` (Wu et al. 2018, `main.py`): jitter 0.4 four times, always. The release turns grey before it jitters, here it is after:
 *   the same but for what is clipped.
 * - `simclr` (Chen et al. 2020): colour distortion of strength 1.
 * - `moco-v2` (Chen et al. 2020, `--aug-plus`): crops from 20 % on, half the strength.
 * - `byol-first`, `byol-second` (Grill et al. 2020, `augment_config`): the two views differ in blur (always, rarely) and solarize.
 * - `swav-global`, `swav-local` (Caron et al. 2020, `multicropdataset.py`): large crops and small ones. The release blurs both by 0.1
 *   to 2 px, of 224 and of 96; the small ones by as much in proportion here.
 */
export const augmentationPolicies: Readonly<Record<AugmentationName, AugmentationPolicy>> = {
  full: {
    ...none,
    cropArea: [0.25, 1],
    flip: 0.5,
    jitter: 0.8,
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    hue: 0.1, // a quarter of the others, as in the papers that jitter by 0.4
    grey: 0.2,
  },
  paper: {
    ...none,
    cropArea: [0.25, 1], // as `full`, so that the two differ in colours alone; the released recipe does not jitter the crop
    flip: 0.5,
  },
  none,
  npid: { ...recipe, cropArea: [0.2, 1], jitter: 1, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.4 },
  simclr: { ...recipe, ...strong, cropArea: [0.08, 1], blur: 0.5 },
  'moco-v2': { ...recipe, cropArea: [0.2, 1], brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1, blur: 0.5 },
  'byol-first': { ...byol, blur: 1 },
  'byol-second': { ...byol, blur: 0.1, solarize: 0.2 },
  'swav-global': { ...swav, cropArea: [0.14, 1] },
  'swav-local': { ...swav, cropArea: [0.05, 0.14], blurSigma: [(0.1 * 224) / 96, (2 * 224) / 96] },
};
