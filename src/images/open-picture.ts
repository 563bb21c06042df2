import sharp, { type Sharp } from 'sharp';

/**
 * Most pixels of a picture that is decoded: more than any single camera takes, and half a gigabyte of colours. A file of some kilobytes can
 * claim any number.
 */
export const maxPicturePixels = 2 ** 27;

/** Longest side of a picture, px, as in JPEG. A PNG can claim rows of millions of pixels, of which decoders hold several. */
export const maxPictureSide = 65_535;

/** Most pixels of a frame of depth or normals: four times what sensors have. */
export const maxFramePixels = 2 ** 25;

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).equals(pngSignature);

/** Refuses a PNG by the sides that its header claims; the other formats can claim no longer ones. */
const checkSides = (bytes: Buffer): void => {
  if (!isPng(bytes) || bytes.length < 24) return;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (Math.max(width, height) > maxPictureSide)
    throw new Error(`expected sides of at most ${maxPictureSide} px, got ${width} x ${height}`);
};

const signatures: readonly ((bytes: Buffer) => boolean)[] = [
  (bytes) => bytes.length > 2 && bytes.readUIntBE(0, 3) === 0xffd8ff,
  isPng,
  (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
];

/**
 * Opens the bytes of a JPEG, PNG or WebP, whatever their file is called. Nothing else reaches the decoders: the library also opens
 * drawings (SVG), which are programs that name other files, and formats of many pages. Of an animation it is the first picture.
 *
 * @throws Error where it is another format; later, by the library, where it is broken or has more than `maxPixels`
 */
export const openPicture = (
  bytes: Buffer,
  { maxPixels = maxPicturePixels, strict = true }: { readonly maxPixels?: number; readonly strict?: boolean } = {},
): Sharp => {
  if (!signatures.some((fits) => fits(bytes))) {
    const head = bytes.toString('latin1', 0, 8).replace(/[^\x20-\x7e]/g, '.');
    throw new Error(
      `expected a JPEG, PNG or WebP, got ${bytes.length === 0 ? 'no bytes' : `bytes that begin \`${head}\``}`,
    );
  }
  checkSides(bytes);
  return sharp(bytes, { limitInputPixels: maxPixels, ...(strict ? { failOn: 'error' } : {}) });
};
