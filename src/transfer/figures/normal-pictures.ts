import { normalsPicture } from '../../drawing/normals-picture.js';
import type { Raster } from '../../numeric/raster.js';
import { pictureOf } from '../../images/pixel-cache.js';
import type { LoadedNormals } from '../../images/rgbd-dataset.js';

/** A test frame as the figure shows it: what the camera saw, what was predicted, what is true (black where not known). */
export type NormalPictures = {
  readonly frame: string;
  readonly image: Raster;
  readonly predicted: Raster;
  readonly truth: Raster;
};

/**
 * Pictures of `count` test frames, evenly spread over the test part.
 *
 * @param test frame numbers of the test part
 * @param predicted normals of all its frames, `[test frames, height, width, 3]`
 */
export const normalPictures = (
  data: LoadedNormals,
  test: Int32Array,
  predicted: Float32Array,
  count = 4,
): NormalPictures[] => {
  const { width, height, normals, valid, frames, colour } = data;
  const area = width * height;
  const shown = Math.min(count, test.length);
  return Array.from({ length: shown }, (_, i) => {
    const position = Math.floor(((i + 0.5) * test.length) / shown);
    const frame = test[position] as number;
    const part = <T extends Float32Array>(values: T, at: number): T =>
      values.subarray(at * area * 3, (at + 1) * area * 3) as T;
    return {
      frame: frames[frame] as string,
      image: pictureOf(colour, frame),
      predicted: normalsPicture(part(predicted, position), width, height),
      truth: normalsPicture(part(normals, frame), width, height, valid.subarray(frame * area, (frame + 1) * area)),
    };
  });
};
