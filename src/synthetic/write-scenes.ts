import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { encodePng16, writeRaster, writeWhole } from '../drawing/image-file.js';
import { normalsPicture } from '../drawing/normals-picture.js';
import { RandomStream } from '../numeric/random.js';
import { renderScene, type SolidTruth } from './render-scene.js';
import { drawScene, sceneCamera } from './scene-spec.js';

/** Depth in metres as it is stored: whole millimetres, 0 for none. */
export const depthMillimetres = (depth: Float32Array): Uint16Array =>
  Uint16Array.from(depth, (metres) => Math.min(65535, Math.round(metres * 1000)));

/** A picture's solids as Pascal VOC XML: box corners are the first and the last pixel, counted from 1. */
const annotation = (name: string, width: number, height: number, solids: readonly SolidTruth[]): string => {
  const objects = solids.map(
    ({ class: label, box, truncated }) =>
      `\t<object>\n\t\t<name>${label}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>${Number(truncated)}</truncated>\n` +
      `\t\t<difficult>0</difficult>\n\t\t<bndbox><xmin>${box.x + 1}</xmin><ymin>${box.y + 1}</ymin>` +
      `<xmax>${box.x + box.width}</xmax><ymax>${box.y + box.height}</ymax></bndbox>\n\t</object>\n`,
  );
  return (
    `<annotation>\n\t<folder>color</folder>\n\t<filename>${name}.png</filename>\n` +
    `\t<size><width>${width}</width><height>${height}</height><depth>3</depth></size>\n\t<segmented>0</segmented>\n` +
    `${objects.join('')}</annotation>\n`
  );
};

/**
 * Writes `count` (default 48) rendered rooms into `dir`: `color/N.png`, `depth/N.png` (16 bits, millimetres), `normal/N.png`
 * (`round((n + 1) / 2 * 255)`), `Annotations/N.xml` (Pascal VOC) and one `camera.json` (intrinsic matrix by columns). Scene N
 * depends on (seed, N) alone.
 */
export const writeScenes = async (dir: string, seed: number, count = 48): Promise<void> => {
  for (const folder of ['color', 'depth', 'normal', 'Annotations'])
    await mkdir(path.join(dir, folder), { recursive: true });
  const { width, height, fx, fy, cx, cy } = sceneCamera;
  for (let index = 0; index < count; index++) {
    const scene = renderScene(drawScene(RandomStream.of(seed, 'scene', index)));
    await writeRaster(path.join(dir, 'color', `${index}.png`), scene.color);
    await writeWhole(
      path.join(dir, 'depth', `${index}.png`),
      await encodePng16(depthMillimetres(scene.depth), width, height),
    );
    await writeRaster(path.join(dir, 'normal', `${index}.png`), normalsPicture(scene.normals, width, height));
    await writeWhole(
      path.join(dir, 'Annotations', `${index}.xml`),
      annotation(String(index), width, height, scene.solids),
    );
  }
  const camera = { width, height, intrinsic_matrix: [fx, 0, 0, 0, fy, 0, cx, cy, 1] };
  await writeWhole(path.join(dir, 'camera.json'), `${JSON.stringify(camera, null, 2)}\n`);
};
