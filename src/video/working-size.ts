/** The area frames are scaled to unless told otherwise: 448 x 600 pixels (Wang & Gupta 2015, section 3). */
export const defaultAreaPx = 448 * 600;

// Down, not to the nearest: rounding up would invent a row. The little added keeps 480 from becoming 478 by a rounding error.
const even = (value: number): number => Math.max(2, 2 * Math.floor(value / 2 + 1e-6));

/**
 * The size frames are decoded at: the display size (`width * pixelAspect` by `height`, rotation already applied) shrunk to an area of
 * about `areaPx`, aspect kept, both sides even, never enlarged. Non-square pixels are made square by shrinking the longer way, not
 * by stretching the shorter, so that no pixels are invented: 2:1 pixels 160 x 240 become 160 x 120.
 */
export const workingSize = (
  { width, height, pixelAspect }: { readonly width: number; readonly height: number; readonly pixelAspect: number },
  areaPx: number = defaultAreaPx,
): { width: number; height: number } => {
  const wide = pixelAspect >= 1 ? width : width * pixelAspect;
  const high = pixelAspect >= 1 ? height / pixelAspect : height;
  const scale = Math.min(1, Math.sqrt(areaPx / (wide * high)));
  return { width: even(wide * scale), height: even(high * scale) };
};
