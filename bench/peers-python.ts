import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { AugmentationPolicy } from '../src/images/augmentation.js';
import { cacheFolder } from '../src/provision/cache.js';

/** What `peers_torch.py` needs to know; the settings of the method stand beside these by their own names. */
export type PeerSetup = {
  readonly method: string;
  readonly seed: number;
  readonly threads: number;
  /** Processes that render views beside the training; 0 renders between the steps. */
  readonly workers: number;
  /** Files: first weights of the trunk (safetensors), decoded pictures `[count, size, size, 3]` of both parts. */
  readonly weights: string;
  readonly trainPictures: string;
  readonly testPictures: string;
  readonly trainLabels: readonly number[];
  readonly testLabels: readonly number[];
  /** Side of the decoded pictures and of the views, px; length of a feature row. */
  readonly size: number;
  readonly inputSize: number;
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly batch: number;
  readonly epochs: number;
  readonly augmentation: AugmentationPolicy;
  /** Crops beside the two large ones, where the method takes any. */
  readonly local?: { readonly crops: number; readonly size: number; readonly augmentation: AugmentationPolicy };
  readonly rate: number;
  readonly weightDecay: number;
  readonly channelsLast: boolean;
  /** Pictures of the training part over which batch-norm statistics are taken anew, so many at a time. */
  readonly statistics: readonly number[];
  readonly statisticsBatch: number;
  readonly knn: { readonly k: number; readonly sigma: number };
  /** Files with the views of the batch that `steps` takes, raw float32 `[batch, side, side, 3]`. */
  readonly noise?: { readonly files: readonly string[]; readonly sides: readonly number[] };
};

/** Loss, wall and processor time of each step. */
export type StepTimes = {
  readonly losses: readonly number[];
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
};

/** A peer that has been started: it trains, gives its features, and times its steps. */
export type Peer = {
  readonly versions: Readonly<Record<string, string>>;
  /** Losses step by step; `seconds` from first to last step, rendering included. */
  train(epochs: number): Promise<{ readonly losses: readonly number[]; readonly seconds: number }>;
  /** Writes features of both parts as raw float32; gives their k-NN accuracy in percent by lightly's own function. */
  features(files: { readonly train: string; readonly test: string }): Promise<{ readonly knn: number }>;
  /** Takes the values of our method from a safetensors file. */
  adopt(file: string): Promise<void>;
  /** Steps on the batch of noise. */
  steps(count: number): Promise<StepTimes>;
  close(): void;
};

/** The Python of the virtual environment that `bench:train` also uses, with the peers beside PyTorch; made if it is not there. */
export const peersPython = async (): Promise<string> => {
  const folder = path.join(cacheFolder(), 'bench-torch');
  const python = path.join(folder, 'bin', 'python');
  const run = promisify(execFile);
  const install = (...what: string[]): Promise<unknown> =>
    run(python, ['-m', 'pip', 'install', '--quiet', ...what], { maxBuffer: 1 << 26 });
  const once = async (marker: string, work: () => Promise<void>): Promise<void> => {
    if (existsSync(path.join(folder, marker))) return;
    await work();
    await writeFile(path.join(folder, marker), '');
  };
  await once('ready', async () => {
    console.log(`Installing PyTorch into ${folder} (once; some GB) …`);
    await run('python3', ['-m', 'venv', folder]);
    await install('torch', 'numpy');
  });
  await once('ready-peers', async () => {
    console.log(`Installing lightly and solo-learn into ${folder} (once) …`);
    await install('lightly', 'torchvision', 'scipy');
    // Its newest release pins PyTorch 1.9, which no current Python has; the two files that are used need PyTorch and SciPy alone.
    await install('--no-deps', 'solo-learn');
  });
  return python;
};

/** Starts a peer in a process of its own. */
export const openPeer = async (
  python: string,
  setupFile: string,
  setup: PeerSetup & Readonly<Record<string, unknown>>,
): Promise<Peer> => {
  await writeFile(setupFile, JSON.stringify(setup));
  const script = path.join(import.meta.dirname, '..', '..', 'bench', 'peers_torch.py');
  const threads = String(setup.threads);
  const child = spawn(python, [script, setupFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`The peer of ${setup.method} ended before its answer`);
    return JSON.parse(value as string) as T;
  };
  const ask = <T>(command: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return answer<T>();
  };
  const { versions } = await answer<{ versions: Record<string, string> }>();
  return {
    versions,
    train: (epochs) => ask({ train: epochs }),
    features: (files) => ask({ features: files }),
    adopt: async (file) => void (await ask({ adopt: file })),
    steps: (count) => ask({ steps: count }),
    close: () => child.stdin.end(),
  };
};
