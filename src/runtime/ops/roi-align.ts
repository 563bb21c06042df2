import { tf, type Tensor, type Tensor3D, type Tensor4D } from '../tensors.js';

/** How regions are read off a map. */
export type RoiAlignOptions = {
  /** Cells along each side of the result. */
  readonly bins: number;
  /**
   * Samples along each side of a cell: He et al. 2017 take 2; 0 takes as many as the cell has map cells, rounded up (as released,
   * `sampling_ratio = 0`), so that of a large region nothing is passed over.
   * @default 0
   */
  readonly samples?: number;
};

/** Largest number of values between the two products: 32 MB. */
const chunkValues = 1 << 23;

/**
 * RoIAlign (He et al. 2017, section 3): each region is cut into `bins x bins` cells, and a cell is the mean of bilinear samples at
 * regular places inside it; no coordinate is ever rounded. Map cell i has its middle at `i + 0.5` (what detectron2 calls
 * `aligned`: half a cell is taken off before interpolation). A sample up to one cell beyond the outermost middles reads the
 * edge, one still farther away is 0. Differentiable in the map.
 *
 * Sampling is linear in the map and separable, so the op is two matrix products an image, `y[r] = R_r map C_r^T` with the weights
 * of rows and columns `[bins, height]` and `[bins, width]`, and its gradient two more: quick on every backend, and the same
 * bytes each time. (The gradient of TensorFlow's `CropAndResize` adds from several threads without order.)
 *
 * @param map `[1, height, width, channels]`, of one image
 * @param rois `[regions, 4]`, corners x0 y0 x1 y1 in cells of the map, 0 at its edge
 * @returns `[regions, bins, bins, channels]`
 */
export function roiAlign(map: Tensor4D, rois: Float32Array, { bins, samples = 0 }: RoiAlignOptions): Tensor4D {
  const [batch, height, width, channels] = map.shape;
  if (batch !== 1)
    throw new Error(`Expected \`map\` to be [1, height, width, channels], got [${map.shape.join(', ')}]`);
  const regions = rois.length / 4;
  const perChunk = Math.max(1, Math.floor(chunkValues / (bins * width * channels)));
  if (regions <= perChunk) return alignChunk(map, rois, bins, samples);
  return tf.tidy(() => {
    const parts: Tensor4D[] = [];
    for (let from = 0; from < regions; from += perChunk) {
      parts.push(alignChunk(map, rois.subarray(from * 4, (from + perChunk) * 4), bins, samples));
    }
    return tf.concat4d(parts, 0);
  });

  function alignChunk(whole: Tensor4D, boxes: Float32Array, cells: number, count: number): Tensor4D {
    const rows = boxes.length / 4;
    return tf.tidy(() => {
      const down = tf.tensor2d(axisWeights(boxes, 1, height, cells, count), [rows * cells, height]);
      const across = tf.tensor3d(axisWeights(boxes, 0, width, cells, count), [rows, cells, width]);
      const narrow = tf.matMul(down, whole.reshape([height, width * channels]) as Tensor);
      // A region's columns are shared by its rows, so rows and channels stand side by side while columns are summed.
      const columnsFirst = narrow.reshape([rows, cells, width, channels]).transpose([0, 2, 1, 3]);
      const flat = columnsFirst.reshape([rows, width, cells * channels]) as Tensor3D;
      return tf
        .matMul<Tensor>(across, flat)
        .reshape([rows, cells, cells, channels])
        .transpose([0, 2, 1, 3]) as Tensor4D;
    });
  }
}

/** What each cell of each region takes of the map's rows (`axis` 1) or columns (0): `[regions, bins, side]`. */
function axisWeights(rois: Float32Array, axis: 0 | 1, side: number, bins: number, samples: number): Float32Array {
  const regions = rois.length / 4;
  const weights = new Float32Array(regions * bins * side);
  for (let region = 0; region < regions; region++) {
    const start = rois[region * 4 + axis]!;
    const binSize = (rois[region * 4 + axis + 2]! - start) / bins;
    const count = samples > 0 ? samples : Math.max(1, Math.ceil(binSize));
    for (let bin = 0; bin < bins; bin++) {
      const row = (region * bins + bin) * side;
      for (let sample = 0; sample < count; sample++) {
        const at = start + (bin + (sample + 0.5) / count) * binSize - 0.5;
        if (at < -1 || at > side) continue;
        const inside = Math.min(Math.max(at, 0), side - 1);
        const first = Math.floor(inside);
        const share = inside - first;
        weights[row + first]! += (1 - share) / count;
        if (share > 0) weights[row + first + 1]! += share / count;
      }
    }
  }
  return weights;
}
