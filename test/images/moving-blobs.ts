import type { GreyPicture } from '../../src/images/frame-fingerprint.js';

/** A soft spot: where its middle is at time 0, its speed a unit of time, its size in pixels and its lightness over the grey ground. */
export type Blob = {
  readonly x: number;
  readonly y: number;
  readonly u: number;
  readonly v: number;
  readonly size: number;
  readonly level: number;
};

/** The picture of moving spots at a time. */
export const showBlobs = (
  blobs: readonly Blob[],
  time: number,
  { width, height }: { readonly width: number; readonly height: number },
): GreyPicture => {
  const data = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      let value = 128;
      for (const { x: x0, y: y0, u, v, size, level } of blobs) {
        const d = ((x - x0 - u * time) ** 2 + (y - y0 - v * time) ** 2) / (size * size);
        if (d < 6) value += level * Math.exp(-d);
      }
      data[at] = Math.min(255, Math.max(0, value));
    }
  }
  return { width, height, data };
};
