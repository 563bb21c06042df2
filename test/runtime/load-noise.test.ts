import assert from 'node:assert/strict';
import { isLoadNoise } from '../../src/runtime/load-noise.js';

describe('Lines that TensorFlow prints as it loads', () => {
  it('are known as noise, and nothing else is', () => {
    assert.ok(isLoadNoise('WARNING: All log messages before absl::InitializeLog() is called are written to STDERR'));
    assert.ok(
      isLoadNoise('I0000 00:00:1795550162.828853    3495 port.cc:153] oneDNN custom operations are on. You may see'),
    );
    assert.ok(!isLoadNoise('E0000 00:00:1795550162.828853    3495 port.cc:153] oneDNN custom operations are on.'));
    assert.ok(
      !isLoadNoise('W0000 00:00:1795550162.8 1 allocator.cc:82] Allocation exceeds 10% of free system memory.'),
    );
    assert.ok(!isLoadNoise('terminate called after throwing an instance of std::bad_alloc'));
  });
});
