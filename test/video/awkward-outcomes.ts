import path from 'node:path';

/** Where the awkward videos lie, beside the repository. */
export const folder = path.resolve('..', 'shared', 'data', 'video', 'awkward');

/** Frames, time of the last in seconds and size; or why it is rejected. */
export type Outcome = readonly [frames: number, lastTime: number, size: string] | RegExp;

/**
 * What each of the awkward files is to give with an ffmpeg of 2024 or later. Where damage is decoded, two frames more or less are right too.
 */
export const outcomes: Record<string, Outcome> = {
  'ax_3gp_bbb_176x144_128kbps_15fps_h263.3gp': [15, 0.933, '176x144'],
  'ax_mkv_sample_with_chapters.mkv': [150, 4.967, '320x240'],
  'ax_mp4_bt601.mov': [30, 0.968, '632x422'],
  'ax_mp4_edit_list_positive_shift.mp4': [270, 9.967, '690x388'],
  'ax_mp4_h265_with_metadata_track.mp4': [3, 0.067, '388x690'],
  'ax_mp4_hdr10-av1.mp4': [127, 4.204, '388x690'],
  'ax_mp4_hlg10-color-test.mp4': [9, 0.267, '690x388'],
  'ax_mp4_iibbibb_editlist_videoonly.mp4': [12, 11, '572x468'],
  'ax_mp4_long_1080p_videoonly_lowbitrate.mp4': [10883, 362.733, '690x388'],
  'ax_mp4_sample_android_slow_motion.mp4': [7, 0.492, '690x388'],
  'ax_mp4_sample_audio_only.mp4': /only audio/,
  'ax_mp4_sample_av1.mp4': [30, 0.968, '634x422'],
  'ax_mp4_sample_empty_track.mp4': [30, 0.968, '634x422'],
  'ax_mp4_sample_fragmented.mp4': [30, 1.034, '634x422'],
  'ax_mp4_sample_fragmented_seekable.mp4': [30, 1.034, '634x422'],
  'ax_mp4_sample_fragmented_sgpd_v2.mp4': /damaged.*encrypted/,
  'ax_mp4_sample_mdat_too_long.mp4': [30, 0.968, '634x422'],
  'ax_mp4_sample_partially_fragmented.mp4': [30, 1.034, '634x422'],
  'ax_mp4_sample_portrait.mp4': [30, 0.968, '422x634'],
  'ax_mp4_sample_sef_slow_motion.mp4': [63, 2.067, '320x240'],
  'ax_mp4_sample_unsupported_brands.mp4': [30, 0.968, '634x422'],
  'ax_mp4_sample_vvc.mp4': [120, 4.958, '320x180'],
  'ax_mp4_sample_with_color_info.mp4': [9, 0.267, '388x690'],
  'ax_mp4_sample_with_colr_mdcv_and_clli.mp4': [60, 0.984, '690x388'],
  'ax_mp4_sample_with_fake_auxiliary_tracks.mp4': [5, 0.16, '10x12'],
  'ax_mp4_sample_with_it35_track.mp4': [30, 0.969, '480x270'],
  'ax_mp4_sample_without_stss.mp4': [30, 0.968, '634x422'],
  'ax_ts_sample_h262_mpeg_audio.ts': [3, 0.067, '634x422'],
  'ax_ts_sample_h264.ts': [30, 0.967, '690x388'],
  'ax_ts_sample_with_sdt.ts': /without a single decodable frame/,
  'ax_vp9_bear-vp9-odd-dimensions.webm': [30, 0.968, '160x120'],
  'ax_vp9_roadtrip-vp92-10bit.webm': [72, 2.961, '426x240'],
  'made_anamorphic_sar2.mp4': [30, 0.967, '160x120'],
  'made_bitflips.mp4': [91, 3, '320x320'],
  'made_empty.mp4': /empty/,
  'made_gray.mp4': [30, 0.967, '256x256'],
  'made_h264_10bit.mp4': [30, 0.967, '256x256'],
  'made_hard_cuts.mp4': [54, 2.12, '320x240'],
  'made_header_only_zero_duration.mp4': /without a single decodable frame/,
  'made_hevc_10bit.mkv': [30, 0.967, '256x256'],
  'made_jpeg_named.mp4': /JPEG picture/,
  'made_no_index.avi': [60, 1.967, '256x256'],
  'made_odd_333x187_yuv444.mp4': [30, 0.967, '332x186'],
  'made_one_frame.mp4': [1, 0, '256x256'],
  'made_random_bytes.mp4': /not a video/,
  'made_rotate90.mp4': [30, 1.933, '288x352'],
  'made_static.mp4': [75, 2.96, '352x288'],
  'made_truncated.webm': [26, 0.833, '256x256'],
  'made_truncated_faststart.mp4': [53, 1.733, '320x320'],
  'made_truncated_no_moov.mp4': /cut short/,
};

/** Six minutes of 1080p: decoded whole in the long tests only. */
export const long = 'ax_mp4_long_1080p_videoonly_lowbitrate.mp4';

/** The files whose damage is decoded. */
export const damaged = /bitflips|truncated/;
