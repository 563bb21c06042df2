import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { UsageError } from '../pipeline/usage-error.js';
import type { Log } from '../provision/log.js';
import { setTensorflowEnvironment, type DeviceChoice } from './device.js';
import { loadNative } from './load-native.js';
import { ensureForDevice } from './setup.js';
import { tf } from './tensors.js';
import { transposeBeforeProducts } from './wasm-products.js';
import { withWasmThreads } from './wasm-threads.js';

export type { DeviceChoice } from './device.js';

const require = createRequire(import.meta.url);

/** Which runtime a process computes with. Part of every run's record: equal seeds give equal bytes only on equal runtime and threads. */
export type RuntimeInfo = {
  readonly backend: 'tensorflow' | 'wasm';
  readonly device: 'cpu' | 'gpu';
  /** Of TensorFlow's library, or of the wasm backend. */
  readonly version: string;
  /** Threads that one op may use. */
  readonly threads: number;
  /** Why it is not native TensorFlow, where `auto` had to fall back: a sentence and the command that mends it. */
  readonly fallbackReason?: string;
  /** Why it is not the GPU, where there is one and `auto` could not take it. */
  readonly noGpuBecause?: string;
  /** What the choice costs, in a sentence. */
  readonly cost?: string;
};

/**
 * Chooses the backend and makes it tfjs's current one, setting TensorFlow up first if need be. Call once a process, before the
 * first tensor: TensorFlow reads its thread counts from the environment as it loads.
 *
 * @param options.threads threads of one op. @default all that the process may use
 * @throws UsageError if `cpu` or `gpu` was asked for and cannot be had, or if `VIDEO_SSL_REQUIRE_NATIVE=1` and `auto` would fall back
 */
export async function openRuntime({
  device = 'auto',
  threads = availableParallelism(),
  log = () => {},
}: {
  readonly device?: DeviceChoice;
  readonly threads?: number;
  readonly log?: Log;
} = {}): Promise<RuntimeInfo> {
  if (!Number.isInteger(threads) || threads < 1)
    throw new UsageError(`Expected \`threads\` to be a whole number above 0, got \`${threads}\` (${typeof threads})`);
  if (device === 'wasm') return openWasm(threads);
  const native = await ensureForDevice(device, log);
  if (native.kind === 'fallback') {
    if (device !== 'auto')
      throw new UsageError(`Expected \`device\` to be one that this machine has, got \`${device}\`: ${native.reason}`);
    if (process.env['VIDEO_SSL_REQUIRE_NATIVE'] === '1')
      throw new UsageError(`VIDEO_SSL_REQUIRE_NATIVE=1 forbids the slow fallback. ${native.reason}`);
    return openWasm(threads, native.reason);
  }
  setTensorflowEnvironment(native.build, threads);
  loadNative(native.addon);
  // Loading makes it the backend only the first time; another one may have been chosen since.
  if (!(await tf.setBackend('tensorflow'))) throw new Error('The TensorFlow backend of tfjs did not start.');
  const { binding, isUsingGpuDevice } = tf.backend() as unknown as {
    binding: { TF_Version: string };
    isUsingGpuDevice: boolean;
  };
  const noGpuBecause = native.build === 'cuda' && !isUsingGpuDevice ? FOUND_NONE : native.noGpuBecause;
  if (device === 'gpu' && !isUsingGpuDevice)
    throw new UsageError(`Expected \`device\` to be one that this machine has, got \`gpu\`: ${FOUND_NONE}`);
  return {
    backend: 'tensorflow',
    device: isUsingGpuDevice ? 'gpu' : 'cpu',
    version: binding.TF_Version,
    threads,
    ...(noGpuBecause === undefined ? {} : { noGpuBecause }),
  };
}

const FOUND_NONE =
  'the NVIDIA driver is there, but TensorFlow found no GPU that it can use; TF_CPP_MIN_LOG_LEVEL=0 and TF_CPP_MAX_VLOG_LEVEL=1 have it say why';

async function openWasm(threads: number, fallbackReason?: string): Promise<RuntimeInfo> {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  const dist = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(`${dist}${path.sep}`);
  if (!(await withWasmThreads(threads, () => tf.setBackend('wasm'))))
    throw new Error('The wasm backend of tfjs did not start.');
  transposeBeforeProducts();
  return {
    backend: 'wasm',
    device: 'cpu',
    version: wasm.version_wasm,
    threads: wasm.getThreadsCount(),
    ...(fallbackReason === undefined ? {} : { fallbackReason }),
    cost: 'training takes some 5 times as long as with native TensorFlow on one thread',
  };
}

/** A runtime as checkpoints and results record it: what decides bytes beside the threads. A build that could use a GPU and does not counts as the CPU's. */
export const nameOfRuntime = ({
  backend,
  version,
  device,
}: Pick<RuntimeInfo, 'backend' | 'version' | 'device'>): string =>
  `${backend} ${version}${device === 'gpu' ? ' on a GPU' : ''}`;

/** The first lines of a run: which runtime it is, why, and what that costs. */
export function describeRuntime(info: RuntimeInfo): string[] {
  const name = info.backend === 'tensorflow' ? `TensorFlow ${info.version}` : `tfjs wasm ${info.version}`;
  const lines = [
    `runtime: ${name} on the ${info.device.toUpperCase()}, ${info.threads} ${info.threads === 1 ? 'thread' : 'threads'}`,
  ];
  if (info.fallbackReason) lines.push(`  not native TensorFlow, because: ${info.fallbackReason}`);
  if (info.noGpuBecause) lines.push(`  not on the GPU, because: ${info.noGpuBecause}`);
  if (info.cost) lines.push(`  cost: ${info.cost}`);
  return lines;
}
