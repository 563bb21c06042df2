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

// The papers' heads are four times as wide; so are their networks.
const hidden = 512;
const dim = 128;

const simclr = { temperature: 0.5 };
const swav = { prototypes: 100, temperature: 0.1, epsilon: 0.05, iterations: 3 };
const freezeShare = 0.01;

/** Methods by name, as `--methods` takes them. */
export const peerMethods: Readonly<Record<string, PeerMethod>> = {
  simclr: {
    multiCrop: false,
    settings: () => ({ hidden, dim, batchNorm: true, ...simclr }),
    create: ({ drawView }) =>
      createSimclr({ drawView, ...simclr, projector: mlp({ hidden: [hidden], dim, batchNorm: 'all' }) }),
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
};
