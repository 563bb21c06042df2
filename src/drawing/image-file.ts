import { rename, writeFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import type { Raster } from '../numeric/raster.js';
import { killPoint } from '../pipeline/kill-point.js';

const rawOf = (raster: Raster): Sharp =>
  sharp(raster.data, { raw: { width: raster.width, height: raster.height, channels: raster.channels } });

/** The raster as PNG (lossless). Same raster, same sharp, same bytes. */
export const encodePng = (raster: Raster): Promise<Buffer> => rawOf(raster).png({ compressionLevel: 8 }).toBuffer();

/** The raster as JPEG of the given quality (1 to 100), colour at full resolution. */
export const encodeJpeg = (raster: Raster, quality = 90): Promise<Buffer> =>
  rawOf(raster).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();

/** A grey PNG of 16 bits, as depth in millimetres is stored. `values` is `[height, width]`. */
export const encodePng16 = (values: Uint16Array, width: number, height: number): Promise<Buffer> =>
  sharp(values, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png({ compressionLevel: 8 })
    .toBuffer();

/** Writes bytes under a temporary name and renames, so that a file is whole or absent. */
export const writeWhole = async (path: string, bytes: Uint8Array | string): Promise<void> => {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, bytes);
  killPoint('before rename of an output file');
  await rename(temporary, path);
  killPoint('after rename of an output file');
};

/** Writes a raster as `.png`, or as `.jpg` if the name ends so. Throws for any other ending. */
export const writeRaster = async (path: string, raster: Raster): Promise<void> => {
  if (/\.png$/i.test(path)) return writeWhole(path, await encodePng(raster));
  if (/\.jpe?g$/i.test(path)) return writeWhole(path, await encodeJpeg(raster));
  throw new TypeError(`Expected \`path\` to end in .png or .jpg, got \`${path}\``);
};
