import type { Json } from './json.js';

/** What a figure can show: `scaling` is a result over the amount of data, `filters` are the first layer's, a `map` lays pictures out by their features. */
export const figureKinds = [
  'curves',
  'scaling',
  'contact-sheet',
  'tracks',
  'neighbours',
  'detections',
  'normals',
  'filters',
  'map',
  'bars',
] as const;

/** A picture or curve for the report. A stage writes `<name>.figure.json` beside the image (if any) among its artefacts. */
export type Figure = {
  readonly kind: (typeof figureKinds)[number];
  readonly title: string;
  /** What one sees, in a sentence. */
  readonly caption: string;
  /** Curves and scaling: `{ x: label, y: label, series: [{ name, points: [[x, y], …] }], lines?: [{ name, y } or { name, points }] }`. Bars: `{ bars: [{ name, value }] }`. */
  readonly data?: Json;
  /** File name of a PNG or JPEG beside this file. */
  readonly image?: string;
  /** sha256 of the image, or of the canonical JSON of `data`. */
  readonly sha256: string;
};
