import { killEverywhere } from './killed-set-ups.js';

describe('a set-up that is killed', function () {
  this.timeout(60_000);

  // Primes to the period of the moments, so that all kinds are met. Every moment is tried in the long test.
  it('leaves nothing but a whole folder to the next one, wherever it dies', async () => {
    await killEverywhere('empty', 11);
  });

  it('is made up for where it dies while it mends a damaged folder', async () => {
    await killEverywhere('damaged', 17);
  });
});
