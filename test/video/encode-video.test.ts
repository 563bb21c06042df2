import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { encodeVideo } from '../../src/video/encode-video.js';
import {
  barAt,
  assertColour,
  colourAt,
  decodeAll,
  findBar,
  quadrantFrame,
  quadrantFrames,
  quadrants,
  useFolder,
} from './fixtures.js';

describe('encoding', () => {
  const folder = useFolder();
  const at = (name: string): string => path.join(folder.path, name);

  it('keeps pictures, times and count, from a list or a stream', async () => {
    await encodeVideo(
      (async function* () {
        for (let i = 0; i < 25; i++) yield quadrantFrame(i);
      })(),
      at('a.mp4'),
      { fps: 12.5 },
    );
    const { frames, warnings } = await decodeAll(at('a.mp4'));
    assert.deepEqual([frames.length, warnings], [25, []]);
    frames.forEach((frame, i) => {
      assert.ok(Math.abs(frame.time - i / 12.5) < 1e-3);
      assert.ok(Math.abs(findBar(frame) - barAt(i)) <= 1);
    });
    assertColour(colourAt(frames[9]!, 0.25, 0.35), quadrants.topLeft);
    assertColour(colourAt(frames[9]!, 0.25, 0.75), quadrants.bottomLeft);
  });

  it('gives the same bytes again', async () => {
    for (const name of ['b.mp4', 'c.mp4']) await encodeVideo(quadrantFrames(12), at(name), { fps: 25 });
    assert.ok((await readFile(at('b.mp4'))).equals(await readFile(at('c.mp4'))));
  });

  it('writes MPEG-4 too, and better pictures at better quality', async () => {
    await encodeVideo(quadrantFrames(8), at('d.avi'), { fps: 25, codec: 'mpeg4' });
    assert.equal((await decodeAll(at('d.avi'))).frames.length, 8);
    await encodeVideo(quadrantFrames(8), at('low.mp4'), { fps: 25, quality: 45 });
    await encodeVideo(quadrantFrames(8), at('high.mp4'), { fps: 25, quality: 5 });
    assert.ok((await readFile(at('high.mp4'))).length > (await readFile(at('low.mp4'))).length);
  });

  it('leaves nothing behind where frames are wrong or their source fails', async () => {
    await assert.rejects(encodeVideo([], at('x.mp4'), { fps: 25 }), /at least one frame/);
    await assert.rejects(
      encodeVideo(quadrantFrames(1, 161, 120), at('x.mp4'), { fps: 25 }),
      /even size, got `161 x 120 x 3`/,
    );
    await assert.rejects(
      encodeVideo([quadrantFrame(0), quadrantFrame(1, 80, 60)], at('x.mp4'), { fps: 25 }),
      /Expected frame 1 to be 160 x 120/,
    );
    await assert.rejects(encodeVideo(quadrantFrames(1), at('x.mp4'), { fps: 0 }), /Expected `fps`/);
    const failing = (async function* () {
      yield quadrantFrame(0);
      throw new Error('the source failed');
    })();
    await assert.rejects(encodeVideo(failing, at('x.mp4'), { fps: 25 }), /the source failed/);
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.includes('x.mp4')),
      [],
    );
  });
});
