import sharp from 'sharp';
import type { Raster } from '../numeric/raster.js';

/** Quality at which patches are kept: at 92 with full colour resolution no artefact survives the resizing of training. */
export const defaultJpegQuality = 92;

/**
 * Encodes a picture as a baseline JPEG with full colour resolution (4:4:4) and no metadata. The same picture gives the same bytes with the same
 * libvips.
 *
 * @throws RangeError where the quality is not a whole number from 1 to 100, or the data do not fit the size
 */
export const encodeJpeg = async (raster: Raster, quality: number = defaultJpegQuality): Promise<Buffer> => {
  const { width, height, channels, data } = raster;
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) {
    throw new RangeError(`Expected \`quality\` to be a whole number from 1 to 100, got \`${quality}\``);
  }
  if (data.length !== width * height * channels) {
    throw new RangeError(`Expected ${width} x ${height} x ${channels} bytes of picture, got \`${data.length}\``);
  }
  return sharp(data, { raw: { width, height, channels } })
    .jpeg({ quality, chromaSubsampling: '4:4:4', mozjpeg: false, progressive: false })
    .toBuffer();
};

/**
 * Decodes a JPEG as RGB (a grey one gets three equal channels).
 *
 * @throws Error where it is damaged, no JPEG, or larger than `maxPixels`
 */
export const decodeJpeg = async (bytes: Uint8Array, maxPixels: number = 4096 * 4096): Promise<Raster> => {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw new Error(`Expected a JPEG (ff d8 …), got \`${Buffer.from(bytes.subarray(0, 4)).toString('hex')}\``);
  const { data, info } = await sharp(bytes, { limitInputPixels: maxPixels, failOn: 'truncated' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`Expected 3 channels of a JPEG, got \`${info.channels}\``);
  return {
    width: info.width,
    height: info.height,
    channels: 3,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
};
