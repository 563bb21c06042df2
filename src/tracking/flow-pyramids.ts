import type { WasmKernel } from '../numeric/wasm-kernel.js';
import type { FlowKernel } from './flow-kernel-bytes.js';
import type { GreyImage } from './grey-image.js';

/** Pixels around a plane, as in `kernels/flow/plane.ts`. */
const BORDER = 16;
/** Levels of luma are int16, in 1/32 of a level of the image. */
const PIXEL_BYTES = 2;

/** Width, height, bytes of a row with its borders, and bytes of a plane. */
type Level = { readonly width: number; readonly height: number; readonly stride: number; readonly bytes: number };

/** A pyramid's place in memory, and whose it is. */
type Slot = { image: GreyImage | undefined; readonly table: number; readonly planes: readonly number[]; used: number };

/**
 * Gaussian pyramids of images with their gradients, in the memory of a kernel. Those asked for last are kept, so that an image is looked at
 * once however often points are followed into and out of it; an image is known again as the same object, and must not change. All
 * images are of one size: with another all that is kept is given up.
 */
export class FlowPyramids {
  readonly #kernel: WasmKernel<FlowKernel>;
  readonly #most: number;
  readonly #slots: Slot[] = [];
  readonly #maxLevels: number;
  readonly #smallestSide: number;
  #levels: readonly Level[] = [];
  /** Bytes of an image, and a row of it blended. */
  #staged = 0;
  #blended = 0;
  #sizes = 0;
  #end = 0;
  #time = 0;

  /**
   * @param most pyramids kept, at least 2
   * @param maxLevels levels above the image
   * @param smallestSide levels both of whose sides are at most this are left out
   */
  constructor(kernel: WasmKernel<FlowKernel>, most: number, maxLevels: number, smallestSide: number) {
    this.#kernel = kernel;
    this.#most = most;
    this.#maxLevels = maxLevels;
    this.#smallestSide = smallestSide;
  }

  /** Levels of the images at hand, the image itself among them. */
  get levels(): number {
    return this.#levels.length;
  }

  /** Address of width, height and bytes a row of each level, int32. */
  get sizes(): number {
    return this.#sizes;
  }

  /** Where the memory of all pyramids ends. It moves when a pyramid is made. */
  get end(): number {
    return this.#end;
  }

  /** Makes the pyramid of an image, unless it is kept. Address of its table: of each level the addresses of luma and of both gradients, int32. */
  of(image: GreyImage): number {
    const [first] = this.#levels;
    if (first?.width !== image.width || first.height !== image.height) this.#layOut(image);
    let slot = this.#slots.find((kept) => kept.image === image);
    if (slot === undefined) {
      slot = this.#slots.length < this.#most ? this.#addSlot() : this.#leastRecent();
      this.#build(image, slot);
    }
    slot.used = ++this.#time;
    return slot.table;
  }

  /** Lets go of the images. */
  clear(): void {
    for (const slot of this.#slots) slot.image = undefined;
  }

  #leastRecent(): Slot {
    return this.#slots.reduce((oldest, slot) => (slot.used < oldest.used ? slot : oldest));
  }

  #layOut({ width, height }: GreyImage): void {
    const levels = [levelOf(width, height)];
    for (let level = 0; level < this.#maxLevels; level++) {
      const next = levelOf((levels[level].width + 1) >> 1, (levels[level].height + 1) >> 1);
      if (next.width <= this.#smallestSide || next.height <= this.#smallestSide) break;
      levels.push(next);
    }
    this.#levels = levels;
    this.#slots.length = 0;
    // The kernel reads and writes whole vectors, and so beyond the end of a row.
    [this.#staged, this.#blended, this.#sizes, this.#end] = this.#kernel.place([
      width * height + 8,
      levels[0].stride + 32,
      12 * levels.length,
    ]);
    levels.forEach((level, i) => {
      this.#kernel.ints.set([level.width, level.height, level.stride], this.#sizes / 4 + 3 * i);
    });
  }

  #addSlot(): Slot {
    const planes = this.#levels.flatMap(({ bytes }) => [bytes, bytes, bytes]);
    const [table, ...places] = this.#kernel.place([4 * planes.length, ...planes], this.#end);
    const end = places.pop() as number;
    // Gradients are 0 around the picture.
    this.#kernel.bytes.fill(0, table, end);
    this.#end = end;
    const origins = places.map((place, i) => {
      const { stride } = this.#levels[Math.floor(i / 3)];
      return place + BORDER * (stride + PIXEL_BYTES);
    });
    this.#kernel.ints.set(origins, table / 4);
    const slot: Slot = { image: undefined, table, planes: origins, used: 0 };
    this.#slots.push(slot);
    return slot;
  }

  #build(image: GreyImage, slot: Slot): void {
    const { functions, bytes } = this.#kernel;
    const { planes } = slot;
    slot.image = image;
    bytes.set(image.data, this.#staged);
    this.#levels.forEach(({ width, height, stride }, i) => {
      const [luma, gx, gy] = [planes[3 * i], planes[3 * i + 1], planes[3 * i + 2]];
      if (i === 0) functions.loadLuma(this.#staged, width, height, luma, stride);
      else {
        const below = this.#levels[i - 1];
        functions.halveLuma(
          ...([planes[3 * i - 3], below.stride, below.width, below.height] as const),
          ...([this.#blended, luma, stride] as const),
        );
      }
      functions.gradientsOf(luma, stride, width, height, gx, gy);
    });
  }
}

const levelOf = (width: number, height: number): Level => {
  const stride = PIXEL_BYTES * (width + 2 * BORDER);
  return { width, height, stride, bytes: stride * (height + 2 * BORDER) };
};
