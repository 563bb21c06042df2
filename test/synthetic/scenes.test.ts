import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../../src/numeric/random.js';
import { quantile } from '../../src/numeric/statistics.js';
import { renderScene } from '../../src/synthetic/render-scene.js';
import { drawScene, sceneCamera } from '../../src/synthetic/scene-spec.js';
import { depthMillimetres, writeScenes } from '../../src/synthetic/write-scenes.js';

describe('rendered scenes', () => {
  const { width, height, fx, fy, cx, cy } = sceneCamera;
  const spec = drawScene(RandomStream.of(1, 'scene', 0));
  const scene = renderScene(spec);
  const ray = (i: number): [number, number, number] => [((i % width) - cx) / fx, (Math.floor(i / width) - cy) / fy, 1];

  it('have unit normals that face the camera, nearly all with n_z below 0', () => {
    let below = 0;
    for (let i = 0; i < width * height; i++) {
      const [x, y, z] = scene.normals.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      assert.ok(Math.abs(Math.hypot(x, y, z) - 1) < 1e-5);
      const [rx, ry] = ray(i);
      assert.ok(x * rx + y * ry + z < 1e-6, `pixel ${i} shows a surface from behind`);
      if (z < 0) below++;
    }
    assert.ok(below > 0.9 * width * height);
  });

  it('have normals that equal finite differences of the depth', () => {
    for (const index of [0, 1, 5]) {
      const { depth, normals, owner } = renderScene(drawScene(RandomStream.of(1, 'scene', index)));
      const point = (i: number): number[] => ray(i).map((value) => value * depth[i]!);
      const angles: number[] = [];
      for (let y = 1; y < height - 1; y++) {
        for (let x = 1; x < width - 1; x++) {
          const i = y * width + x;
          const around = [i - 1, i + 1, i - width, i + width];
          // Across an edge between two surfaces there is no derivative.
          const smooth = around.every((j) => {
            let dot = 0;
            for (let k = 0; k < 3; k++) dot += normals[3 * i + k]! * normals[3 * j + k]!;
            return owner[j] === owner[i] && dot > 0.95;
          });
          if (!smooth) continue;
          const [left, right, up, down] = around.map(point) as [number[], number[], number[], number[]];
          const a = right.map((value, k) => value - left[k]!);
          const b = down.map((value, k) => value - up[k]!);
          const cross = [0, 1, 2].map((k) => b[(k + 1) % 3]! * a[(k + 2) % 3]! - b[(k + 2) % 3]! * a[(k + 1) % 3]!);
          const length = Math.hypot(...cross);
          const dot = cross.reduce((sum, value, k) => sum + (value / length) * normals[3 * i + k]!, 0);
          angles.push((Math.acos(Math.min(1, dot)) * 180) / Math.PI);
        }
      }
      assert.ok(angles.length > 0.7 * width * height);
      assert.ok(quantile(angles, 0.9) < 0.1, `nine of ten within ${quantile(angles, 0.9)} degrees`);
      assert.ok(quantile(angles, 0.995) < 6, `nearly all within ${quantile(angles, 0.995)} degrees`);
    }
  });

  it('see a ball straight ahead at its distance less its radius, and a level floor at the depth that geometry gives', () => {
    const look = spec.walls[0]!;
    const rendered = renderScene({
      ...spec,
      camera: { ...sceneCamera, position: [0, -1, -2], turn: 0, dip: 0 },
      room: { halfX: 3, halfZ: 4, height: 3 },
      solids: [{ class: 'ball', look, centre: [0, -1, 1], radius: 0.4 }],
    });
    const centre = 60 * width + 80;
    // Half a pixel off the axis: the ray through (80, 60) meets the ball within half a millimetre of its nearest point.
    assert.ok(Math.abs(rendered.depth[centre]! - 2.6) < 5e-4);
    assert.ok(rendered.normals[3 * centre + 2]! < -0.999);
    const floor = 119 * width + 10;
    assert.ok(Math.abs(rendered.depth[floor]! - fy / (119 - cy)) < 1e-5);
    assert.deepEqual(
      [...rendered.normals.subarray(3 * floor, 3 * floor + 3)].map(Math.round),
      [0, -1, 0].map((n) => n + 0),
    );
  });

  it('name each visible solid with the box of its pixels', () => {
    assert.ok(scene.solids.length > 0);
    for (const { solid, box, pixels } of scene.solids) {
      let inside = 0;
      for (let i = 0; i < scene.owner.length; i++) {
        if (scene.owner[i] !== solid + 1) continue;
        const [x, y] = [i % width, Math.floor(i / width)];
        assert.ok(x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);
        inside++;
      }
      assert.equal(inside, pixels);
    }
  });

  it('come back from disk as they were rendered', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'scenes-'));
    try {
      await writeScenes(dir, 1, 1);
      const depth = await sharp(path.join(dir, 'depth', '0.png'))
        .toColourspace('grey16')
        .raw({ depth: 'ushort' })
        .toBuffer();
      const read = new Uint16Array(depth.buffer.slice(depth.byteOffset, depth.byteOffset + depth.byteLength));
      assert.deepEqual(read, depthMillimetres(scene.depth));
      const color = await sharp(path.join(dir, 'color', '0.png'))
        .raw()
        .toBuffer();
      assert.ok(color.equals(scene.color.data));
      const normal = await sharp(path.join(dir, 'normal', '0.png'))
        .raw()
        .toBuffer();
      for (let i = 0; i < normal.length; i++)
        assert.ok(Math.abs((normal[i]! / 255) * 2 - 1 - scene.normals[i]!) < 0.004);
      const camera = JSON.parse(await readFile(path.join(dir, 'camera.json'), 'utf8')) as Record<string, unknown>;
      assert.deepEqual(camera, { width, height, intrinsic_matrix: [fx, 0, 0, 0, fy, 0, cx, cy, 1] });
      const xml = await readFile(path.join(dir, 'Annotations', '0.xml'), 'utf8');
      assert.equal(xml.match(/<object>/g)?.length, scene.solids.length);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
