import { z } from 'zod';
import { createColorization } from '../../src/contrast/colorization/colorization.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { defineMethod } from './image-method.js';

const params = z.strictObject({
  binSize: z.number().min(1).default(10).describe('side of a bin of the ab plane, the hardness: papers 5, 10, 15, 20'),
  nearest: z.int().min(1).default(10).describe('nearest bins that share a colour'),
  sigma: z.number().positive().default(5).describe('how far a colour spreads over bins, in units of ab'),
  lambda: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('rebalancing: 0 weighs a colour by the inverse of its share, 1 weighs all alike (none)'),
  pictures: z.int().min(1).default(500).describe('pictures that bins and their priors are counted on'),
});

/** Colorization: which colour is where? */
export const colorizationMethod = defineMethod<z.infer<typeof params>>({
  name: 'colorization',
  title: 'Colorization',
  paper: 'Zhang et al. 2016; Goyal et al. 2019',
  summary: 'says the colours of a picture from its lightness',
  params,
  // Colours are what is to be told: they stay as they are, whatever the recipe.
  views: (_params, { base }) => [
    { policy: { ...(base ?? augmentationPolicies.paper), jitter: 0, grey: 0, solarize: 0 } },
  ],
  tracks: 'one of both',
  needsColour: true,
  hardness: { parameter: 'binSize', words: 'wide bins', values: [20, 10, 5] },
  create: (own, { drawView }) => createColorization({ drawView, ...own }),
});
