import type { PixelCache } from '../../images/pixel-cache.js';
import type { LoadedNormals } from '../../images/rgbd-dataset.js';

/** Some frames of a target, on their own. */
export type FramesOnly = Pick<LoadedNormals, 'width' | 'height' | 'normals' | 'valid' | 'colour'>;

/**
 * The frames in a mirror that swaps left and right: pictures and maps are turned over, and so is the normals' x. (What a camera
 * with its principal point mirrored would see; the centre of a picture is close enough to it for directions to hold.)
 */
export const mirrorFrames = ({ width, height, normals, valid, colour }: FramesOnly): FramesOnly => {
  const turned = new Float32Array(normals.length);
  const known = new Uint8Array(valid.length);
  for (let row = 0; row < valid.length / width; row++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [row * width + x, row * width + width - 1 - x];
      known[to] = valid[from]!;
      turned[to * 3] = -normals[from * 3]!;
      turned[to * 3 + 1] = normals[from * 3 + 1]!;
      turned[to * 3 + 2] = normals[from * 3 + 2]!;
    }
  }
  return { width, height, normals: turned, valid: known, colour: mirrorPictures(colour) };
};

/** Pictures turned over left and right. */
const mirrorPictures = ({ count, size, pixels, digest }: PixelCache): PixelCache => {
  const turned = new Uint8Array(pixels.length);
  for (let row = 0; row < count * size; row++) {
    for (let x = 0; x < size; x++) {
      const from = (row * size + x) * 3;
      turned.set(pixels.subarray(from, from + 3), (row * size + size - 1 - x) * 3);
    }
  }
  return { count, size, pixels: turned, digest: `mirrored ${digest}` };
};

/** The given frames of a target, in that order. */
export const selectFrames = (
  { width, height, normals, valid, colour }: FramesOnly,
  frames: ArrayLike<number>,
): FramesOnly => {
  const area = width * height;
  const bytes = colour.size * colour.size * 3;
  const chosen = {
    normals: new Float32Array(frames.length * area * 3),
    valid: new Uint8Array(frames.length * area),
    pixels: new Uint8Array(frames.length * bytes),
  };
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i]!;
    chosen.normals.set(normals.subarray(frame * area * 3, (frame + 1) * area * 3), i * area * 3);
    chosen.valid.set(valid.subarray(frame * area, (frame + 1) * area), i * area);
    chosen.pixels.set(colour.pixels.subarray(frame * bytes, (frame + 1) * bytes), i * bytes);
  }
  return {
    width,
    height,
    normals: chosen.normals,
    valid: chosen.valid,
    colour: { ...colour, count: frames.length, pixels: chosen.pixels, digest: `of ${colour.digest}` },
  };
};
