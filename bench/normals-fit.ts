// Error of the normals that are fitted to depth, on rendered rooms whose normals are known: `node dist/bench/normals-fit.js [scenes]`.
import { RandomStream } from '../src/numeric/random.js';
import { mean, median } from '../src/numeric/statistics.js';
import type { DepthMap } from '../src/images/camera.js';
import { gridPixel, normalsFromDepth, type NormalMap } from '../src/images/normals-from-depth.js';
import { renderScene, type RenderedScene } from '../src/synthetic/render-scene.js';
import { drawScene } from '../src/synthetic/scene-spec.js';

const camera = { width: 640, height: 480, fx: 585, fy: 585, cx: 319.5, cy: 239.5 };

/** Depth as it is. */
const clean = ({ depth }: RenderedScene): DepthMap => ({ ...camera, data: depth });

/**
 * A Kinect's depth (Handa et al. 2014, after Barron & Malik 2013): read at a place that is off by N(0, 1/2) px in both
 * directions, disturbed by N(0, 1/6) and rounded in units of an eighth of a pixel of disparity (351.3 / z), stored in mm.
 */
const kinect = ({ depth }: RenderedScene, random: RandomStream): DepthMap => {
  const { width, height } = camera;
  const limit = (value: number, size: number): number => Math.min(size - 1, Math.max(0, Math.round(value)));
  const data = new Float32Array(depth.length);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const from = limit(v + random.normal(0, 0.5), height) * width + limit(u + random.normal(0, 0.5), width);
      const disparity = Math.round(351.3 / depth[from]! + random.normal(0, 1 / 6));
      data[v * width + u] = disparity > 0 ? Math.round((351.3 / disparity) * 1000) / 1000 : 0;
    }
  }
  return { width, height, data };
};

/** Whether another surface (a jump of depth or a turn of the normal) is nearer than 8 px. */
const nearEdge = ({ depth, normals }: RenderedScene, u: number, v: number): boolean => {
  const { width, height } = camera;
  const here = v * width + u;
  for (let y = Math.max(0, v - 8); y <= Math.min(height - 1, v + 8); y += 2) {
    for (let x = Math.max(0, u - 8); x <= Math.min(width - 1, u + 8); x += 2) {
      const there = y * width + x;
      if (Math.abs(depth[there]! / depth[here]! - 1) > 0.05) return true;
      let cosine = 0;
      for (let c = 0; c < 3; c++) cosine += normals[here * 3 + c]! * normals[there * 3 + c]!;
      if (cosine < Math.cos((20 * Math.PI) / 180)) return true;
    }
  }
  return false;
};

const errorsOf = (map: NormalMap, scene: RenderedScene): { all: number[]; edge: number[]; known: number } => {
  const [all, edge]: [number[], number[]] = [[], []];
  for (let i = 0; i < map.valid.length; i++) {
    if (!map.valid[i]) continue;
    const u = gridPixel(i % map.width, map.width, camera.width);
    const v = gridPixel(Math.floor(i / map.width), map.height, camera.height);
    let cosine = 0;
    for (let c = 0; c < 3; c++) cosine += map.normals[i * 3 + c]! * scene.normals[(v * camera.width + u) * 3 + c]!;
    const error = (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
    all.push(error);
    if (nearEdge(scene, u, v)) edge.push(error);
  }
  return { all, edge, known: map.valid.reduce((sum: number, value) => sum + value, 0) / map.valid.length };
};

const scenes = Array.from({ length: Number(process.argv[2] ?? 4) }, (_, i) =>
  renderScene(drawScene(RandomStream.of(7, 'bench', i), camera)),
);
for (const [name, sense] of [
  ['clean', clean],
  ['kinect', kinect],
] as const) {
  const began = performance.now();
  const found = scenes.map((scene, i) =>
    errorsOf(normalsFromDepth(sense(scene, RandomStream.of(1, 'noise', i)), camera), scene),
  );
  const seconds = (performance.now() - began) / 1000 / scenes.length;
  const all = found.flatMap((part) => part.all);
  const edge = found.flatMap((part) => part.edge);
  const over = (100 * all.filter((error) => error > 20).length) / all.length;
  const line = (values: number[]): string => `mean ${mean(values).toFixed(2)} median ${median(values).toFixed(2)}`;
  console.log(
    `${name}: all ${line(all)}, near edges ${line(edge)} (degrees); over 20 degrees ${over.toFixed(2)} %; ` +
      `known ${(100 * mean(found.map(({ known }) => known))).toFixed(1)} %; ${seconds.toFixed(2)} s a picture`,
  );
}
