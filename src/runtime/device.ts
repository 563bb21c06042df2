import { UsageError } from '../pipeline/usage-error.js';
import type { TensorflowBuild } from './libtensorflow.js';
import type { NvidiaState } from './nvidia.js';

/**
 * What to compute with. `auto` takes a GPU where there is one, else TensorFlow on the CPU, else wasm; the others are an order: what cannot
 * be had is an error.
 */
export type DeviceChoice = 'auto' | 'cpu' | 'gpu' | 'wasm';

/** Whether native TensorFlow is an order, so that wasm in its place is no answer: by the device, or by `VIDEO_SSL_REQUIRE_NATIVE=1`. */
export const isNativeOrdered = (device: DeviceChoice, env: NodeJS.ProcessEnv = process.env): boolean =>
  device === 'auto' ? env['VIDEO_SSL_REQUIRE_NATIVE'] === '1' : device !== 'wasm';

/** Which build of TensorFlow a choice leads to, and why it is not the GPU's where one might have been expected. */
export type BuildChoice = { readonly build: TensorflowBuild; readonly noGpuBecause?: string };

/**
 * Chooses TensorFlow's build for a device. `auto` says nothing of a GPU where there is none, and gives the reason where one is there
 * and cannot be used.
 *
 * @throws UsageError if `gpu` is asked for and there is none that can be used
 */
export function chooseBuild(device: Exclude<DeviceChoice, 'wasm'>, nvidia: NvidiaState): BuildChoice {
  if (device === 'cpu') return { build: 'cpu' };
  if (nvidia.state === 'ready') return { build: 'cuda' };
  const reason = nvidia.state === 'absent' ? nvidia.reason : `${nvidia.reason}. To mend it: ${nvidia.remedy}`;
  if (device === 'gpu')
    throw new UsageError(`Expected \`device\` to be one that this machine has, got \`gpu\`: ${reason}`);
  return nvidia.state === 'absent' ? { build: 'cpu' } : { build: 'cpu', noGpuBecause: reason };
}

/**
 * What TensorFlow reads from the environment as it loads, as far as nobody has set it: quiet, one op after the other (tfjs executes
 * synchronously, so threads between ops would only stand by), oneDNN's kernels (by itself TensorFlow takes them only on AVX-512
 * machines; without that they are as much faster). On a GPU also: memory as it is needed instead of all there is, and kernels that give the same
 * bytes each time.
 *
 * @param threads of one op; what is set already is overwritten, for runs record it
 */
export function setTensorflowEnvironment(build: TensorflowBuild, threads: number, env = process.env): void {
  env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  env['TF_NUM_INTEROP_THREADS'] = '1';
  env['OMP_NUM_THREADS'] = String(threads);
  env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  if (build === 'cpu') return;
  env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  env['TF_DETERMINISTIC_OPS'] ??= '1';
}
