/** An 8-bit image in memory: rows from the top, interleaved channels, `data.length = width * height * channels`. */
export type Raster = {
  readonly width: number;
  readonly height: number;
  /** 1 = grey, 3 = RGB. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
};
