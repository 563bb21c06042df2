import type { Trunk } from '../src/network/trunk.js';
import { cropAndResize } from '../src/runtime/ops/crop-and-resize.js';
import { roiAlign } from '../src/runtime/ops/roi-align.js';
import { roiMaxPool } from '../src/runtime/ops/roi-max-pool.js';
import { tf, type Scalar, type Tensor4D } from '../src/runtime/tensors.js';
import type { Method } from '../src/training/method.js';

const regions = 6;
const bins = 3;

/**
 * A method that means nothing, out of the ops that detection reads regions with: crops of the pictures, RoI pooling and RoIAlign of their
 * maps, cross-entropy is left to others. The views are those of another method.
 */
export const createRegions = <V>({ views }: Pick<Method<V>, 'views'>): Method<V> => {
  let trunk: Trunk | undefined;
  return {
    name: 'regions',
    views,
    init: (network) => (trunk = network),
    variables: () => new Map(),
    step: ([images], { random }) => {
      const [count, side] = images!.shape;
      const crops = Array.from({ length: count }, (_, image) => {
        const [x, y] = [random.uniform(0, side / 3), random.uniform(0, side / 3)];
        return { image, box: { x, y, width: side / 2, height: side / 2 }, flip: random.chance(0.5) };
      });
      const cut = cropAndResize(images!, crops, side);
      const { conv5 } = trunk!.features(cut, ['conv5'], 'train') as { conv5: Tensor4D };
      const cells = conv5.shape[1];
      const pooled = Array.from({ length: count }, (_, image) => {
        const map = tf.slice(conv5, [image, 0, 0, 0], [1, -1, -1, -1]) as Tensor4D;
        const rois = Float32Array.from({ length: 4 * regions }, (_, i) =>
          i % 4 < 2 ? random.uniform(0, cells / 2) : random.uniform(cells / 2, cells),
        );
        return [roiMaxPool(map, rois, { bins }), roiAlign(map, rois, { bins })];
      }).flat();
      return { loss: tf.mean(tf.square(tf.sub(tf.concat4d(pooled, 0), 1))) as Scalar, signals: {} };
    },
    uniformLoss: () => 1,
    save: () => ({}),
    load: () => {},
    dispose: () => {},
  };
};
