import type { GreyImage } from './grey-image.js';

/**
 * Reads patches of one size out of a grey image: `width` x `height` samples `step` pixels apart around a centre, bilinear, the
 * image's edge pixels repeated outside it. Memory is allocated once.
 */
export class PatchSampler {
  readonly width: number;
  readonly height: number;
  /** The patch read last, `[height, width]`, grey levels 0-255. */
  readonly patch: Float64Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #weight: Float64Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.patch = new Float64Array(width * height);
    this.#left = new Int32Array(width);
    this.#right = new Int32Array(width);
    this.#weight = new Float64Array(width);
  }

  /** Fills `patch` around (`centreX`, `centreY`), in image pixels (a pixel's centre lies at its index plus a half). */
  read(image: GreyImage, centreX: number, centreY: number, step: number): void {
    const { width, height, patch } = this;
    const { data, width: stride } = image;
    const lastX = image.width - 1;
    const lastY = image.height - 1;
    for (let i = 0; i < width; i++) {
      const at = centreX - 0.5 + (i - (width - 1) / 2) * step;
      const before = Math.floor(at);
      this.#left[i] = before < 0 ? 0 : before > lastX ? lastX : before;
      this.#right[i] = before + 1 < 0 ? 0 : before + 1 > lastX ? lastX : before + 1;
      this.#weight[i] = at - before;
    }
    for (let j = 0, to = 0; j < height; j++) {
      const at = centreY - 0.5 + (j - (height - 1) / 2) * step;
      const before = Math.floor(at);
      const wy = at - before;
      const top = (before < 0 ? 0 : before > lastY ? lastY : before) * stride;
      const bottom = (before + 1 < 0 ? 0 : before + 1 > lastY ? lastY : before + 1) * stride;
      for (let i = 0; i < width; i++, to++) {
        const left = this.#left[i];
        const right = this.#right[i];
        const wx = this.#weight[i];
        const a = data[top + left];
        const c = data[bottom + left];
        const upper = a + (data[top + right] - a) * wx;
        const lower = c + (data[bottom + right] - c) * wx;
        patch[to] = upper + (lower - upper) * wy;
      }
    }
  }
}
