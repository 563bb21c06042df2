import { createByol } from '../src/contrast/byol/byol.js';
import { startMomentumFor } from '../src/contrast/byol/target-momentum.js';
import { createDeepClusterV2 } from '../src/contrast/deepcluster-v2/deepcluster-v2.js';
import { createMoco } from '../src/contrast/moco/moco.js';
import { createSimclr } from '../src/contrast/simclr/simclr.js';
import { createSwav } from '../src/contrast/swav/swav.js';
import type { DrawView } from '../src/contrast/views.js';
import type { ViewSpec } from '../src/images/augmentation.js';
import { mlp } from '../src/network/head.js';
import type { Method } from '../src/training/method.js';

/** What both sides of a comparison are made with. */
export type MethodRun = {
  readonly drawView: DrawView<ViewSpec>;
  /** Optimiser steps of the whole run. */
  readonly steps: number;
  /** Small crops beside the two large ones, where the method takes any. */
  readonly localCrops: number;
};

/** A method that a peer has too. */
export type PeerMethod = {
  /** Whether it takes small crops beside the two large ones. */
  readonly multiCrop: boolean;
  /** What `peers_methods.py` makes the peer's with; the same as `create` takes. */
  readonly settings: (steps: number) => Readonly<Record<string, number | boolean>>;
  create(run: MethodRun): Method<ViewSpec>;
};

// Where a peer departs from the paper and this project does not, or both choose, both sides have one setting (`peers_methods.py`):
// - heads and prototypes begin with our values: ours are drawn `N(0, 2 / inputs)` without offset, PyTorch's dense layers uniform
//   with a sixth of that variance, offsets too; under AdamW the smaller ones turn faster. `--heads own` leaves each its own;
// - SwAV's prototypes have no offset (lightly's have one, which learns, though `normalize()` leaves it out);
// - crops of one size pass through the trunk together (lightly's benchmark: view by view);
// - DeepCluster v2's first memory is of plain pictures by batch statistics (the authors': augmented crops; solo-learn's: noise, and
//   its first epoch learns nothing); its first centroids are drawn by each side on its own;
// - MoCo's keys are one group, as lightly has them on one device;
// - biases and batch norm do not decay, prototypes and weights do.
// What stays apart: AdamW counts the steps of SwAV's held prototypes from their release in PyTorch, from the beginning here.

// The papers' heads are four times as wide; so are their networks.
const hidden = 512;
const dim = 128;

const simclr = { temperature: 0.5 };
const moco = { temperature: 0.2, queue: 1024, momentum: 0.99 };
// As the defaults here: fewer prototypes and clusters than a batch has samples.
const swav = { prototypes: 30, temperature: 0.1, epsilon: 0.03, iterations: 3 };
const freezeShare = 0.01;
const clustering = { heads: 3, iterations: 10, temperature: 0.1 };
const clusters = 30;

/** Methods by name, as `--methods` takes them. */
export const peerMethods: Readonly<Record<string, PeerMethod>> = {
  simclr: {
    multiCrop: false,
    settings: () => ({ hidden, dim, batchNorm: true, ...simclr }),
    create: ({ drawView }) =>
      createSimclr({ drawView, ...simclr, projector: mlp({ hidden: [hidden], dim, batchNorm: 'all' }) }),
  },
  'moco-v2': {
    multiCrop: false,
    settings: () => ({ hidden, dim, ...moco }),
    // One group of keys, as lightly has on one device.
    create: ({ drawView }) =>
      createMoco({ drawView, ...moco, keyGroups: 1, projector: mlp({ hidden: [hidden], dim, batchNorm: 'none' }) }),
  },
  byol: {
    multiCrop: false,
    settings: (steps) => ({ hidden, dim, momentum: startMomentumFor(steps) }),
    create: ({ drawView, steps }) => {
      const layers = mlp({ hidden: [hidden], dim, batchNorm: 'hidden' });
      return createByol({ drawView, steps, projector: layers, predictor: layers });
    },
  },
  swav: {
    multiCrop: true,
    settings: (steps) => ({ hidden, dim, ...swav, frozenSteps: Math.round(freezeShare * steps) }),
    // Without a queue: lightly's begins at a fixed epoch.
    create: ({ drawView, steps, localCrops }) =>
      createSwav({
        drawView,
        steps,
        localCrops,
        ...swav,
        freezeShare,
        queueRows: 0,
        projector: mlp({ hidden: [hidden], dim, batchNorm: 'hidden' }),
      }),
  },
  'deepcluster-v2': {
    multiCrop: true,
    settings: () => ({ hidden, dim, ...clustering, prototypes: clusters }),
    create: ({ drawView, localCrops }) =>
      createDeepClusterV2({
        drawView,
        localCrops,
        clusters,
        ...clustering,
        projector: mlp({ hidden: [hidden], dim, batchNorm: 'hidden' }),
      }),
  },
};
