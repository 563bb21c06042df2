import { createRequire } from 'node:module';

/** A matrix in OpenCV's own memory, which nobody collects: call `delete`. The views are stale after any call that may grow that memory. */
export type Mat = {
  readonly rows: number;
  readonly cols: number;
  readonly data: Uint8Array;
  readonly data32F: Float32Array;
  readonly data64F: Float64Array;
  delete(): void;
};

/** The part of OpenCV 4.3 (WebAssembly) that this project calls. */
export type OpenCv = {
  readonly Mat: { new (): Mat; new (rows: number, cols: number, type: number): Mat };
  readonly Size: new (width: number, height: number) => unknown;
  readonly TermCriteria: new (type: number, count: number, epsilon: number) => unknown;
  readonly CV_8UC1: number;
  readonly CV_32FC2: number;
  readonly RANSAC: number;
  readonly TermCriteria_COUNT: number;
  readonly TermCriteria_EPS: number;
  setRNGSeed(seed: number): void;
  goodFeaturesToTrack(image: Mat, corners: Mat, count: number, quality: number, minDistance: number): void;
  calcOpticalFlowPyrLK(
    ...args: [Mat, Mat, Mat, Mat, Mat, Mat, size: unknown, maxLevel: number, criteria: unknown]
  ): void;
  findHomography(from: Mat, to: Mat, method: number, threshold: number, mask: Mat): Mat;
  exceptionFromPtr?(pointer: number): { readonly msg: string };
};

/**
 * OpenCV for this thread, the only place that loads it: once (Node's module cache keeps it), blocking for about 0.3 s. The library
 * installs handlers for uncaught exceptions and rejections that would end the process; they are taken out again.
 */
export const openCv = (): OpenCv => {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  const { cv } = createRequire(import.meta.url)('opencv-wasm') as { cv: OpenCv };
  events.forEach((event, i) => {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[i].includes(listener)) process.removeListener(event, listener);
    }
  });
  return cv;
};

/** Runs a call into OpenCV; what it throws (a bare pointer) becomes an Error with OpenCV's own message. */
export const callOpenCv = <T>(cv: OpenCv, call: () => T): T => {
  try {
    return call();
  } catch (error) {
    if (typeof error !== 'number') throw error;
    throw new Error(`OpenCV: ${cv.exceptionFromPtr?.(error).msg ?? `exception at ${error}`}`);
  }
};
