import assert from 'node:assert/strict';
import { openRuntime } from '../../src/runtime/open.js';
import { conv2d } from '../../src/runtime/ops/conv2d.js';
import { hasOnednn } from '../../src/runtime/ops/onednn.js';
import { winogradConv3x3, winogradTile } from '../../src/runtime/ops/winograd-conv.js';
import { winogradTransforms } from '../../src/runtime/ops/winograd-transforms.js';
import { tf, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import { assertNumericGradient, assertSameGradients, difference, numbers } from './gradient-check.js';

const as4 = (x: Tensor): Tensor4D => x as Tensor4D;

/** Maps that tiles fill, that they reach beyond, and that are no squares. */
const sides = [
  [6, 6],
  [4, 8],
  [7, 5],
  [1, 3],
] as const;

/** `matrix [rows, columns] vector`, in double precision. */
const times = (matrix: Float32Array, vector: ArrayLike<number>): Float64Array => {
  const columns = vector.length;
  return Float64Array.from({ length: matrix.length / columns }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += matrix[row * columns + i]! * vector[i]!;
    return sum;
  });
};

describe('Winograd convolution', () => {
  before(() => openRuntime({ threads: 1 }));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('has transforms that give every cell of one channel the sum over its window, zeros around the map', () => {
    for (const tile of [3, 4] as const) {
      for (const [height, width] of sides) {
        const { points, tiles, input, filter, output } = winogradTransforms(height, width, tile);
        const map = Float64Array.from({ length: height * width }, (_, i) => Math.sin(3 * i + 1));
        const weights = Float64Array.from({ length: 9 }, (_, i) => Math.cos(5 * i));
        const [maps, filters] = [times(input, map), times(filter, weights)];
        assert.equal(maps.length, points * tiles);
        const found = times(
          output,
          maps.map((value, i) => value * filters[Math.floor(i / tiles)]!),
        );
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            let expected = 0;
            for (let i = 0; i < 3; i++) {
              for (let j = 0; j < 3; j++) {
                const [row, column] = [y + i - 1, x + j - 1];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                expected += map[row * width + column]! * weights[i * 3 + j]!;
              }
            }
            const off = Math.abs(found[y * width + x]! - expected);
            assert.ok(off < 1e-6, `tile ${tile}, ${height} x ${width}, cell ${y}, ${x}: off by ${off}`);
          }
        }
      }
    }
  });

  it('is the plain convolution, and so are its gradients', () => {
    for (const tile of [3, 4] as const) {
      for (const [height, width] of sides) {
        const [x, weight] = [numbers([3, height, width, 5]), numbers([3, 3, 5, 4], 2)];
        const own = (image: Tensor, filters: Tensor): Tensor => winogradConv3x3(as4(image), as4(filters), tile);
        const plain = (image: Tensor, filters: Tensor): Tensor => tf.conv2d(as4(image), as4(filters), 1, 'same');
        assert.ok(difference(own(x, weight), plain(x, weight)) < 2e-5);
        if (tf.getBackend() === 'tensorflow') assertSameGradients(own, plain, [x, weight]);
        assertNumericGradient(own, [x, weight]);
      }
    }
  });

  it('rounds at most five times as much as the plain convolution does', () => {
    const [x, weight] = [tf.relu(numbers([2, 8, 8, 128])), numbers([3, 3, 128, 16], 2)];
    const rows = (y: Tensor): Float32Array => y.dataSync<'float32'>();
    const [map, filters] = [rows(x), rows(weight)];
    const exact = new Float64Array(2 * 8 * 8 * 16);
    exact.forEach((_, at) => {
      const [output, column, row, image] = [at % 16, (at >> 4) % 8, (at >> 7) % 8, at >> 10];
      for (let i = Math.max(0, 1 - row); i < Math.min(3, 9 - row); i++) {
        for (let j = Math.max(0, 1 - column); j < Math.min(3, 9 - column); j++) {
          const from = ((image * 8 + row + i - 1) * 8 + column + j - 1) * 128;
          for (let c = 0; c < 128; c++) exact[at]! += map[from + c]! * filters[((i * 3 + j) * 128 + c) * 16 + output]!;
        }
      }
    });
    const error = (y: Tensor): number => Math.hypot(...rows(y).map((value, i) => value - exact[i]!));
    const plain = error(tf.conv2d(as4(x), as4(weight), 1, 'same'));
    for (const tile of [3, 4] as const) {
      const ratio = error(winogradConv3x3(as4(x), as4(weight), tile)) / plain;
      assert.ok(ratio < 5, `tile ${tile}: ${ratio} times as much`);
    }
  });

  it('is taken for small maps of many channels alone, and then there is no other convolution', function () {
    assert.equal(winogradTile([64, 6, 6, 192], 192), 3);
    assert.equal(winogradTile([128, 4, 4, 512], 512), 4);
    assert.equal(winogradTile([128, 8, 8, 256], 256), 4);
    // Large maps, few channels, and one picture, for which turning the filters would not pay.
    for (const [shape, outputs] of [
      [[32, 56, 56, 64], 64],
      [[64, 6, 6, 16], 16],
      [[1, 6, 6, 192], 192],
    ] as const)
      assert.equal(winogradTile([...shape], outputs), undefined);
    if (!hasOnednn()) return this.skip();
    const [x, weight] = [numbers([16, 4, 4, 96]), numbers([3, 3, 96, 96], 2)];
    assert.equal(winogradTile([16, 4, 4, 96], 96), 4);
    const own = (image: Tensor, filters: Tensor): Tensor => conv2d(as4(image), as4(filters), { pad: 1 });
    const plain = (image: Tensor, filters: Tensor): Tensor => tf.conv2d(as4(image), as4(filters), 1, 'same');
    assert.deepEqual(
      own(x, weight).dataSync(),
      winogradConv3x3(as4(x), as4(weight), 4).dataSync(),
      'expected the tiles of side 4',
    );
    assertSameGradients(own, plain, [x, weight]);
  });
});
