/** An 8-bit picture in memory: rows from the top, interleaved channels. What a canvas gives (`getImageData`) is one. */
export type Pixels = {
  readonly width: number;
  readonly height: number;
  /** 1 = grey, 3 = RGB, 4 = RGBA, laid on black as files with transparency are. @default as many as there are bytes for */
  readonly channels?: 1 | 3 | 4;
  /** `width * height * channels` bytes. */
  readonly data: Uint8Array | Uint8ClampedArray;
};

/** A picture: the path of a file (or a `file:` URL), the bytes of one (JPEG, PNG, WebP), or pixels. */
export type Picture = string | URL | Uint8Array | Pixels;
