import { z } from 'zod';
import { parseForeignJson } from '../../pipeline/parse-json.js';

/** A number, several of them, or a word. */
export type LoggedValue = number | string | boolean | readonly number[];

/** Fields by name. What lies inside another field is named by both: `camera.noisePx`. */
export type LoggedValues = Readonly<Record<string, LoggedValue>>;

/**
 * A line of the mining log as the page shows it: what it is about, what it came to, and every other field by its name, in the
 * order of the log. Fields of later versions are shown as they are.
 */
export type LoggedDecision = {
  /** `step`, `track`, `selection`. */
  readonly kind: string;
  readonly frame: number;
  readonly window: number | undefined;
  readonly shot: number | undefined;
  readonly outcome: string;
  readonly values: LoggedValues;
  /** Fields that hold several things of one kind (the groups of points of a time-step), by name. */
  readonly lists: Readonly<Record<string, readonly LoggedValues[]>>;
};

const lineSchema = z.looseObject({
  kind: z.string(),
  frame: z.int().min(0),
  outcome: z.string(),
  window: z.int().min(0).optional(),
  shot: z.int().min(0).optional(),
});

const valueSchema = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]);
const boxSchema = z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
const boxesSchema = z.array(boxSchema).nonempty();
const fieldsSchema = z.record(z.string(), z.unknown());

/** Fields without anything inside them. Boxes are written in words. */
const flatten = (fields: Readonly<Record<string, unknown>>, above = ''): LoggedValues => {
  const flat: Record<string, LoggedValue> = {};
  for (const [field, value] of Object.entries(fields)) {
    const known = valueSchema.safeParse(value);
    const boxes = boxesSchema.safeParse(Array.isArray(value) ? value : [value]);
    const inner = fieldsSchema.safeParse(value);
    if (known.success) flat[above + field] = known.data;
    else if (boxes.success) flat[above + field] = boxes.data.map(boxInWords).join('; ');
    else if (inner.success) Object.assign(flat, flatten(inner.data, `${above}${field}.`));
  }
  return flat;
};

const boxInWords = ({ x, y, width, height }: z.infer<typeof boxSchema>): string =>
  `${Math.round(width)} x ${Math.round(height)} at ${Math.round(x)}, ${Math.round(y)}`;

/**
 * Reads a line of the mining log.
 *
 * @throws Error naming the line where it is no decision
 */
export const parseDecision = (line: string, number: number): LoggedDecision => {
  let json: unknown;
  try {
    json = parseForeignJson(line, `line ${number}`);
  } catch {
    throw new Error(`Expected line ${number} of the mining log to be JSON, got \`${line.slice(0, 60)}\``);
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) {
    throw new Error(`Expected line ${number} of the mining log to be a decision: ${z.prettifyError(parsed.error)}`);
  }
  const { kind, frame, outcome, window, shot, ...others } = parsed.data;
  const lists: Record<string, readonly LoggedValues[]> = {};
  for (const [field, value] of Object.entries(others)) {
    const entries = z.array(fieldsSchema).nonempty().safeParse(value);
    if (entries.success && !boxesSchema.safeParse(value).success)
      lists[field] = entries.data.map((entry) => flatten(entry));
  }
  return { kind, frame, window, shot, outcome, values: flatten(others), lists };
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
