import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { findFfmpeg } from '../../src/video/ffmpeg-binary.js';
import { VideoRejection } from '../../src/video/video-rejection.js';
import { damaged, folder, long, outcomes } from './awkward-outcomes.js';
import { decodeAll } from './fixtures.js';

describe('the awkward videos', () => {
  before(async function () {
    if (!existsSync(folder)) {
      console.log(`      skipped: no ${folder}`);
      this.skip();
    }
    if ((await findFfmpeg()).libavutil[0] < 60) {
      console.log('      skipped: the table is that of ffmpeg 8 and later');
      this.skip();
    }
  });

  it('are all in the table', () => {
    assert.deepEqual(readdirSync(folder).sort(), Object.keys(outcomes).sort());
    assert.equal(Object.keys(outcomes).length, 50);
  });

  for (const [name, outcome] of Object.entries(outcomes)) {
    if (name === long) continue;
    it(`${name} ${outcome instanceof RegExp ? 'is rejected' : 'is decoded'}`, async () => {
      if (outcome instanceof RegExp) {
        await assert.rejects(
          decodeAll(path.join(folder, name)),
          (error) => error instanceof VideoRejection && outcome.test(error.reason),
        );
        return;
      }
      const [count, lastTime, size] = outcome;
      const { frames, warnings } = await decodeAll(path.join(folder, name));
      const slack = damaged.test(name) ? 2 : 0;
      assert.ok(Math.abs(frames.length - count) <= slack, `${frames.length} frames`);
      const last = frames.at(-1)!;
      assert.ok(Math.abs(last.time - lastTime) <= 0.001 + slack / 15, `the last at ${last.time}`);
      assert.equal(`${last.width}x${last.height}`, size);
      for (let i = 1; i < frames.length; i++) assert.ok(frames[i]!.time > frames[i - 1]!.time, `time of frame ${i}`);
      if (slack > 0) assert.ok(warnings.length > 0, 'damage is reported');
    });
  }

  it(`${long} is decoded without being held`, async () => {
    const { frames, warnings } = await decodeAll(path.join(folder, long), { maxFrames: 300, areaPx: 64 * 36 });
    assert.equal(frames.length, 300);
    assert.match(warnings.join(), /limit of 300/);
  });
});
