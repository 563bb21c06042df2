import type { Raster } from '../numeric/raster.js';
import { fillBox, type Rgb } from './primitives.js';

/**
 * Glyphs of 5 x 7 pixels, drawn for this project since a fresh machine has no fonts. Seven base-32 digits a glyph, one a row
 * from the top; the digit's highest bit is the leftmost pixel.
 */
const glyphs: Readonly<Record<string, string>> = Object.fromEntries(
  (
    ' 0000000 !4444404 "aaa0000 #aavavaa $4fke5u4 %op248j3 &cik8lid \'4480000 (2488842 )8422248 *04lel40 +044v440 ' +
    ',0000448 -000v000 .00000cc /01248g0 0ehjlphe 14c4444e 2eh1248v 3v2421he 426aiv22 5vgu11he 668guhhe 7v124888 ' +
    '8ehhehhe 9ehhf12c :0cc0cc0 ;0cc0c48 <248g842 =00v0v00 >8421248 ?eh12404 @eh1dlle Aehhvhhh Buhhuhhu Cehggghe ' +
    'Dsihhhis Evgguggv Fvgguggg Gehgnhhf Hhhhvhhh Ie44444e J72222ic Khikokih Lggggggv Mhrllhhh Nhhpljhh Oehhhhhe ' +
    'Puhhuggg Qehhhlid Ruhhukih Sfgge11u Tv444444 Uhhhhhhe Vhhhhha4 Whhhllla Xhha4ahh Yhhha444 Zv1248gv [e88888e ' +
    '\\0g84210 ]e22222e ^4ah0000 _000000v `8420000 a00e1fhf bggmphhu c00egghe d11djhhf e00ehvge f698s888 g0fhhf1e ' +
    'hggmphhh i40c444e j20622ic kggikoki lc44444e m00qllhh n00mphhh o00ehhhe p00uhugg q00fhf11 r00mpggg s00ege1u ' +
    't88s8896 u00hhhjd v00hhha4 w00hhlla x00ha4ah y00hhf1e z00v248v {2448442 |4444444 }8442448 ~008l200 ±44v40v0 ' +
    '×0ha4ah0 ·0004000 –000v000 →004v400'
  )
    .match(/[^](?:[0-9a-v]{7})(?: |$)/gu)!
    .map((entry) => [[...entry][0]!, [...entry].slice(1, 8).join('')]),
);

/** What stands for a character without a glyph: an empty frame. */
const unknown = 'vhhhhhv';

/** Pixels from one character to the next, at scale 1. */
export const characterWidth = 6;
/** Pixels from one line to the next, at scale 1. */
export const lineHeight = 9;

/** The width of a line of text in pixels. */
export const textWidth = (text: string, scale = 1): number =>
  Math.max(0, [...text].length * characterWidth - 1) * scale;

/** Shortens a text to at most `width` pixels, its end replaced by `..`. */
export const fitText = (text: string, width: number, scale = 1): string => {
  if (textWidth(text, scale) <= width) return text;
  const room = Math.floor((width / scale + 1) / characterWidth);
  return room < 3 ? [...text].slice(0, Math.max(0, room)).join('') : `${[...text].slice(0, room - 2).join('')}..`;
};

/** Writes a line of text into an RGB raster, in place, its top-left corner at (`x`, `y`). Characters without a glyph are frames. */
export const drawText = (
  raster: Raster,
  text: string,
  x: number,
  y: number,
  colour: Rgb = [0, 0, 0],
  scale = 1,
): void => {
  for (const [index, character] of [...text].entries()) {
    const rows = glyphs[character] ?? unknown;
    for (let j = 0; j < 7; j++) {
      const bits = Number.parseInt(rows[j]!, 32);
      for (let i = 0; i < 5; i++) {
        if ((bits >> (4 - i)) & 1) {
          const box = { x: x + (index * characterWidth + i) * scale, y: y + j * scale, width: scale, height: scale };
          fillBox(raster, box, colour);
        }
      }
    }
  }
};
