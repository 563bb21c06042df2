import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { WasmKernel } from '../../src/numeric/wasm-kernel.js';
import type { GreyImage } from '../../src/tracking/grey-image.js';
import { HogExtractor } from '../../src/tracking/hog.js';
import { hannWindow } from '../../src/tracking/kcf-geometry.js';
import { kcfKernelBytes, type KcfKernel } from '../../src/tracking/kcf-kernel-bytes.js';
import { KernelFourier } from '../../src/tracking/kernel-fourier.js';
import { PatchSampler } from '../../src/tracking/sample-patch.js';
import { SPECTRUM_CHANNELS, WindowSpectrum } from '../../src/tracking/window-spectrum.js';
import { renderLuma, texture } from './rendered.js';
import { slowFourier } from './slow-fourier.js';

const open = (): WasmKernel<KcfKernel> => new WasmKernel<KcfKernel>(kcfKernelBytes);

describe('Kernel of the correlation tracker', () => {
  for (const [rows, columns, channels] of [
    [8, 12, 4],
    [20, 9, 16],
    [25, 24, 8],
    [16, 30, 4],
  ] as const) {
    it(`transforms ${rows} x ${columns} cells of ${channels} channels as the sum it is defined by, and back`, () => {
      const random = RandomStream.of(1, 'kernel fourier', rows, columns);
      const count = rows * columns * channels;
      const [re, im] = [0, 1].map(() => Float64Array.from({ length: count }, () => Math.fround(random.normal())));
      const kernel = open();
      const fourier = new KernelFourier(kernel, rows, columns, 16);
      const [atRe, atIm] = kernel.place([4 * count, 4 * count], fourier.end);
      kernel.floats.set(re, atRe / 4);
      kernel.floats.set(im, atIm / 4);
      const worst = (expected: readonly Float64Array[], factor: number): number =>
        expected.reduce((most, wanted, part) => {
          const at = [atRe, atIm][part] / 4;
          return wanted.reduce((m, value, i) => Math.max(m, Math.abs(kernel.floats[at + i] * factor - value)), most);
        }, 0);
      fourier.transform(atRe, atIm, channels);
      const forward = worst(slowFourier(re, im, [rows, columns, channels]), 1);
      assert.ok(forward < 1e-4, `forward: ${forward}`);
      fourier.transform(atIm, atRe, channels);
      const back = worst([re, im], 1 / (rows * columns));
      assert.ok(back < 1e-6, `back: ${back}`);
    });
  }

  const image: GreyImage = { width: 61, height: 47, data: renderLuma(61, 47, texture(3, 4)) };

  for (const [where, centreX, centreY, step, rows, columns, cell] of [
    ['inside the picture', 30.3, 22.8, 0.61, 10, 12, 4],
    ['over two borders', 3.1, 45.2, 0.83, 8, 9, 4],
    ['larger than the picture', 30, 20, 2.7, 9, 8, 8],
    ['outside the picture', -90, 120, 0.9, 8, 8, 4],
  ] as const) {
    it(`sees a window ${where} as sampling, histograms and transform in double precision do`, () => {
      const kernel = open();
      const fourier = new KernelFourier(kernel, rows, columns, SPECTRUM_CHANNELS);
      const window = new WindowSpectrum(kernel, rows, columns, cell, fourier, fourier.end);
      const [picture, blended] = kernel.place([image.data.length + 4, 4 * (image.width + 6)], window.end);
      kernel.bytes.set(image.data, picture);
      const energy = window.read(image, picture, blended, centreX, centreY, step);

      const hog = new HogExtractor(rows, columns, cell);
      const sampler = new PatchSampler(hog.patchWidth, hog.patchHeight);
      sampler.read(image, centreX, centreY, step);
      const cells = rows * columns;
      const [re, im] = [new Float64Array(cells * 16), new Float64Array(cells * 16)];
      const wantedEnergy = hog.extract(sampler.patch, hannWindow(rows, columns), re, im);
      assert.ok(Math.abs(energy - wantedEnergy) <= 1e-5 * wantedEnergy, `energy ${energy}, expected ${wantedEnergy}`);
      // The kernel packs channels 0 to 15 as real parts and 16 to 31 as imaginary ones, the extractor even and odd ones.
      for (let at = 0; at < cells * 16; at += 16) {
        const channel = (c: number): number => (c % 2 === 0 ? re : im)[at + (c >> 1)];
        const all = Array.from({ length: 32 }, (_, c) => channel(c));
        re.set(all.slice(0, 16), at);
        im.set(all.slice(16), at);
      }
      const [wantedRe, wantedIm] = slowFourier(re, im, [rows, columns, 16]);
      for (let i = 0; i < cells * 16; i++) {
        const [a, b] = [kernel.floats[window.re / 4 + i], kernel.floats[window.im / 4 + i]];
        assert.ok(
          Math.hypot(a - wantedRe[i], b - wantedIm[i]) < 2e-4,
          `value ${i}: ${a} + ${b} i, expected ${wantedRe[i]} + ${wantedIm[i]} i`,
        );
      }
    });
  }
});
