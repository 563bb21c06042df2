import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { AugmentationPolicy } from '../src/images/augmentation.js';
import { pythonVenv, torchStep } from './python-venv.js';

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
  /** Files with the sample numbers and views of a whole run, batch by batch: int32, and float32 `[batch, side, side, 3]` a view. */
  readonly views?: { readonly indices: string; readonly values: string };
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
export const peersPython = (): Promise<string> =>
  pythonVenv('bench-torch', torchStep, {
    installs: [
      ['lightly', 'torchvision', 'scipy'],
      // Its newest release pins PyTorch 1.9, which no current Python has; the two files that are used need PyTorch and SciPy alone.
      ['--no-deps', 'solo-learn'],
    ],
    marker: 'ready-peers',
  });

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
