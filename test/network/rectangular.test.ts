import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { cloneTrunk } from '../../src/network/clone-trunk.js';
import { hashTrunk } from '../../src/network/weights.js';
import type { Trunk } from '../../src/network/trunk.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import { difference, numbers } from '../runtime/gradient-check.js';

describe('pictures of any size', () => {
  let trunk: Trunk;
  before(async () => {
    await openRuntime({ threads: 1 });
    trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
  });
  after(() => trunk.dispose());
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('give maps of other sizes, whose cells lie as many pixels apart as the layer says', () => {
    const picture = numbers([1, 128, 224, 3]) as Tensor4D;
    for (const { name, stride } of trunk.layers.filter((layer) => layer.stride !== undefined)) {
      const map = trunk.features(picture, [name], 'eval')[name] as Tensor4D;
      const shifted = tf.slice4d(picture, [0, 0, stride!, 0], [1, 128, 224 - stride!, 3]);
      const other = trunk.features(shifted, [name], 'eval')[name] as Tensor4D;
      const [, height, width, channels] = map.shape;
      assert.deepEqual([height, width], [Math.floor(128 / stride!), Math.floor(224 / stride!)], name);
      // Away from the edges, of which the left one has moved: the far half of the map.
      const from = Math.ceil(width / 2);
      const own = tf.slice4d(map, [0, 0, from, 0], [1, height, 1, channels]);
      assert.ok(difference(own, tf.slice4d(other, [0, 0, from - 1, 0], [1, height, 1, channels])) < 1e-4, name);
    }
  });

  it('are seen by each cell around the middle that the layer names', () => {
    const picture = numbers([1, 96, 96, 3], 4) as Tensor4D;
    for (const [name, cell] of [
      ['conv1', 12],
      ['conv2', 6],
    ] as const) {
      const { stride, offset } = trunk.layers.find((layer) => layer.name === name)!;
      const read = (x: Tensor): Tensor => {
        const map = trunk.features(x as Tensor4D, [name], 'eval')[name] as Tensor4D;
        return tf.sum(tf.slice4d(map, [0, cell, cell, 0], [1, 1, 1, -1]));
      };
      const gradient = tf.max(tf.abs(tf.grad(read)(picture)), [0, 1, 3]);
      const seen = [...gradient.dataSync()].flatMap((value, column) => (value > 0 ? [column] : []));
      const middle = (seen[0]! + seen.at(-1)! + 1) / 2;
      assert.ok(Math.abs(middle - (offset! + cell * stride!)) <= 1, `${name}: ${middle}`);
    }
  });

  it('do not pass for the one size that dense layers know', () => {
    assert.throws(
      () => trunk.features(numbers([1, 96, 160, 3]) as Tensor4D, ['fc'], 'eval'),
      /\[3, 3, 128\].*\[3, 5, 128\]/,
    );
  });

  it('a copy of a network has its weights, and keeps them when the other changes', () => {
    const copy = cloneTrunk(trunk);
    const before = hashTrunk(trunk);
    assert.equal(hashTrunk(copy), before);
    copy.variables.get('fc.0.bias')!.assign(tf.ones([512]));
    copy.buffers.get('features.1.running_mean')!.assign(tf.ones([48]));
    assert.equal(hashTrunk(trunk), before);
    assert.notEqual(hashTrunk(copy), before);
    copy.dispose();
  });
});
