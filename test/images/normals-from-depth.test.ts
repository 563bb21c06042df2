import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { registerDepth, sevenScenesRig, type Camera, type DepthMap } from '../../src/images/camera.js';
import { normalsFromDepth, type NormalMap } from '../../src/images/normals-from-depth.js';

const camera: Camera = { fx: 80, fy: 90, cx: 47, cy: 33 };
const [width, height] = [96, 64];

/** Depth of planes `n . p = d`, the nearest in front of each pixel. */
const planes = (list: readonly (readonly [number, number, number, number])[], through: Camera = camera): DepthMap => ({
  width,
  height,
  data: Float32Array.from({ length: width * height }, (_, i) => {
    const x = ((i % width) - through.cx) / through.fx;
    const y = (Math.floor(i / width) - through.cy) / through.fy;
    const depths = list.map(([a, b, c, d]) => d / (a * x + b * y + c)).filter((z) => z > 0 && z < 50);
    return depths.length > 0 ? Math.min(...depths) : 0;
  }),
});

const angle = (map: NormalMap, i: number, truth: readonly number[]): number => {
  const length = Math.hypot(...truth);
  const cosine = truth.reduce((sum, v, c) => sum + (v / length) * map.normals[i * 3 + c]!, 0);
  return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
};

describe('normalsFromDepth', () => {
  it('is exact for planes at any slant, up to the edge of the picture', () => {
    for (const [a, b, c] of [
      [0, 0, -1],
      [0.5, 0.2, -0.8],
      [-0.3, 0.7, -0.5],
    ] as const) {
      const map = normalsFromDepth(planes([[a, b, c, -2]]), camera, {
        stride: 4,
        radius: 4,
        maxDepthStep: 0.5,
        minInliers: 0.2,
      });
      let known = 0;
      for (let i = 0; i < map.valid.length; i++) {
        if (!map.valid[i]) continue;
        known++;
        assert.ok(angle(map, i, [a, b, c]) < 0.05, `${angle(map, i, [a, b, c])} degrees`);
      }
      assert.ok(known > 0.9 * map.valid.length, `${known} of ${map.valid.length}`);
    }
  });

  it('says x right, y down, z into the scene: a floor looks up (n_y < 0), a left wall to the right (n_x > 0)', () => {
    const floor = normalsFromDepth(planes([[0, 1, 0, 1]]), camera, { radius: 4, maxDepthStep: 0.3 });
    const low = 14 * floor.width + 12;
    assert.equal(floor.valid[low], 1);
    assert.ok(angle(floor, low, [0, -1, 0]) < 0.1);
    const wall = normalsFromDepth(planes([[-1, 0, 0, 1]]), camera, { radius: 4, maxDepthStep: 0.3 });
    const left = 8 * wall.width + 1;
    assert.equal(wall.valid[left], 1);
    assert.ok(angle(wall, left, [1, 0, 0]) < 0.1);
  });

  it('keeps two walls apart: pixels beside the corner follow their own wall or are left out', () => {
    const map = normalsFromDepth(
      planes([
        [-0.6, 0, -0.8, -2],
        [0.6, 0, -0.8, -2],
      ]),
      camera,
      { stride: 2, radius: 6 },
    );
    let known = 0;
    for (let i = 0; i < map.valid.length; i++) {
      if (!map.valid[i]) continue;
      known++;
      const best = Math.min(angle(map, i, [-0.6, 0, -0.8]), angle(map, i, [0.6, 0, -0.8]));
      const beside = Math.abs((i % map.width) * 2 + 1 - camera.cx) <= 6;
      assert.ok(best < (beside ? 8 : 0.1), `${best} degrees at column ${i % map.width}`);
    }
    assert.ok(known > 0.8 * map.valid.length);
  });

  it('is little moved by a tenth of wild depths, and masks what is not known', () => {
    const random = RandomStream.of(4);
    const map = planes([[0.2, -0.3, -0.9, -2]]);
    for (let i = 0; i < map.data.length; i++) if (random.chance(0.1)) map.data[i]! *= random.uniform(0.93, 1.07);
    for (let y = 0; y < height; y++) for (let x = 0; x < 30; x++) map.data[y * width + x] = 0;
    const normals = normalsFromDepth(map, camera, { radius: 8 });
    const errors: number[] = [];
    for (let i = 0; i < normals.valid.length; i++) {
      if ((i % normals.width) * 4 + 2 < 30) assert.equal(normals.valid[i], 0);
      if (normals.valid[i]) errors.push(angle(normals, i, [0.2, -0.3, -0.9]));
      else assert.deepEqual([...normals.normals.subarray(i * 3, i * 3 + 3)], [0, 0, 0]);
    }
    assert.ok(errors.length > 100);
    assert.ok(errors.sort((a, b) => a - b)[Math.floor(errors.length * 0.95)]! < 1.5);
  });

  it('refuses strides and windows that are none', () => {
    assert.throws(() => normalsFromDepth(planes([[0, 0, -1, -2]]), camera, { stride: 0 }), /`stride`.*got `0`/);
  });
});

describe('registerDepth', () => {
  it('leaves a map alone between equal cameras', () => {
    const still = { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [0, 0, 0] as const };
    const map = planes([[0.2, 0.1, -0.9, -2]]);
    assert.deepEqual(registerDepth(map, { depth: camera, colour: camera, depthToColour: still }).data, map.data);
  });

  it('moves a wall by its disparity, and lets the nearer of two surfaces stand', () => {
    const motion = { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [-0.1, 0, 0] as const };
    const map: DepthMap = { width, height, data: new Float32Array(width * height) };
    map.data[10 * width + 50] = 4; // moves 80 * 0.1 / 4 = 2 px to the left
    map.data[10 * width + 52] = 2; // moves 4 px, onto the same pixel
    const moved = registerDepth(map, { depth: camera, colour: camera, depthToColour: motion });
    assert.equal(moved.data[10 * width + 48], 2);
    assert.equal(moved.data.filter((z) => z > 0).length, 1);
  });

  it('brings a 7-Scenes wall 3 m away to the colour camera as one whole wall', () => {
    const wall: DepthMap = { width: 640, height: 480, data: new Float32Array(640 * 480).fill(3) };
    const moved = registerDepth(wall, sevenScenesRig);
    let [known, all] = [0, 0];
    for (let y = 60; y < 420; y++) {
      for (let x = 60; x < 580; x++) {
        all++;
        if (Math.abs(moved.data[y * 640 + x]! - 3) < 0.1) known++;
      }
    }
    assert.ok(known > 0.99 * all, `${known} of ${all}`);
  });
});
