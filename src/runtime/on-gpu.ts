import { tf } from './tensors.js';

/** Whether native TensorFlow computes on a GPU. Ops ask where a device has no kernel, or a slower or less exact one. */
export function isOnGpu(): boolean {
  return (
    tf.getBackend() === 'tensorflow' &&
    (tf.backend() as unknown as { readonly isUsingGpuDevice: boolean }).isUsingGpuDevice
  );
}
