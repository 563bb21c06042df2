import type { VideoFrame } from '../video/frame.js';

/** A luma image, rows from the top, `[height, width]`. */
export type GreyImage = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/**
 * Half-size luma of a frame: the rounded mean of each 2x2 block, into `into` (of length `width / 2 * height / 2`) if given.
 * Tracking runs on it, because a KCF template of 96 pixels is coarser than a window of the working size anyway.
 */
export const halveLuma = (frame: VideoFrame, into?: Uint8Array): GreyImage => {
  const width = frame.width >> 1;
  const height = frame.height >> 1;
  const data = into ?? new Uint8Array(width * height);
  const { y, width: stride } = frame;
  for (let row = 0, at = 0; row < height; row++) {
    let top = row * 2 * stride;
    for (let column = 0; column < width; column++, at++, top += 2) {
      data[at] = (y[top] + y[top + 1] + y[top + stride] + y[top + stride + 1] + 2) >> 2;
    }
  }
  return { width, height, data };
};
