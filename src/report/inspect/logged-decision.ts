import { z } from 'zod';

/** A number, several of them, or a word. */
export type LoggedValue = number | string | boolean | readonly number[];

/**
 * A line of the mining log as the page shows it: what it is about, what it came to, and every other field by its name, in the
 * order of the log. Fields of later versions are shown as they are.
 */
export type LoggedDecision = {
  /** `step` or `track`. */
  readonly kind: string;
  readonly frame: number;
  readonly window: number | undefined;
  readonly shot: number | undefined;
  readonly outcome: string;
  readonly values: Readonly<Record<string, LoggedValue>>;
};

const lineSchema = z.looseObject({
  kind: z.string(),
  frame: z.int().min(0),
  outcome: z.string(),
  window: z.int().min(0).optional(),
  shot: z.int().min(0).optional(),
});

const valueSchema = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]);

/**
 * Reads a line of the mining log.
 *
 * @throws Error naming the line where it is no decision
 */
export const parseDecision = (line: string, number: number): LoggedDecision => {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new Error(`Expected line ${number} of the mining log to be JSON, got \`${line.slice(0, 60)}\``);
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) {
    throw new Error(`Expected line ${number} of the mining log to be a decision: ${z.prettifyError(parsed.error)}`);
  }
  const { kind, frame, outcome, window, shot, ...others } = parsed.data;
  const values: Record<string, LoggedValue> = {};
  for (const [field, value] of Object.entries(others)) {
    const known = valueSchema.safeParse(value);
    if (known.success) values[field] = known.data;
  }
  return { kind, frame, window, shot, outcome, values };
};

/** The decisions of a log (JSON lines), in order. */
export const parseDecisions = (text: string): LoggedDecision[] =>
  text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseDecision(line, index + 1)]));

/** Whether mining went on with a time-step, or kept a track. */
export const isKept = ({ kind, outcome }: Pick<LoggedDecision, 'kind' | 'outcome'>): boolean =>
  kind === 'track' ? outcome === 'pair' : outcome === 'tracked';

/** `step: tracked`, `track: lost`, as the totals of a run name them. */
export const reasonOf = ({ kind, outcome }: Pick<LoggedDecision, 'kind' | 'outcome'>): string => `${kind}: ${outcome}`;

/** What marks a decision of one video: no two of a kind share frame and window. */
export const placeOf = ({
  kind,
  frame,
  window,
}: {
  readonly kind: string;
  readonly frame: number;
  readonly window?: number | undefined;
}): string => `${kind} ${frame} ${window ?? ''}`;
