import { augmentationPolicies } from '../../src/images/augmentation.js';
import type { AugmentationPolicy } from '../../src/images/augmentation.js';
import type { PretrainParams } from '../benchmark/params.js';

/** The policy of that name, with what `pretrain.views` has otherwise. */
export const basePolicy = (
  name: keyof typeof augmentationPolicies,
  { cropArea, jitter, grey }: PretrainParams['views'],
): AugmentationPolicy => {
  const policy = augmentationPolicies[name];
  return {
    ...policy,
    ...(cropArea === null ? {} : { cropArea: [cropArea, policy.cropArea[1]] }),
    ...(jitter === null ? {} : jittered(policy, jitter)),
    ...(grey === null ? {} : { grey }),
  };
};

/** Jitter of that strength; of a policy without any, as often as `full` has it. */
const jittered = (policy: AugmentationPolicy, strength: number): Partial<AugmentationPolicy> => ({
  jitter: policy.jitter || augmentationPolicies.full.jitter,
  brightness: strength,
  contrast: strength,
  saturation: strength,
  hue: strength / 4,
});
