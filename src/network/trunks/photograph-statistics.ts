import type { Architecture } from '../layers.js';

/** Mean and standard deviation of each channel over photographs, as PyTorch's models use them. */
export const photographStatistics: Pick<Architecture, 'mean' | 'std'> = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
