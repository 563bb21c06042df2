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

/** Unit normals as colours, `RGB = round((n + 1) / 2 * 255)`; black where `valid` is 0. `normals` is `[height, width, 3]`. */
export const paintNormals = (
  normals: ArrayLike<number>,
  width: number,
  height: number,
  valid?: ArrayLike<number>,
): Raster => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    if (valid && !valid[i]) continue;
    for (let c = 0; c < 3; c++) data[i * 3 + c] = Math.round((((normals[i * 3 + c] as number) + 1) / 2) * 255);
  }
  return { width, height, channels: 3, data };
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
      predicted: paintNormals(part(predicted, position), width, height),
      truth: paintNormals(part(normals, frame), width, height, valid.subarray(frame * area, (frame + 1) * area)),
    };
  });
};
