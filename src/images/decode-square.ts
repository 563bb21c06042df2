import { UsageError } from '../pipeline/usage-error.js';
import { openPicture } from './open-picture.js';

/**
 * Decodes a picture and resizes it to `size x size` RGB bytes without keeping its aspect.
 *
 * @param label of the picture, for messages
 * @throws UsageError where it cannot be decoded
 */
export const decodeSquare = async (encoded: Buffer, size: number, label: string): Promise<Buffer> => {
  let decoded: Buffer;
  try {
    decoded = await openPicture(encoded)
      .rotate() // as a camera's orientation flag says
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .resize(size, size, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
  } catch (error) {
    throw new UsageError(`Could not decode ${label}: ${(error as Error).message}`, { cause: error });
  }
  if (decoded.length !== size * size * 3) {
    throw new Error(`Expected ${label} to decode to ${size} x ${size} RGB, got ${decoded.length} bytes`);
  }
  return decoded;
};
