import type { Raster } from '../numeric/raster.js';

/** A picture: the path of a file, the bytes of one (JPEG, PNG, WebP), or pixels. */
export type Picture = string | Uint8Array | Raster;
