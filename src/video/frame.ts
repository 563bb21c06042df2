/**
 * One decoded frame at the working size, as planar YUV 4:2:0 (BT.601, full or limited range as `rgbPatch` expects it: limited).
 * The luma plane serves motion and tracking as it is; colour is made only where a patch is cut out. `width` and `height` are even.
 */
export type VideoFrame = {
  /** Counts decoded frames from 0. */
  readonly index: number;
  /** Presentation time, seconds. */
  readonly time: number;
  readonly width: number;
  readonly height: number;
  /** `[height, width]` luma. */
  readonly y: Uint8Array;
  /** `[height / 2, width / 2]` chroma. */
  readonly u: Uint8Array;
  readonly v: Uint8Array;
};
