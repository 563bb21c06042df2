import type { Raster } from '../numeric/raster.js';

/** A luma plane: what motion and tracking look at. */
export type LumaPlane = { readonly width: number; readonly height: number; readonly y: Uint8Array };

/**
 * A luma plane at half the size: each pixel the rounded mean of 2 x 2, `(a + b + c + d + 2) >> 2`. A last odd row or column is left out, so that
 * `x` of the half plane is always `x / 2` of the whole.
 */
export const halfLuma = ({ width, height, y }: LumaPlane): Raster & LumaPlane => {
  const halfWidth = width >> 1;
  const halfHeight = height >> 1;
  const data = new Uint8Array(halfWidth * halfHeight);
  for (let row = 0, at = 0; row < halfHeight; row++) {
    let above = 2 * row * width;
    let below = above + width;
    for (let column = 0; column < halfWidth; column++, above += 2, below += 2) {
      data[at++] = (y[above] + y[above + 1] + y[below] + y[below + 1] + 2) >> 2;
    }
  }
  return { width: halfWidth, height: halfHeight, channels: 1, data, y: data };
};
