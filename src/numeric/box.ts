/** An axis-aligned box in pixels: top-left corner (`x`, `y`, may be fractional) and size. A point (px, py) is inside when `x <= px < x + width`. */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Area of a box in square pixels; a box of negative size has none. */
export const area = (box: Box): number => Math.max(0, box.width) * Math.max(0, box.height);

/** The common part of two boxes (size 0 where they do not meet). */
export const intersect = (a: Box, b: Box): Box => {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.max(0, Math.min(a.x + a.width, b.x + b.width) - x);
  const height = Math.max(0, Math.min(a.y + a.height, b.y + b.height) - y);
  return { x, y, width, height };
};

/** Intersection over union, `|a ∩ b| / |a ∪ b|`, in [0, 1]; 0 for two empty boxes. */
export const iou = (a: Box, b: Box): number => {
  const common = area(intersect(a, b));
  const union = area(a) + area(b) - common;
  return union > 0 ? common / union : 0;
};

/** The box moved by the least that brings it inside a frame of the given size; where it is larger than the frame, it is cut to it. */
export const moveInside = (box: Box, width: number, height: number): Box => {
  const size = { width: Math.min(box.width, width), height: Math.min(box.height, height) };
  const x = Math.min(Math.max(box.x + (box.width - size.width) / 2, 0), width - size.width);
  const y = Math.min(Math.max(box.y + (box.height - size.height) / 2, 0), height - size.height);
  return { x, y, ...size };
};

/** The share of `box` that lies inside a frame of the given size, in [0, 1]. */
export const shareInside = (box: Box, width: number, height: number): number => {
  const whole = area(box);
  return whole > 0 ? area(intersect(box, { x: 0, y: 0, width, height })) / whole : 0;
};
