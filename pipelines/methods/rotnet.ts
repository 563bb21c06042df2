import { z } from 'zod';
import { createRotnet } from '../../src/contrast/rotnet/rotnet.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { defineMethod } from './image-method.js';

const params = z.strictObject({
  cells: z.int().min(1).default(3).describe('the classifier reads the last map averaged over so many parts a side'),
  hidden: z.int().min(0).default(512).describe("width of the classifier's hidden layer, 0 for a linear one"),
});

/** RotNet: which of four rotations is it? */
export const rotnetMethod = defineMethod<z.infer<typeof params>>({
  name: 'rotnet',
  title: 'RotNet',
  paper: 'Gidaris et al. 2018',
  summary: 'says by how many quarter turns a picture was rotated',
  params,
  // The recipe of the run, else crops and mirror images alone, as released; views are mirrored before they are turned, or 90 and 270
  // degrees would be one class.
  views: (_params, { base }) => [{ policy: base ?? augmentationPolicies.paper }],
  imagesPerSample: () => 4,
  tracks: 'one of both',
  create: (own, { drawView }) => createRotnet({ drawView, ...own }),
});
