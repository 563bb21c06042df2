import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { roiAlign } from '../../src/runtime/ops/roi-align.js';
import { roiMaxPool } from '../../src/runtime/ops/roi-max-pool.js';
import { tf, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import { assertNumericGradient, difference, numbers } from './gradient-check.js';

const as4 = (x: Tensor): Tensor4D => x as Tensor4D;

/** Regions on, across and beyond the edge of a map, large and less than a cell. */
const awkwardRois = (height: number, width: number, count = 12): Float32Array => {
  const random = RandomStream.of(5, 'rois');
  const rois = [0, 0, width, height, 2, 2, 2.1, 2.1, -3, -2, 1, 1.5, width - 0.5, 1, width + 4, 3, -9, -9, -7, -7];
  while (rois.length < count * 4) {
    const [x, y] = [random.uniform(-1, width - 1), random.uniform(-1, height - 1)];
    rois.push(x, y, x + random.uniform(0.2, width), y + random.uniform(0.2, height));
  }
  return Float32Array.from(rois);
};

/** The definition, sample by sample. */
const slowAlign = (map: Tensor4D, rois: Float32Array, bins: number, samples: number): number[] => {
  const [, height, width, channels] = map.shape;
  const values = map.dataSync();
  const out: number[] = [];
  const read = (y: number, x: number, c: number): number => {
    if (y < -1 || y > height || x < -1 || x > width) return 0;
    const [row, column] = [Math.min(Math.max(y, 0), height - 1), Math.min(Math.max(x, 0), width - 1)];
    const [top, left] = [Math.floor(row), Math.floor(column)];
    const at = (r: number, k: number): number =>
      values[(Math.min(r, height - 1) * width + Math.min(k, width - 1)) * channels + c]!;
    const [down, along] = [row - top, column - left];
    return (
      (1 - down) * ((1 - along) * at(top, left) + along * at(top, left + 1)) +
      down * ((1 - along) * at(top + 1, left) + along * at(top + 1, left + 1))
    );
  };
  for (let r = 0; r < rois.length; r += 4) {
    const [x0, y0, x1, y1] = [...rois.subarray(r, r + 4)] as [number, number, number, number];
    const [binWidth, binHeight] = [(x1 - x0) / bins, (y1 - y0) / bins];
    const [across, down] = [binWidth, binHeight].map((size) => samples || Math.max(1, Math.ceil(size)));
    for (let by = 0; by < bins; by++)
      for (let bx = 0; bx < bins; bx++)
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let i = 0; i < down!; i++)
            for (let j = 0; j < across!; j++)
              sum += read(
                y0 + by * binHeight + ((i + 0.5) * binHeight) / down! - 0.5,
                x0 + bx * binWidth + ((j + 0.5) * binWidth) / across! - 0.5,
                c,
              );
          out.push(sum / (down! * across!));
        }
  }
  return out;
};

/** The definition, cell by cell. */
const slowMaxPool = (map: Tensor4D, rois: Float32Array, bins: number): number[] => {
  const [, height, width, channels] = map.shape;
  const values = map.dataSync();
  const out: number[] = [];
  for (let r = 0; r < rois.length; r += 4) {
    const [x0, y0, x1, y1] = [...rois.subarray(r, r + 4)].map(Math.round) as [number, number, number, number];
    const [columns, rows] = [Math.max(1, x1 - x0 + 1), Math.max(1, y1 - y0 + 1)];
    for (let by = 0; by < bins; by++)
      for (let bx = 0; bx < bins; bx++)
        for (let c = 0; c < channels; c++) {
          let most = -Infinity;
          for (let y = y0 + Math.floor((by * rows) / bins); y < y0 + Math.ceil(((by + 1) * rows) / bins); y++)
            for (let x = x0 + Math.floor((bx * columns) / bins); x < x0 + Math.ceil(((bx + 1) * columns) / bins); x++)
              if (y >= 0 && y < height && x >= 0 && x < width)
                most = Math.max(most, values[(y * width + x) * channels + c]!);
          out.push(most === -Infinity ? 0 : most);
        }
  }
  return out;
};

for (const backend of ['tensorflow', 'wasm'] as const)
  describe(`region ops on ${backend}`, () => {
    before(async function () {
      const info = await openRuntime({ threads: 1 });
      if (backend === 'tensorflow' && info.backend !== 'tensorflow') this.skip();
      if (backend === 'wasm' && info.backend === 'tensorflow') await openRuntime({ device: 'wasm' });
      await tf.ready();
    });
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());

    it('align: every cell is the mean of its bilinear samples, two a side or as many as it is long', () => {
      const map = as4(numbers([1, 7, 9, 3]));
      const rois = awkwardRois(7, 9);
      for (const [bins, samples] of [
        [3, 2],
        [2, 0],
        [1, 1],
      ] as const) {
        const expected = tf.tensor(slowAlign(map, rois, bins, samples), [rois.length / 4, bins, bins, 3]);
        assert.ok(difference(roiAlign(map, rois, { bins, samples }), expected) < 1e-5);
      }
    });

    it('align: on a map that rises evenly a cell reads its own middle, however the region lies between map cells', () => {
      // Cell i of the map holds i + 1/2, the place of its middle.
      const ramp = as4(tf.tile(tf.reshape(tf.add(tf.range(0, 10), 0.5), [1, 1, 10, 1]), [1, 6, 1, 1]));
      const read = roiAlign(ramp, Float32Array.of(2.3, 1, 7.1, 5), { bins: 2 }).dataSync();
      assert.ok(Math.abs(read[0]! - (2.3 + 1.2)) < 1e-5 && Math.abs(read[1]! - (2.3 + 3.6)) < 1e-5);
    });

    it('align: the gradient to the map is that of differences', () => {
      const rois = awkwardRois(5, 6);
      assertNumericGradient((map) => roiAlign(as4(map), rois, { bins: 3 }), [numbers([1, 5, 6, 2])]);
    });

    it('pool: every window is the largest of its whole cells, and 0 where it has none on the map', () => {
      const map = as4(numbers([1, 7, 9, 3]));
      const rois = awkwardRois(7, 9, 30);
      for (const bins of [1, 3, 6]) {
        const expected = tf.tensor(slowMaxPool(map, rois, bins), [rois.length / 4, bins, bins, 3]);
        assert.equal(difference(roiMaxPool(map, rois, { bins }), expected), 0);
      }
    });

    it('pool: the gradient goes to the largest cell alone, and windows that share it add up', () => {
      const rois = awkwardRois(5, 6);
      assertNumericGradient((map) => roiMaxPool(as4(map), rois, { bins: 2 }), [numbers([1, 5, 6, 2])], { step: 1e-3 });
      const map = as4(tf.tensor4d([0, 1, 9, 2, 3, 4, 5, 6, 7], [1, 3, 3, 1]));
      const whole = Float32Array.of(0, 0, 2, 2, 0, 0, 2, 2);
      const gradient = tf.grad((x) => tf.sum(roiMaxPool(as4(x), whole, { bins: 1 })))(map);
      assert.deepEqual([...gradient.dataSync()], [0, 0, 2, 0, 0, 0, 0, 0, 0]);
    });
  });

describe('region ops on many regions', () => {
  before(async () => {
    await openRuntime({ threads: 2 });
  });

  it('give the same bytes each time, forwards and backwards, with many in pieces as with few', () => {
    tf.tidy(() => {
      const map = as4(numbers([1, 6, 20, 128]));
      const rois = awkwardRois(6, 20, 1300);
      const some = rois.subarray(1050 * 4, 1150 * 4);
      const all = roiAlign(map, rois, { bins: 3 });
      const part = tf.slice(all, [1050, 0, 0, 0], [100, -1, -1, -1]);
      assert.ok(difference(part, roiAlign(map, some, { bins: 3 })) < 1e-5);
      for (const op of [roiAlign, roiMaxPool]) {
        const gradient = (): Tensor => tf.grad((x) => tf.sum(tf.square(op(as4(x), rois, { bins: 3 }))))(map);
        assert.equal(difference(gradient(), gradient()), 0);
      }
    });
  });

  it('want the map of one picture', () => {
    tf.tidy(() => {
      assert.throws(() => roiAlign(tf.zeros([2, 3, 3, 1]), new Float32Array(4), { bins: 1 }), /\[1, height/);
      assert.throws(() => roiMaxPool(tf.zeros([2, 3, 3, 1]), new Float32Array(4), { bins: 1 }), /\[1, height/);
    });
  });

  it('give no rows for no regions', () => {
    tf.tidy(() => {
      const map = as4(numbers([1, 4, 4, 2]));
      assert.deepEqual(roiAlign(map, new Float32Array(), { bins: 2 }).shape, [0, 2, 2, 2]);
      assert.deepEqual(roiMaxPool(map, new Float32Array(), { bins: 2 }).shape, [0, 2, 2, 2]);
    });
  });
});
