import { WasmKernel } from '../numeric/wasm-kernel.js';
import { flowKernelBytes, type FlowKernel } from './flow-kernel-bytes.js';
import { FlowPyramids } from './flow-pyramids.js';
import type { GreyImage } from './grey-image.js';
import type { PointList } from './point-list.js';

/** How points are followed. */
export type FlowOptions = {
  /** Side of the window around a point, pixels of each level: odd, 3 to 15. */
  readonly windowPx: number;
  /** Levels above the image, each half as large; those not larger than the window are left out. */
  readonly levels: number;
};

/** A point has arrived on a level after so many steps, or one shorter than this, pixels. */
const STEPS = 20;
const EPSILON_PX = 0.01;
/** Least eigenvalue of `sum grad grad'` a pixel of the window, where luma is 0 to 255 and `grad` is the slope over 32: OpenCV's unit and default. */
const MIN_EIGENVALUE = 1e-4;
/** A window of 16 x 16 int16. */
const WINDOW_BYTES = 512;
/** Pyramids kept: those of the frames that one time-step looks at. Some 0.7 MB each at the usual size. */
const KEPT = 12;

/**
 * Pyramidal Lucas-Kanade flow of points (Lucas & Kanade 1981; Bouguet 2000), in WebAssembly (`kernels/flow.ts`), with the conventions of
 * OpenCV's `calcOpticalFlowPyrLK`: Scharr gradients, borders mirrored, a point lost where its window is flat or leaves the picture. Keeps the pyramids of the images that it
 * saw last, so images must not change after they were given; `clear` lets go of them.
 */
export class OpticalFlow {
  readonly #kernel = new WasmKernel<FlowKernel>(flowKernelBytes);
  readonly #pyramids: FlowPyramids;
  readonly #window: number;

  /** Throws a RangeError for a window that the kernel cannot hold. */
  constructor({ windowPx, levels }: FlowOptions) {
    if (!(Number.isInteger(windowPx) && windowPx >= 3 && windowPx <= 15 && windowPx % 2 === 1)) {
      throw new RangeError(`Expected \`windowPx\` to be an odd number from 3 to 15, got \`${windowPx}\``);
    }
    if (!(Number.isInteger(levels) && levels >= 0)) {
      throw new RangeError(`Expected \`levels\` to be a whole number of at least 0, got \`${levels}\``);
    }
    this.#window = windowPx;
    this.#pyramids = new FlowPyramids(this.#kernel, KEPT, levels, windowPx);
  }

  /**
   * Follows points of the first image into the second, of the same size; coordinates in pixels, those of a pixel's centre are whole. A point that is
   * lost, or was before (NaN), is NaN in both coordinates; one that is followed may lie outside of the image by up to half a window.
   */
  follow(first: GreyImage, second: GreyImage, { x, y }: PointList): PointList {
    if (first.width !== second.width || first.height !== second.height) {
      throw new RangeError(
        `Expected two images of one size, got ${first.width} x ${first.height} and ${second.width} x ${second.height}`,
      );
    }
    const pyramids = this.#pyramids;
    const kernel = this.#kernel;
    const from = pyramids.of(first);
    const to = pyramids.of(second);
    const count = x.length;
    const [points, ends, scratch] = kernel.place([8 * count, 8 * count, 3 * WINDOW_BYTES], pyramids.end);
    const { floats } = kernel;
    for (let i = 0; i < count; i++) {
      floats[points / 4 + 2 * i] = x[i];
      floats[points / 4 + 2 * i + 1] = y[i];
    }
    kernel.functions.followPoints(
      ...([from, to, pyramids.sizes, pyramids.levels, points, ends, count] as const),
      ...([this.#window, STEPS, EPSILON_PX, MIN_EIGENVALUE, scratch] as const),
    );
    const end = { x: new Float32Array(count), y: new Float32Array(count) };
    for (let i = 0; i < count; i++) {
      end.x[i] = floats[ends / 4 + 2 * i];
      end.y[i] = floats[ends / 4 + 2 * i + 1];
    }
    return end;
  }

  /** Lets go of the images that were given. */
  clear(): void {
    this.#pyramids.clear();
  }
}
