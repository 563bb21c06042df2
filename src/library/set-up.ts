import { openRuntime } from '../runtime/open.js';
import { tf } from '../runtime/tensors.js';
import { checkInteger, checkWord } from './check-arguments.js';

/** What to compute with. */
export type SetUpOptions = {
  /**
   * `auto` takes a GPU where there is one, else TensorFlow on the CPU, else WebAssembly; the others are an order.
   *
   * @default 'auto'
   */
  readonly device?: 'auto' | 'cpu' | 'gpu' | 'wasm';
  /** Threads of one operation; their number decides the last bits of features. @default all that the process may use */
  readonly threads?: number;
  /** Hears what set-up does: the first time it fetches TensorFlow into the cache, which takes minutes. */
  readonly log?: (line: string) => void;
};

/** What the process computes with. */
export type Runtime = {
  readonly backend: 'tensorflow' | 'wasm';
  readonly device: 'cpu' | 'gpu';
  /** Of TensorFlow's library, or of the WebAssembly backend. */
  readonly version: string;
  readonly threads: number;
  /** Why it is not native TensorFlow, where `auto` had to fall back, and what mends it. */
  readonly fallbackReason?: string;
  /** Why it is not the GPU, where there is one and `auto` could not take it. */
  readonly noGpuBecause?: string;
};

/**
 * Makes TensorFlow ready and chooses what to compute with, for the whole process: once, before the first network. Without it the first
 * network does it with the defaults.
 *
 * @throws UsageError if `cpu` or `gpu` was asked for and cannot be had; RangeError for a device that there is not, or `threads` below 1
 */
export const setUp = async ({ device = 'auto', threads, log }: SetUpOptions = {}): Promise<Runtime> => {
  checkWord('device', device, ['auto', 'cpu', 'gpu', 'wasm']);
  if (threads !== undefined) checkInteger('threads', threads, 1);
  const options = { device, ...(threads === undefined ? {} : { threads }), ...(log === undefined ? {} : { log }) };
  const { cost: _, ...runtime } = await openRuntime(options);
  return runtime;
};

/** Sets up with the defaults where nobody has. */
export const ensureSetUp = async (): Promise<void> => {
  // Until a backend is chosen there is none, whatever the types say.
  const backend = tf.getBackend() as string | undefined;
  if (backend !== 'tensorflow' && backend !== 'wasm') await setUp();
};
