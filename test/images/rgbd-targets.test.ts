import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePng16, writeRaster } from '../../src/drawing/image-file.js';
import { parseCameras, publishedView } from '../../src/images/rgbd-cameras.js';
import {
  checkRgbdTarget,
  loadDepth,
  loadNormals,
  openRgbdCollection,
  openRgbdDataset,
  openRgbdTarget,
} from '../../src/images/rgbd-dataset.js';
import { splitRooms, splitTarget } from '../../src/images/room-split.js';
import { splitSweep } from '../../src/images/sweep-split.js';
import { loadSavedNormals, saveNormals } from '../../src/images/target-file.js';

const shared = path.resolve('..', 'shared', 'data', 'images', 'normals');

describe('RGB-D targets', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'rooms-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A wall that turns its left side to the camera: depth grows to the right. */
  const writeFrame = async (room: string, name: string, [width, height]: [number, number], scale = 1000) => {
    for (const part of ['color', 'depth']) mkdirSync(path.join(folder, room, part), { recursive: true });
    const data = new Uint8Array(width * height * 3).fill(100);
    await writeRaster(path.join(folder, room, 'color', `${name}.png`), { width, height, channels: 3, data });
    const depth = Uint16Array.from({ length: width * height }, (_, i) => {
      const x = ((i % width) - width / 2) / width;
      return Math.round((scale * 2) / (1 - 0.5 * x));
    });
    await import('node:fs/promises').then(async ({ writeFile }) =>
      writeFile(path.join(folder, room, 'depth', `${name}.png`), await encodePng16(depth, width, height)),
    );
  };
  const write = (name: string, value: object | string): void =>
    writeFileSync(path.join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

  it('find the camera in camera.json, in lines of intrinsics.txt, in a table by name, and say where it came from', async () => {
    await writeFrame('a', '1', [64, 48]);
    await writeFrame('a', '2', [80, 60]);
    write('a/intrinsics.txt', '1: 64 0 32 0 65 24 0 0 1\n2: 80 0 40 0 81 30 0 0 1\n');
    const lines = await openRgbdDataset(path.join(folder, 'a'));
    assert.deepEqual(
      lines.frames.map(({ view }) => view.camera),
      [
        { fx: 64, fy: 65, cx: 32, cy: 24 },
        { fx: 80, fy: 81, cx: 40, cy: 30 },
      ],
    );
    write('a/camera.json', { fx: 70, fy: -71, cx: 32, cy: 24, depth_scale: 5000 });
    const { view } = (await openRgbdDataset(path.join(folder, 'a'))).frames[0]!;
    assert.deepEqual(
      [view.camera.fy, view.depthScale, view.origin],
      [71, 5000, 'camera.json'],
      'rows run down, whatever the sign of fy',
    );
    const cameras = parseCameras('{"a": {"fx": 90, "fy": 90, "cx": 1, "cy": 2}}', 'tables/my.json');
    const given = (await openRgbdDataset(path.join(folder, 'a'), { cameras })).frames[0]!;
    assert.deepEqual([given.view.camera.fx, given.view.origin], [90, 'my.json']);
    assert.throws(
      () => parseCameras('{"a": {"fx": 90}}', 'my.json'),
      /my\.json, entry "a": expected `intrinsic_matrix`/,
    );
  });

  it('know published cameras by the folder, for pictures of their size alone, and say what to write otherwise', async () => {
    assert.equal(publishedView('tum-fr2-desk')?.camera.fx, 520.9);
    assert.equal(publishedView('rgbd_dataset_freiburg3_office')?.depthScale, 5000);
    assert.equal(publishedView('icl-livingroom-a')?.camera.fy, 480);
    assert.equal(publishedView('my-room'), undefined);
    assert.equal(publishedView('article'), undefined, 'a name that only holds the letters is another');
    await writeFrame('nyu-desk', '1', [64, 48]);
    const set = await openRgbdDataset(path.join(folder, 'nyu-desk'));
    await assert.rejects(
      loadDepth(set, set.frames[0]!),
      /expected depth of 640 x 480 px.*got 64 x 48; write a camera\.json/,
    );
    await writeFrame('den', '1', [64, 48]);
    await assert.rejects(openRgbdDataset(path.join(folder, 'den')), /den: found no camera\.json .* entry "den"/);
  });

  it('refuse depth in wrong units and depth of another shape than its colours', async () => {
    await writeFrame('a', '1', [64, 48], 10_000);
    write('a/camera.json', { fx: 64, fy: 64, cx: 32, cy: 24 });
    const set = await openRgbdDataset(path.join(folder, 'a'));
    await assert.rejects(loadDepth(set, set.frames[0]!), /of 3072 pixels lie beyond 10 m at 1000 units.*`depth_scale`/);
    await writeRaster(path.join(folder, 'a/color/1.png'), {
      width: 96,
      height: 48,
      channels: 3,
      data: new Uint8Array(96 * 48 * 3),
    });
    await assert.rejects(loadNormals(set, 8), /expected depth\/1\.png to be registered .* got 64 x 48 px for 96 x 48/);
    // A picture of depth, as viewers make it.
    const looks = { width: 64, height: 48, channels: 1 as const, data: new Uint8Array(64 * 48).fill(80) };
    await writeRaster(path.join(folder, 'a/depth/1.png'), looks);
    await assert.rejects(
      loadDepth(set, set.frames[0]!),
      /depth\/1\.png of a: expected depth of 16 bits a pixel, got 8/,
    );
  });

  it('are one target of several rooms where the folder holds several, on one raster, split by room, and saved with it', async () => {
    for (const name of ['1', '2', '3']) await writeFrame('large', name, [64, 48]);
    await writeFrame('small', '1', [80, 40]);
    write('large/camera.json', { fx: 64, fy: 64, cx: 32, cy: 24 });
    write('cameras.json', { small: { fx: 80, fy: 80, cx: 40, cy: 20 } });
    write('MANIFEST.tsv', 'anything');
    assert.deepEqual(checkRgbdTarget(folder), [3, 1]);
    const set = await openRgbdCollection(folder);
    assert.equal(set.digest, (await openRgbdTarget(folder)).digest);
    const loaded = await loadNormals(set, 8);
    assert.deepEqual([loaded.width, loaded.height], [160, 120]);
    assert.deepEqual(loaded.frames, ['large/1', 'large/2', 'large/3', 'small/1']);
    assert.deepEqual(loaded.rooms, [
      { name: 'large', frames: 3, camera: 'camera.json' },
      { name: 'small', frames: 1, camera: 'cameras.json' },
    ]);
    const split = splitTarget(loaded);
    assert.deepEqual([[...split.train], [...split.test]], [[0, 1, 2], [3]]);
    assert.throws(() => splitTarget({ frames: [1, 2, 3, 4, 5] }), /at least 2 frames to train on, got 1 of 5/);
    assert.throws(
      () =>
        splitTarget({
          frames: [1, 2],
          rooms: [
            { name: 'a', frames: 1 },
            { name: 'b', frames: 1 },
          ],
        }),
      /at least 2 frames to train on, got 1 of 2/,
    );
    // 1 / z = (1 - x / 2) / 2: the same wall seen by both cameras.
    const length = Math.hypot(0.5, 1);
    for (const frame of [0, 3]) {
      const at = (frame * 120 + 60) * 160 + 80;
      assert.equal(loaded.valid[at], 1);
      [0.5 / length, 0, -1 / length].forEach((v, c) => {
        assert.ok(Math.abs(loaded.normals[at * 3 + c]! - v) < 0.02, `${loaded.normals[at * 3 + c]} for ${v}`);
      });
    }
    const saved = path.join(folder, '.saved');
    mkdirSync(saved);
    await saveNormals(saved, loaded);
    assert.deepEqual((await loadSavedNormals(saved)).rooms, loaded.rooms);
    await assert.rejects(openRgbdCollection(path.join(folder, 'large')), /expected folders of RGB-D frames in it/);
  });

  it('read every set of the shared data, each with a camera', async function () {
    if (!existsSync(shared)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const set = await openRgbdTarget(shared);
    assert.equal(set.rooms.length, 8);
    assert.equal(set.frames.length, 111);
    const firsts = set.rooms.map((room) => ({ ...room, frames: room.frames.slice(0, 1) }));
    const few = { ...set, rooms: firsts, frames: firsts.flatMap(({ frames }) => frames) };
    const { valid } = await loadNormals(few, 16, { grid: [40, 30] });
    firsts.forEach(({ name }, i) => {
      const known = valid.subarray(i * 1200, (i + 1) * 1200).reduce((sum: number, v) => sum + v, 0) / 1200;
      assert.ok(known > 0.5, `${name}: ${known}`);
    });
  }).timeout(60_000);
});

describe('splits', () => {
  it('by room leave no room in both parts, train on the largest, and do not depend on their order but for numbers', () => {
    const rooms = [5, 72, 2, 11, 10, 4].map((frames, i) => ({ name: `r${i}`, frames }));
    const { train, test, params } = splitRooms(rooms);
    const roomOf = rooms.flatMap(({ frames }, i) => new Array<number>(frames).fill(i));
    const roomsIn = (part: Int32Array): number[] => [...new Set(Array.from(part, (frame) => roomOf[frame]!))];
    assert.deepEqual(roomsIn(train), [1, 3]);
    assert.deepEqual(roomsIn(test), [0, 2, 4, 5]);
    assert.equal(train.length + test.length, 104);
    assert.deepEqual([params['trainRooms'], params['split']], ['r1, r3', 'rooms']);
    assert.deepEqual(splitRooms([...rooms].reverse()).params['trainRooms'], 'r3, r1');
    assert.throws(() => splitRooms(rooms.slice(0, 1)), /at least 2 rooms.*got 1/);
  });

  it('of a sweep in several stretches keep the gap between any two parts', () => {
    const { train, test, params } = splitSweep(72, { stretches: 3, gap: 2 });
    assert.deepEqual(params, { split: 'sweep', testShare: 0.3, gap: 2, stretches: 3, train: 41, test: 21 });
    for (const frame of test) for (const other of train) assert.ok(Math.abs(frame - other) > 2, `${frame}, ${other}`);
    assert.throws(() => splitSweep(10, { stretches: 5 }), /in stretch/);
  });
});
