import { sharedKernel, type WasmKernel } from '../numeric/wasm-kernel.js';
import { renderKernelBytes, type RenderKernel } from './render-kernel-bytes.js';
import type { ResampleAxis } from './resample-axis.js';

const kernel = sharedKernel<RenderKernel>(renderKernelBytes);

/** Values a row is padded to a multiple of: what the kernel works on at a time. */
const together = 4;

type Rgb = readonly [red: number, green: number, blue: number];

/**
 * A square picture of `n` px in the memory of the render kernel, as planes of float32 in [0, 1], and the steps that change it, each as
 * torchvision defines it. All pictures of a thread share that memory: one is good until another is begun by `resample`.
 */
export class PicturePlanes {
  readonly #n: number;
  /** Of a row and of a plane, bytes. */
  readonly #row: number;
  readonly #plane: number;
  readonly #kernel: WasmKernel<RenderKernel> = kernel();
  /** Addresses of the picture, and of room for another. */
  #picture = 0;
  #spare = 0;
  /** Address of what a step needs for itself. */
  #scratch = 0;

  constructor(n: number) {
    this.#n = n;
    this.#row = Math.ceil(n / together) * together * 4;
    this.#plane = n * this.#row;
  }

  /**
   * Begins with a picture of `size * size * 3` bytes, resampled along both axes of `n` pixels and multiplied by `factor`; what is then
   * above 1 becomes 1.
   */
  resample(source: Uint8Array, size: number, across: ResampleAxis, down: ResampleAxis, factor = 1): void {
    const { functions } = this.#kernel;
    const n = this.#n;
    const columns = this.#row / 4;
    // `normalise` writes one value beyond what three planes take.
    const room = 3 * this.#plane + 4;
    [this.#picture, this.#spare, this.#scratch] = this.#kernel.place([room, room]) as [number, number, number];
    const [acrossPairs, downPairs] = [Math.ceil(across.taps / 2), Math.ceil(down.taps / 2)];
    const slots = 2 ** Math.ceil(Math.log2(2 * downPairs));
    const sourceRow = size * 3;
    const top = down.first[0]!;
    const bottom = down.first[n - 1]! + 2 * downPairs;
    const [pixels, acrossFirst, acrossWeights, downFirst, downWeights, narrowed] = this.#kernel.place(
      [
        (bottom - top) * sourceRow + 6 * acrossPairs + 8,
        4 * columns,
        8 * acrossPairs * columns,
        4 * n,
        8 * downPairs * n,
        16 * columns * slots,
      ],
      this.#scratch,
    ) as [number, number, number, number, number, number];
    // What pads a row, and an odd number of taps, weighs 0.
    this.#kernel.bytes.fill(0, acrossFirst, narrowed);
    this.#kernel.bytes.set(source.subarray(top * sourceRow, Math.min(bottom, size) * sourceRow), pixels);
    this.#writeFirst(across.first, 0, 3, acrossFirst);
    this.#writeFirst(down.first, top, 1, downFirst);
    this.#writeWeights(across, 1, acrossWeights, 2, 2 * columns);
    this.#writeWeights(down, factor / 255, downWeights, 2 * downPairs, 2);
    functions.resample(
      pixels,
      sourceRow,
      acrossFirst,
      acrossWeights,
      acrossPairs,
      columns,
      downFirst,
      downWeights,
      downPairs,
      n,
      narrowed,
      slots,
      this.#picture,
    );
  }

  /** The first source pixels of an axis, counted from `origin` in units of `unit`, at an address. */
  #writeFirst(first: Int32Array, origin: number, unit: number, address: number): void {
    const { ints } = this.#kernel;
    const at = address / 4;
    for (let i = 0; i < first.length; i++) ints[at + i] = (first[i]! - origin) * unit;
  }

  /** Its weights times `factor`, in pairs: so many values on for the next pixel, so many for the next pair. */
  #writeWeights(
    { weights, taps }: ResampleAxis,
    factor: number,
    address: number,
    nextPixel: number,
    nextPair: number,
  ): void {
    const { floats } = this.#kernel;
    const at = address / 4;
    for (let i = 0, from = 0; from < weights.length; i++) {
      for (let k = 0; k < taps; k++, from++) {
        floats[at + i * nextPixel + (k >> 1) * nextPair + (k & 1)] = weights[from]! * factor;
      }
    }
  }

  /** Mean over the pixels of their grey. To be asked for before `adjustContrast`, not after. */
  meanGrey(): number {
    return this.#kernel.functions.meanGrey(this.#picture, this.#plane, this.#row, this.#n);
  }

  /** `clip(f x)`, as `adjust_brightness`. */
  adjustBrightness(factor: number): void {
    this.#kernel.functions.scale(this.#picture, this.#plane, factor, 0);
  }

  /** `clip(f x + (1 - f) m)` for the mean grey `m` of the picture, as `adjust_contrast`. */
  adjustContrast(factor: number): void {
    this.#kernel.functions.scale(this.#picture, this.#plane, factor, (1 - factor) * this.meanGrey());
  }

  /** `clip(f x + (1 - f) g)` for the grey `g` of each pixel, as `adjust_saturation`. */
  adjustSaturation(factor: number): void {
    this.#kernel.functions.saturate(this.#picture, this.#plane, factor);
  }

  /**
   * Turns the hue by a share of the colour circle, from -1/2 to 1/2, as `adjust_hue` does through HSV; without the 256 steps that pictures
   * of bytes have there.
   */
  adjustHue(turns: number): void {
    this.#kernel.functions.turnHue(this.#picture, this.#plane, turns);
  }

  /** The grey of each pixel in all its channels, as `rgb_to_grayscale`: 0.2989 r + 0.587 g + 0.114 b (ITU-R 601-2). */
  turnGrey(): void {
    this.#kernel.functions.turnGrey(this.#picture, this.#plane);
  }

  /** `x >= threshold ? 1 - x : x`, as `solarize`. */
  solarize(threshold: number): void {
    this.#kernel.functions.solarize(this.#picture, this.#plane, threshold);
  }

  /**
   * Blurs down and along each row by a kernel from its middle outwards, as `gaussian_blur`: beyond its border the picture goes on as its
   * mirror image.
   *
   * @throws RangeError for a kernel that reaches beyond that mirror image
   */
  blur(weights: ArrayLike<number>): void {
    const n = this.#n;
    const radius = weights.length - 1;
    if (radius === 0) return;
    if (radius >= n) {
      throw new RangeError(`Expected a blur of less than the picture's ${n} px, got a radius of ${radius} px`);
    }
    const [kernelAt, places, line] = this.#kernel.place(
      [4 * (radius + 1), 4 * (2 * radius + 1), this.#row + 8 * (radius + together)],
      this.#scratch,
    ) as [number, number, number];
    this.#kernel.floats.set(weights, kernelAt / 4);
    this.#kernel.functions.blur(this.#picture, this.#row, n, kernelAt, radius, this.#spare, line, places);
    [this.#picture, this.#spare] = [this.#spare, this.#picture];
  }

  /** `scale x + shift` by channel, `[n, n, 3]`, into `target` from `offset`. */
  normaliseInto(target: Float32Array, offset: number, scale: Rgb, shift: Rgb): void {
    const n = this.#n;
    this.#kernel.functions.normalise(this.#picture, this.#row, n, ...scale, ...shift, this.#spare);
    const from = this.#spare / 4;
    target.set(this.#kernel.floats.subarray(from, from + n * n * 3), offset);
  }
}
