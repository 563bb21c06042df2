import type { Raster } from '../numeric/raster.js';

/**
 * Shows unit normals as colours, `round((n + 1) / 2 * 255)` a channel: x right as red, y down as green, z into the scene as blue.
 * `normals` is `[height, width, 3]`; pixels where `valid` is 0 are black.
 */
export const normalsPicture = (normals: Float32Array, width: number, height: number, valid?: Uint8Array): Raster => {
  if (normals.length !== width * height * 3) {
    throw new RangeError(`Expected \`normals\` to hold ${width * height * 3} numbers, got \`${normals.length}\``);
  }
  const data = new Uint8Array(normals.length);
  for (let i = 0; i < normals.length; i++) {
    if (valid !== undefined && valid[Math.floor(i / 3)] === 0) continue;
    data[i] = Math.round(((Math.min(1, Math.max(-1, normals[i]!)) + 1) / 2) * 255);
  }
  return { width, height, channels: 3, data };
};
