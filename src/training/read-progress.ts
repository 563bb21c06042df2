import { z } from 'zod';
import type { Json } from '../pipeline/json.js';
import { parseForeignJson } from '../pipeline/parse-json.js';
import { UsageError } from '../pipeline/usage-error.js';
import type { TrainProgress } from './train-state.js';

const count = z.int().min(0);
/** JSON has `null` for a number that is none. */
const numeric = z.number().nullable();

/** What the rest of the training takes for granted of where a run stands. */
const progressSchema = z.looseObject({
  config: z.record(z.string(), z.json()),
  ...{ step: count, optimizerStep: count, optimizerMissed: z.record(z.string(), count) },
  weights: z.array(numeric).nullable(),
  pendingLosses: z.array(numeric),
  history: z.array(z.record(z.string(), numeric)),
  health: z.looseObject({ widest: numeric, narrow: count }),
  ...{ runtime: z.string(), threads: count },
  best: z.looseObject({ step: count, value: numeric, signal: z.string(), higher: z.boolean() }).optional(),
}) as z.ZodType<Record<string, Json>>;

/**
 * Where a run stands, out of the metadata of a checkpoint: also one that came with a run folder of strangers, whose hash is right whatever it
 * holds.
 *
 * @param file names the checkpoint in messages
 * @throws UsageError where it is something else
 */
export const readProgress = (text: string, file: string): TrainProgress => {
  const parsed = progressSchema.safeParse(parseForeignJson(text, file));
  if (parsed.success) return parsed.data as unknown as TrainProgress;
  const { path: place, message } = parsed.error.issues[0]!;
  throw new UsageError(
    `Expected the checkpoint ${file} to say where its run stands, got something else at \`${place.join('.')}\`: ${message}. ` +
      'Move the file away to begin anew',
  );
};
