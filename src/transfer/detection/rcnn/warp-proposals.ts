import { cropAndResize, type Crop } from '../../../runtime/ops/crop-and-resize.js';
import type { Tensor4D } from '../../../runtime/tensors.js';

/** Share of the warped square on each side that lies around the proposal: 16 of 227 px (Girshick et al. 2014, appendix A). */
export const contextShare = 16 / 227;

/**
 * Cuts proposals out of one picture and warps each, whatever its shape, to `size x size`: the proposal fills the square but for
 * a rim of {@link contextShare} on each side, in which its surroundings are seen; what lies beyond the picture is 0, the mean
 * colour of a normalised picture. Bilinear without smoothing, as released.
 *
 * @param picture `[1, height, width, 3]`
 * @param boxes `[n, 4]`, corners x0 y0 x1 y1 in px of the picture
 * @param flip whether crop i is mirrored left to right
 * @returns `[n, size, size, 3]`
 */
export function warpProposals(
  picture: Tensor4D,
  boxes: Float32Array,
  size: number,
  flip: (i: number) => boolean = () => false,
): Tensor4D {
  const growth = contextShare / (1 - 2 * contextShare);
  const crops = Array.from({ length: boxes.length / 4 }, (_, i): Crop => {
    const [x0, y0, x1, y1] = [boxes[i * 4]!, boxes[i * 4 + 1]!, boxes[i * 4 + 2]!, boxes[i * 4 + 3]!];
    const [rimX, rimY] = [(x1 - x0) * growth, (y1 - y0) * growth];
    const box = { x: x0 - rimX, y: y0 - rimY, width: x1 - x0 + 2 * rimX, height: y1 - y0 + 2 * rimY };
    return { image: 0, box, flip: flip(i) };
  });
  return cropAndResize(picture, crops, size);
}
