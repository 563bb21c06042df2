import { RandomStream } from '../../../numeric/random.js';
import type { Raster } from '../../../numeric/raster.js';
import { toColourSpace, type ColourSpace } from './colour-spaces.js';
import { gaussianBlur } from './gaussian-blur.js';
import { segmentGraph } from './graph-segmentation.js';
import { groupRegions } from './hierarchical-grouping.js';
import { buildPixelGraph } from './pixel-graph.js';
import { RankedBoxes } from './ranked-boxes.js';
import { codeRegions } from './region-codes.js';
import { describeRegions } from './regions.js';
import type { SimilarityTerms } from './similarity.js';

/** How many strategies are combined: 8 (`fast`) or 80 (`quality`), Uijlings et al. 2013, table 5. */
export type SelectiveSearchMode = 'fast' | 'quality';

/** What selective search is asked for. */
export type SelectiveSearchOptions = {
  readonly mode: SelectiveSearchMode;
  /** At most so many boxes, the best. @default Infinity */
  readonly maxBoxes?: number;
  /** Boxes with a shorter side than this are left out, in pixels of the raster. @default 1 */
  readonly minSidePx?: number;
  /** Decides the random part of the order. @default 1 */
  readonly seed?: number;
};

/** The strategies of a mode: every colour space with every threshold k with every sum of similarities. */
type Strategies = {
  readonly spaces: readonly ColourSpace[];
  readonly thresholds: readonly number[];
  readonly measures: readonly SimilarityTerms[];
};

const all: SimilarityTerms = { colour: true, texture: true, size: true, fill: true };
const withoutColour: SimilarityTerms = { ...all, colour: false };
const fillOnly: SimilarityTerms = { colour: false, texture: false, size: false, fill: true };
const sizeOnly: SimilarityTerms = { colour: false, texture: false, size: true, fill: false };

const modes: Readonly<Record<SelectiveSearchMode, Strategies>> = {
  fast: { spaces: ['hsv', 'lab'], thresholds: [50, 100], measures: [all, withoutColour] },
  quality: {
    spaces: ['hsv', 'lab', 'rgi', 'hue', 'intensity'],
    thresholds: [50, 100, 150, 300],
    measures: [all, withoutColour, fillOnly, sizeOnly],
  },
};

const sigma = 0.8;
/** Pixels are numbered with two bits to spare. */
const maxPixels = 1 << 26;

const describe = (value: unknown): string => `\`${String(value)}\` (${typeof value})`;

const checkInput = (
  image: Raster,
  mode: SelectiveSearchMode,
  maxBoxes: number,
  minSidePx: number,
  seed: number,
): void => {
  const { width, height, channels, data } = image;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1 || width * height > maxPixels) {
    throw new RangeError(`Expected an image of 1 to ${maxPixels} pixels, got ${width} x ${height}`);
  }
  if (channels !== 1 && channels !== 3) {
    throw new RangeError(`Expected an image of 1 or 3 channels, got ${describe(channels)}`);
  }
  if (data.length !== width * height * channels) {
    throw new RangeError(`Expected ${width * height * channels} bytes of image, got ${data.length}`);
  }
  if (!Object.hasOwn(modes, mode)) {
    throw new RangeError(`Expected \`mode\` to be fast or quality, got ${describe(mode)}`);
  }
  if (!(maxBoxes === Infinity || Number.isInteger(maxBoxes)) || maxBoxes < 1) {
    throw new RangeError(`Expected \`maxBoxes\` to be an integer from 1, or Infinity, got ${describe(maxBoxes)}`);
  }
  if (!(minSidePx >= 0) || minSidePx === Infinity) {
    throw new RangeError(`Expected \`minSidePx\` to be a number from 0, got ${describe(minSidePx)}`);
  }
  if (!Number.isFinite(seed)) throw new RangeError(`Expected \`seed\` to be a number, got ${describe(seed)}`);
};

/**
 * Region proposals by selective search (Uijlings, van de Sande, Gevers & Smeulders, IJCV 2013): boxes that are likely to hold an object of any
 * kind, best first, `n x 4` (x0, y0, x1, y1 in pixels of the raster, the last two past the end). The image is segmented in each colour space of the
 * mode with each k (Gaussian of 0.8; segments of at least k pixels), its segments are grouped by each sum of similarities, and the boxes of
 * all regions of all hierarchies are ranked by position times a random number; of equal boxes the best remains. The same image, options and seed give the
 * same boxes. Throws RangeError on an image or an option that does not fit.
 *
 * The strategies are those of the authors' released code: k of 50 and 100 (`fast`), also 150 and 300 (`quality`), least size of a segment k.
 * OpenCV's `SelectiveSearchSegmentation` departs from paper and code in ways that show beside it (`bench/selective-search.ts`):
 *
 * - its order multiplies the random number by a region's height above the segments, so that segments come first and the image last, where the
 *   paper counts from the top: its first 100 boxes cover half to two thirds of the objects that ours do at IoU 0.5;
 * - k of 150, 300 and 450 (`quality`: to 750), least size 100: fewer and larger segments, about half our number of boxes. On photographs of
 *   VOC ours cover more at every count; on single large animals, which its larger k fits, the two are level from 1000 boxes on;
 * - its hue has 180 steps (18 of the 25 bins) and its r and g are not divided by the sum, so that `rgi` keeps the shadows;
 * - a pixel's neighbours are four in its graph (eight in Felzenszwalb's), and edges of weight 0 take no part in joining small segments;
 * - it sorts all pairs of regions before each merge, and makes a mask of the whole image for each segment's histogram of colour.
 */
export const selectiveSearch = (
  image: Raster,
  { mode, maxBoxes = Infinity, minSidePx = 1, seed = 1 }: SelectiveSearchOptions,
): Float32Array => {
  checkInput(image, mode, maxBoxes, minSidePx, seed);
  const { spaces, thresholds, measures } = modes[mode];
  const ranked = new RankedBoxes(minSidePx);
  let strategy = 0;
  for (const space of spaces) {
    const colour = toColourSpace(image, space);
    const smoothed = colour.planes.map((plane) => gaussianBlur(plane, image.width, image.height, sigma));
    const graph = buildPixelGraph(smoothed, image.width, image.height);
    const codes = codeRegions(colour, smoothed);
    for (const k of thresholds) {
      const regions = describeRegions(segmentGraph(graph, { k, minSizePx: k }), codes);
      for (const measure of measures) {
        const { boxes } = groupRegions(regions, measure);
        ranked.add(boxes, RandomStream.of(seed, 'selective-search', strategy++));
      }
    }
  }
  return ranked.best(maxBoxes);
};
