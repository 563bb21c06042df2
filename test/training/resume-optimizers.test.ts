import { createSwav } from '../../src/contrast/swav/swav.js';
import { openRuntime } from '../../src/runtime/open.js';
import { adamw } from '../../src/training/adamw.js';
import { lars } from '../../src/training/lars.js';
import type { Optimizer } from '../../src/training/optimizer.js';
import { sgd } from '../../src/training/sgd.js';
import { createTriplet } from '../../src/triplet/triplet.js';
import { assertExactResume, drawTestView } from '../contrast/resume.js';

const optimizers: Readonly<Record<string, readonly [rate: number, () => Optimizer]>> = {
  'SGD without momentum': [0.05, () => sgd({ momentum: 0, weightDecay: 1e-4 })],
  AdamW: [1e-3, () => adamw({ weightDecay: 1e-2 })],
  LARS: [0.2, () => lars({ momentum: 0.9, weightDecay: 1e-6 })],
};

describe('runs in pieces of one step end at the same bytes', function () {
  this.timeout(300_000);
  before(() => openRuntime({ threads: 1 }));

  for (const [name, [learningRate, optimizer]] of Object.entries(optimizers)) {
    // Prototypes that are held at first: variables that had no part in some of the updates.
    it(`${name}, prototypes held for the first steps`, () =>
      assertExactResume(() => createSwav({ drawView: drawTestView(), steps: 4, prototypes: 4, freezeShare: 0.5 }), {
        size: 32,
        learningRate,
        optimizer,
      }));
  }

  it('the ranking network with a queue, random negatives first and hard ones later', () =>
    assertExactResume(
      () =>
        createTriplet({
          drawView: (end, random) => ({ end, seed: random.integer(2 ** 31) }),
          ...{ steps: 4, negatives: 2, randomShare: 0.5, mining: 'semi-hard', queue: 12 },
        }),
      { size: 96, learningRate: 1e-3, optimizer: () => adamw({ weightDecay: 1e-2 }), batchSize: 3 },
    ));

  it('the ranking network with tracks of a video beside each other, an order of its own', () =>
    assertExactResume(
      () =>
        createTriplet({
          drawView: (end, random) => ({ end, seed: random.integer(2 ** 31) }),
          ...{ steps: 4, negatives: 2, perVideo: 2, sameVideoNegatives: true },
        }),
      { size: 96, batchSize: 3 },
    ));
});
