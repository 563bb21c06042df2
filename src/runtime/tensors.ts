import { createRequire } from 'node:module';

/**
 * tfjs, loaded once as CommonJS so that every room shares one engine with tfjs-node (which is CommonJS). Pure JavaScript until
 * `openRuntime` has chosen a backend: import `tf` freely, but call no op before.
 */
export const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');

export type {
  DataType,
  NamedTensorMap,
  Rank,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  TensorLike,
  Variable,
} from '@tensorflow/tfjs';
