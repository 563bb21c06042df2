import assert from 'node:assert/strict';
import { cutGrid } from '../../src/contrast/patch-grid.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';

/** Every pixel is a number of its own: picture * 10000 + row * 100 + column, and half of one more in channel 1. */
const numbered = (batch: number, side: number): Tensor4D =>
  tf.tensor4d(
    Array.from({ length: batch * side * side * 2 }, (_, at) => {
      const pixel = Math.floor(at / 2);
      const [x, y, i] = [pixel % side, Math.floor(pixel / side) % side, Math.floor(pixel / (side * side))];
      return i * 10000 + y * 100 + x + (at % 2) / 2;
    }),
    [batch, side, side, 2],
  );

describe('grid of patches', () => {
  before(() => openRuntime({ threads: 1 }));

  it('cuts picture by picture, row by row, exact copies', () => {
    tf.tidy(() => {
      const patches = cutGrid(numbered(2, 9), { cells: 3, patch: 2 });
      assert.deepEqual(patches.shape, [18, 2, 2, 2]);
      const values = patches.arraySync();
      for (let n = 0; n < 18; n++) {
        const [i, row, column] = [Math.floor(n / 9), Math.floor((n % 9) / 3), n % 3];
        for (let y = 0; y < 2; y++) {
          for (let x = 0; x < 2; x++) {
            const value = i * 10000 + (3 * row + y) * 100 + 3 * column + x;
            assert.deepEqual(values[n]![y]![x], [value, value + 0.5]);
          }
        }
      }
    });
  });

  it('lets patches overlap where the stride is below their side', () => {
    tf.tidy(() => {
      const values = cutGrid(numbered(1, 8), { cells: 3, patch: 4, stride: 2 }).arraySync();
      assert.deepEqual(
        values.map((patch) => patch[0]![0]![0]),
        [0, 2, 4, 200, 202, 204, 400, 402, 404],
      );
      assert.deepEqual(values[0]![2], values[3]![0]);
    });
  });

  it('moves each patch by 0 to jitter px, both ways, each by its own draw', () => {
    tf.tidy(() => {
      const values = cutGrid(numbered(40, 9), {
        cells: 3,
        patch: 1,
        jitter: 2,
        random: RandomStream.of(1),
      }).arraySync();
      const seen = new Set<number>();
      values.forEach((patch, n) => {
        const local = patch[0]![0]![0]! - Math.floor(n / 9) * 10000;
        const [down, right] = [Math.floor(local / 100) - 3 * Math.floor((n % 9) / 3), (local % 100) - 3 * (n % 3)];
        assert.ok(down >= 0 && down <= 2 && right >= 0 && right <= 2, `moved by ${down}, ${right}`);
        seen.add(down * 3 + right);
      });
      assert.equal(seen.size, 9);
    });
  });

  it('draws the same patches from the same stream', () => {
    tf.tidy(() => {
      const images = numbered(3, 12);
      const cut = () => cutGrid(images, { cells: 3, patch: 2, jitter: 2, random: RandomStream.of(7) }).dataSync();
      assert.deepEqual(cut(), cut());
    });
  });

  it('refuses grids that do not fit, pictures that are not square, and jitter without a stream', () => {
    const images = numbered(1, 9);
    assert.throws(() => cutGrid(images, { cells: 3, patch: 4 }), /at least 10 px for 3 x 3 patches of 4 px.*got 9 px/);
    assert.throws(() => cutGrid(images, { cells: 3, patch: 3, jitter: 1 }), /at least 10 px/);
    assert.throws(() => cutGrid(images, { cells: 0, patch: 3 }), /Expected `cells`/);
    assert.throws(() => cutGrid(images, { cells: 3, patch: 1.5 }), /Expected `patch`.*got `1.5` \(number\)/);
    assert.throws(() => cutGrid(images, { cells: 2, patch: 2, jitter: 1 }), /Expected `random`/);
    assert.throws(() => cutGrid(tf.zeros([1, 9, 8, 3]), { cells: 2, patch: 2 }), /square pictures, got 9 x 8 px/);
    images.dispose();
  });
});
