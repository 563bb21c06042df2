/** A network to time full training steps of. */
export type TrainCase = {
  /** What `--only` calls it. */
  readonly name: string;
  readonly architecture: string;
  /** Images a step, both ends of the pairs together. */
  readonly images: number;
  /** Steps a side and round: some seconds' worth. */
  readonly steps: number;
};

/** The networks of the bench, at their own sizes of pictures: 227, 32 and 96 px. */
export const trainCases: readonly TrainCase[] = [
  { name: 'caffenet', architecture: 'caffenet', images: 32, steps: 2 },
  { name: 'resnet18', architecture: 'resnet18-cifar', images: 128, steps: 1 },
  { name: 'small', architecture: 'small', images: 64, steps: 6 },
];

/** What both programs train with. */
export const trainSettings = { margin: 0.5, negatives: 4, rate: 0.01, momentum: 0.9, weightDecay: 5e-4 };

/** What a side is started with, as JSON. */
export type SideSetup = typeof trainSettings & {
  readonly architecture: string;
  readonly images: number;
  readonly threads: number;
  /** The own side: what computes. @default cpu, natively */
  readonly device?: 'cpu' | 'wasm';
  /** Folder of the first weights, as every model folder. */
  readonly model: string;
  /** The batch: float32, `[images, size, size, 3]`. */
  readonly batch: string;
  /** PyTorch's side: in which order it holds its maps. */
  readonly channelsLast: boolean;
  /** PyTorch's side: the network, as Python. */
  readonly code: string;
};

/** What a side says of some steps. */
export type Timing = {
  readonly seconds: number[];
  /** User and system time: on a machine with other work only this is a property of the program. */
  readonly cpuSeconds: number[];
  readonly loss: number;
  readonly peakBytes: number;
};
