import { z } from 'zod';
import type { Box } from '../src/numeric/box.js';

const box = z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]);
const frame = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * Why a track is wrong. `background`: the box stayed on, or slid onto, what is behind the thing; `other-object`: it went over to another
 * thing, which may hide the first; `static`: it stayed on a caption, watermark or logo; `gone`: the thing has left the picture, or the
 * shot has changed, and the box shows nothing of this.
 */
export const auditErrors = ['background', 'other-object', 'static', 'gone'] as const;

/**
 * What one who looked says of a track: `same`, or where the thing truly is at the end (`moved`), or that it is `gone`. `background`:
 * both ends show the same, but nothing in the box moves by itself. `doubtful`: still in doubt after the frames between; the verdict
 * is then the stricter one.
 */
export const verdictSchema = z
  .strictObject({
    verdict: z.enum(['same', 'moved', 'gone']),
    end: box.optional(),
    error: z.enum(auditErrors).optional(),
    background: z.literal(true).optional(),
    doubtful: z.literal(true).optional(),
    note: z.string().optional(),
  })
  .refine(({ verdict, end }) => (verdict === 'moved') === (end !== undefined), {
    message: 'Expected `end` where the verdict is `moved`, and only there',
  })
  .refine(({ verdict, error }) => (verdict === 'same') === (error === undefined), {
    message: 'Expected `error` where the verdict is not `same`, and only there',
  });

/** A file of verdicts by number of the track. */
export const verdictsSchema = z.record(z.string().regex(/^\d+$/), verdictSchema);

/** A verdict on one track. */
export type Verdict = z.infer<typeof verdictSchema>;

const trackFields = {
  id: z.int().min(1),
  video: sha256,
  clip: z.string(),
  workingSize: z.tuple([z.int().positive(), z.int().positive()]),
  startFrame: frame,
  endFrame: frame,
  window: frame,
  start: box,
  /** Where the tracker ended. */
  tracked: box,
};

/** A track that was drawn to be looked at; boxes are `[x, y, width, height]`, pixels of the working size. */
export const drawnTrackSchema = z.strictObject(trackFields);
/** A track that was drawn to be looked at. */
export type DrawnTrack = z.infer<typeof drawnTrackSchema>;

const stepSchema = z.strictObject({ video: sha256, startFrame: frame, paper: z.string().optional() });
/** A time-step that was drawn, with or without pairs; `paper`: what the rule of the paper comes to there. */
export type AuditedStep = z.infer<typeof stepSchema>;

/** From what was drawn: seed, options of the mining, and how much there was. */
const drawnFields = {
  seed: z.int(),
  mining: z.record(z.string(), z.unknown()),
  clips: z.int(),
  timeSteps: z.int(),
  pairs: z.int(),
};

/** What was drawn, by which options and seed. */
export const drawSchema = z.strictObject({
  ...drawnFields,
  steps: z.array(stepSchema),
  tracks: z.array(drawnTrackSchema),
});
/** What was drawn, by which options and seed. */
export type AuditDraw = z.infer<typeof drawSchema>;

const labelSchema = z.strictObject({
  ...trackFields,
  /** Where the thing truly is at the end; equal to `tracked` where the track is right. */
  truth: z.union([box, z.literal('gone')]),
  error: z.enum(auditErrors).optional(),
  background: z.literal(true).optional(),
  doubtful: z.literal(true).optional(),
  note: z.string().optional(),
});

/** A track that was looked at. */
export type AuditLabel = z.infer<typeof labelSchema>;

/** `test/audit/labels.json`: every drawn time-step and every label. */
export const auditSchema = z.strictObject({
  drawn: z.strictObject(drawnFields),
  steps: z.array(stepSchema),
  labels: z.array(labelSchema),
});
/** The audit: what was drawn, and what was seen. */
export type Audit = z.infer<typeof auditSchema>;

/** `[x, y, width, height]` as a box. */
export const toBox = ([x, y, width, height]: readonly [number, number, number, number]): Box => ({
  ...{ x, y, width, height },
});
/** A box as `[x, y, width, height]`, hundredths of a pixel. */
export const fromBox = ({ x, y, width, height }: Box): [number, number, number, number] =>
  [x, y, width, height].map((value) => Math.round(value * 100) / 100) as [number, number, number, number];
