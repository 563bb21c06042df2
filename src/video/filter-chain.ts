import type { FfmpegBinary } from './ffmpeg-binary.js';
import type { VideoInfo } from './probe-video.js';

/** What of a video decides how its pictures are converted. */
export type ColourInfo = Pick<
  VideoInfo,
  'width' | 'height' | 'codec' | 'pixelFormat' | 'colorSpace' | 'colorPrimaries' | 'colorTransfer' | 'colorRange'
>;

const highDynamicRange = new Set(['smpte2084', 'arib-std-b67']);

/** Matrices that ffmpeg's own scaler converts from; at any other it refuses the whole video. */
const scalerMatrices = new Set(['unknown', 'gbr', 'bt709', 'fcc', 'bt470bg', 'smpte170m', 'smpte240m', 'bt2020nc']);

/** Matrices and primaries that zimg converts from as they are. `bt2020c` (constant luminance) it takes with no HDR transfer. */
const zimgMatrices = new Set([
  ...['gbr', 'bt709', 'fcc', 'bt470bg', 'smpte170m', 'smpte240m', 'bt2020nc', 'ycgco', 'ictcp'],
  ...['chroma-derived-nc'],
]);
const zimgPrimaries = new Set([
  ...['bt709', 'bt470m', 'bt470bg', 'smpte170m', 'smpte240m', 'film', 'bt2020', 'smpte428', 'smpte431', 'smpte432'],
  ...['jedec-p22', 'ebu3213'],
]);

const isWide = ({ colorSpace, colorPrimaries }: ColourInfo): boolean =>
  colorPrimaries === 'bt2020' || /^(bt2020|ictcp)/.test(colorSpace);

// PQ (SMPTE ST 2084) and HLG (ARIB STD-B67) to linear light in BT.2020, rolled off, and out again as BT.1886 light of BT.709.
const toneMapping = (info: ColourInfo, size: string): string[] => {
  const matrix = zimgMatrices.has(info.colorSpace) ? '' : ':min=bt2020nc';
  // Approximate powers are three times as fast, but give HLG its screen's curve channel by channel: colours 15 codes too strong.
  const exact = info.colorTransfer === 'arib-std-b67' ? ':agamma=0' : '';
  const primaries = zimgPrimaries.has(info.colorPrimaries) ? '' : ':pin=bt2020:p=bt2020';
  return [
    `zscale=${size}:f=bilinear:t=linear:npl=100${exact}${matrix}${primaries}`,
    'format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0',
    'zscale=t=bt709:m=470bg:r=limited',
  ];
};

/** Codecs whose untagged grey is limited range, as their colour is; in the others ffmpeg's grey is full range unless they say otherwise. */
const limitedUnlessTold = new Set(['h264', 'hevc', 'vvc', 'av1']);

// ffmpeg's scaler takes every grey format for full range, whatever the file says of it. Limited grey goes through "full" to "full": its
// codes stay as they are, which is what limited range wants.
const isLimitedGrey = ({ pixelFormat, colorRange, codec }: ColourInfo): boolean =>
  /^(gray\d*(le|be)?|ya\d+(le|be)?)$/.test(pixelFormat) &&
  (colorRange === 'tv' || (colorRange === 'unknown' && limitedUnlessTold.has(codec)));

const conversion = (info: ColourInfo, size: string, ffmpeg: FfmpegBinary): string[] => {
  if (isLimitedGrey(info)) return [`scale=${size}:flags=area:out_range=pc`];
  const scale = `scale=${size}:flags=area`;
  if (!scalerMatrices.has(info.colorSpace ?? 'unknown')) {
    if (info.colorSpace === 'ycgco' && ffmpeg.toneMaps) return [`zscale=${size}:f=bilinear:m=470bg:r=limited`];
    // The nearest matrix that is known: the colours are a little off rather than the video lost.
    const nearest = isWide(info) ? 'bt2020nc' : 'bt709';
    return [`setparams=colorspace=${nearest}`, `${scale}:out_color_matrix=bt601:out_range=tv`];
  }
  const untaggedHd = info.colorSpace === 'unknown' && info.width * info.height >= 1280 * 720;
  return [`${scale}${untaggedHd ? ':in_color_matrix=bt709' : ''}:out_color_matrix=bt601:out_range=tv`];
};

/**
 * The filter chain from what the file holds to planar 4:2:0 BT.601 limited range at the working size.
 *
 * - Untagged video of at least 1280 x 720 is read as BT.709 and smaller as BT.601, as players do. A matrix that ffmpeg's scaler does not
 *   know is read as the nearest it knows (YCgCo exactly, where ffmpeg has zimg).
 * - Limited-range grey stays limited.
 * - HDR (PQ, HLG), untagged primaries taken for BT.2020, is brought to linear light with 100 cd/m² as 1; its highlights are rolled off by
 *   Hable's curve on the largest of R, G, B, `h(x) / h(peak)` with `h(x) = (x (0.15 x + 0.05) + 0.004) / (x (0.15 x + 0.5) + 0.06) - 1/15`
 *   and `peak` the file's (10 where it states none); it is coded as BT.709 light for a BT.1886 screen, `x^(1/2.4)`. White paper
 *   (203 cd/m²) comes out at 193 of 255. Where ffmpeg has no zimg it stays dull.
 * - Other wide gamuts (BT.2020 or P3 without an HDR transfer) keep their primaries: their colours come out a little pale, as on a screen
 *   that does not know them. Transparency is left out: the colours below it show.
 */
export const filterChain = (
  info: ColourInfo,
  { width, height }: { readonly width: number; readonly height: number },
  ffmpeg: FfmpegBinary,
): string => {
  const size = `w=${width}:h=${height}`;
  const tones = highDynamicRange.has(info.colorTransfer) && ffmpeg.toneMaps;
  return [...(tones ? toneMapping(info, size) : conversion(info, size, ffmpeg)), 'format=yuv420p,setsar=1'].join(',');
};
