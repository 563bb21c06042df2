import assert from 'node:assert/strict';
import { createNpid } from '../../src/contrast/npid/npid.js';
import { openRuntime } from '../../src/runtime/open.js';
import type { Method } from '../../src/training/method.js';
import { assertExactResume, drawTestView, type TestView } from './resume.js';

describe('check of exact resume', () => {
  before(() => openRuntime({ threads: 1 }));

  const npid = (): Method<TestView> => createNpid({ drawView: drawTestView(), noise: 5 });

  it('passes instance discrimination', () => assertExactResume(npid, { size: 96 }));

  it('finds state that is not brought back', async () => {
    const forgetful = (): Method<TestView> => {
      const method = npid();
      return { ...method, load: (state) => method.load({ ...method.save(), normaliser: state['normaliser']! }) };
    };
    await assert.rejects(assertExactResume(forgetful, { size: 96 }), /another curve|is another in pieces/);
  });
});
