import type { Raster } from '../numeric/raster.js';
import { sharedKernel } from '../numeric/wasm-kernel.js';
import { lumaKernelBytes } from './luma-kernel-bytes.js';
import type { LumaKernel } from './luma-kernel-bytes.js';

/** A luma plane: what motion and tracking look at. */
export type LumaPlane = { readonly width: number; readonly height: number; readonly y: Uint8Array };

/** Bytes that the kernel may read behind a plane. */
export const behindPlane = 32;

/** The kernel of `kernels/luma.ts`, one in each thread. */
export const lumaKernel = sharedKernel<LumaKernel>(lumaKernelBytes);

/**
 * A luma plane at half the size: each pixel the rounded mean of 2 x 2, `(a + b + c + d + 2) >> 2`. A last odd row or column is left out, so that
 * `x` of the half plane is always `x / 2` of the whole.
 */
export const halfLuma = ({ width, height, y }: LumaPlane): Raster & LumaPlane => {
  const halfWidth = width >> 1;
  const halfHeight = height >> 1;
  const kernel = lumaKernel();
  const [whole, half] = kernel.place([y.length + behindPlane, halfWidth * halfHeight + behindPlane]);
  kernel.bytes.set(y, whole);
  kernel.functions.halve(whole, width, height, half);
  const data = kernel.bytes.slice(half, half + halfWidth * halfHeight);
  return { width: halfWidth, height: halfHeight, channels: 1, data, y: data };
};
