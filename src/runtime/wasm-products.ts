import type { BatchMatMulAttrs, KernelFunc, TensorInfo } from '@tensorflow/tfjs';
import { tf } from './tensors.js';

/** What is used of the wasm backend. */
type Backend = { disposeData(dataId: object): boolean };

/**
 * Has the wasm backend transpose the factors of a product first, where it is asked for a product with a transposed one, as every gradient of
 * a product does: its vectors and tiles know plain products only, and for all others it has three plain loops (measured in a transfer to
 * detection: 263 of 431 s). Called once, after the backend has started.
 */
export function transposeBeforeProducts(): void {
  for (const kernelName of ['BatchMatMul', '_FusedMatMul']) {
    const kernel = tf.getKernel(kernelName, 'wasm');
    if (wrapped.has(kernel.kernelFunc)) continue;
    const kernelFunc = transposingFirst(kernel.kernelFunc);
    wrapped.add(kernelFunc);
    tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ ...kernel, kernelFunc });
  }
}

/**
 * Longer sums stay with the loops, which add block by block: the fast kernel adds in one chain of float32, and loses a digit more (a covariance of
 * 5000 points: 1e-3 off, 1e-4 in blocks).
 */
const mostTerms = 1024;

const wrapped = new WeakSet<KernelFunc>();

const transposingFirst =
  (product: KernelFunc): KernelFunc =>
  (call) => {
    const { transposeA, transposeB } = call.attrs as unknown as BatchMatMulAttrs;
    const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
    const terms = a.shape.at(transposeA ? -2 : -1)!;
    if ((!transposeA && !transposeB) || terms > mostTerms) return product(call);
    const backend = call.backend as Backend;
    const own: TensorInfo[] = [];
    const turn = (x: TensorInfo): TensorInfo => {
      own.push(transpose(x, call.backend));
      return own.at(-1)!;
    };
    const inputs = { ...call.inputs, a: transposeA ? turn(a) : a, b: transposeB ? turn(b) : b };
    const result = product({ ...call, inputs, attrs: { ...call.attrs, transposeA: false, transposeB: false } });
    for (const { dataId } of own) backend.disposeData(dataId);
    return result;
  };

/** The last two dimensions changed about. */
function transpose(x: TensorInfo, backend: object): TensorInfo {
  const rank = x.shape.length;
  const perm = [...x.shape.keys()].map((i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return tf.getKernel('Transpose', 'wasm').kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as TensorInfo;
}
