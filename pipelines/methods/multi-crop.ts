import { z } from 'zod';
import { augmentationPolicies, type AugmentationPolicy } from '../../src/images/augmentation.js';
import type { ViewPlan, ViewSetting } from './image-method.js';

const area = z.tuple([z.number().positive().max(1), z.number().positive().max(1)]);

/** Parameters of multi-crop (Caron et al. 2020, 3.2), which several methods share. */
export const multiCropParams = {
  localCrops: z.number().int().min(0).default(0).describe('small crops of half the side, beside the two large ones'),
  globalArea: area.default([0.14, 1]).describe('share of the picture that a large crop shows'),
  localArea: area.default([0.05, 0.14]).describe('share of the picture that a small crop shows'),
};

/** Values of {@link multiCropParams}. */
export type MultiCropParams = z.infer<z.ZodObject<typeof multiCropParams>>;

/**
 * Two large crops of the trunk's input size, then small ones of half of it. Of an augmentation that all methods share only the
 * areas are changed; and where that one never crops, none are: the small views then show the whole picture.
 */
export const multiCropViews = (
  { localCrops, globalArea, localArea }: MultiCropParams,
  { base, inputSize }: ViewSetting,
): readonly ViewPlan[] => {
  const crop = (policy: AugmentationPolicy, cropArea: AugmentationPolicy['cropArea']): AugmentationPolicy =>
    policy.cropArea[0] === 1 ? policy : { ...policy, cropArea };
  const large: ViewPlan = { policy: crop(base ?? augmentationPolicies['swav-global'], globalArea) };
  const small: ViewPlan = {
    policy: crop(base ?? augmentationPolicies['swav-local'], localArea),
    size: Math.round(inputSize / 2),
  };
  return [large, large, ...Array.from({ length: localCrops }, () => small)];
};
