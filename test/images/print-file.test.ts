import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fingerprintOf } from '../../src/images/frame-fingerprint.js';
import { loadPrints, savePrints } from '../../src/images/print-file.js';
import { RandomStream } from '../../src/numeric/random.js';

describe('fingerprints on disk', () => {
  it('come back as they were, hashes with their highest bit set included', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'prints-'));
    try {
      const random = RandomStream.of(1, 'print-file');
      const prints = [0, 0.5, 1.25].map((time) => ({
        time,
        ...fingerprintOf({ width: 40, height: 30, data: Uint8Array.from({ length: 1200 }, () => random.integer(256)) }),
      }));
      assert.ok(prints.some(({ whole, middle }) => [...whole.hash, ...middle.hash].some((word) => word >>> 31 === 1)));
      await savePrints(dir, prints, ['a', 'b', 'c']);
      const loaded = await loadPrints(dir);
      assert.deepEqual(loaded.names, ['a', 'b', 'c']);
      for (const [i, print] of loaded.prints.entries()) {
        for (const view of ['whole', 'middle'] as const) {
          assert.deepEqual([...print[view].detail], [...prints[i]![view].detail]);
          assert.deepEqual(
            print[view].hash.map((word) => word | 0),
            prints[i]![view].hash.map((word) => word | 0),
          );
          assert.equal(print[view].deviation, Math.fround(prints[i]![view].deviation));
        }
        assert.equal(print.time, prints[i]!.time);
      }
      await savePrints(dir, []);
      assert.deepEqual((await loadPrints(dir)).prints, []);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
