import assert from 'node:assert/strict';
import {
  augmentationPolicies,
  drawAugmentation,
  identityDraw,
  type AugmentationName,
} from '../../src/images/augmentation.js';
import { PictureRenderer } from '../../src/images/render-picture.js';
import { RandomStream } from '../../src/numeric/random.js';
import { slowView } from './slow-renderer.js';

const mean = [0.5, 0.4, 0.3] as const;
const std = [0.2, 0.25, 0.3] as const;

const pictureOf = (size: number): Uint8Array => {
  const random = RandomStream.of(size, 'picture');
  return Uint8Array.from({ length: size * size * 3 }, () => random.integer(256));
};

/** The largest difference from the slow view, before normalisation. */
const apart = (rendered: Float32Array, slow: Float64Array): number =>
  slow.reduce((most, value, i) => Math.max(most, Math.abs(rendered[i]! * std[i % 3]! + mean[i % 3]! - value)), 0);

describe('rendered views', () => {
  for (const name of Object.keys(augmentationPolicies) as AugmentationName[]) {
    it(`of \`${name}\` agree with slow loops in float64 to a hundred-thousandth`, () => {
      const random = RandomStream.of(4, name);
      for (const [size, n] of [
        [32, 24],
        [19, 30],
        [50, 13],
      ] as const) {
        const source = pictureOf(size);
        const renderer = new PictureRenderer(n, mean, std);
        const rendered = new Float32Array(n * n * 3);
        for (let i = 0; i < 12; i++) {
          const draw = drawAugmentation(augmentationPolicies[name], random);
          renderer.render(source, size, draw, rendered, 0);
          const most = apart(rendered, slowView(source, size, draw, n));
          assert.ok(most < 1e-5, `${size} to ${n} px, draw ${i}: ${most} apart`);
        }
      }
    });
  }

  it('are the same when pictures of several sizes are rendered in between', () => {
    const renderers = [24, 9, 40].map((n) => ({ n, renderer: new PictureRenderer(n, mean, std) }));
    const random = RandomStream.of(5, 'turns');
    const draws = renderers.map(() => drawAugmentation(augmentationPolicies.simclr, random));
    const render = (which: number): Float32Array => {
      const { n, renderer } = renderers[which]!;
      const rendered = new Float32Array(n * n * 3);
      renderer.render(pictureOf(30), 30, draws[which]!, rendered, 0);
      return rendered;
    };
    const [first, second, third] = [render(0), render(1), render(2)];
    assert.deepEqual([render(2), render(1), render(0)], [third, second, first]);
  });

  it('are of pictures of one pixel, too', () => {
    const rendered = new Float32Array(5 * 5 * 3);
    const source = Uint8Array.of(10, 20, 30);
    new PictureRenderer(5, mean, std).render(source, 1, identityDraw, rendered, 0);
    assert.ok(apart(rendered, slowView(source, 1, identityDraw, 5)) < 1e-6);
  });
});
