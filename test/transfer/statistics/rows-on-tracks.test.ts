import assert from 'node:assert/strict';
import { patchesRowOf } from '../../../src/transfer/statistics/rows-on-tracks.js';

describe('the row on patches of a row on tracks', () => {
  it('is the one that is named for it, else the method itself', () => {
    const names = ['simclr', 'simclr-patches', 'moco-v2', 'moco-v2-tracks', 'simclr-tracks', 'simclr-tracks-plain'];
    assert.deepEqual(
      names.map((name) => patchesRowOf(name, names)),
      [undefined, undefined, undefined, 'moco-v2', 'simclr-patches', 'simclr-patches'],
    );
  });

  it('is none where only the row on tracks was evaluated', () => {
    assert.equal(patchesRowOf('simclr-tracks', ['simclr-tracks', 'random']), undefined);
  });
});
