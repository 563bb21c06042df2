import type { LoggedValue } from './logged-decision.js';

/** The parameters mining ran with, by name. */
export type MiningParams = Readonly<Record<string, unknown>>;

/** What a number had to be, in its own unit. */
export type Limit = { readonly min: number | undefined; readonly max: number | undefined };

/** Names of the parameters that bound a field. */
type Bounds = readonly [min?: string | undefined, max?: string];

/** Where a field is not bounded by the parameters whose names it suggests. */
const exceptions: Readonly<Record<string, Bounds>> = {
  // `maxPoints` is how many are looked for.
  points: ['minPoints'],
  // `minMovingPoints` counts those inside one window.
  movingPoints: [],
  windows: ['minMovingPoints'],
  nearestLikeness: [undefined, 'maxLikeness'],
  'clusters.points': ['minClusterPoints'],
};

/** Gates that stand open under the local rule of motion, and with windows that follow what moves. */
const isOpen = (field: string, params: MiningParams): boolean =>
  (field === 'movingShare' && params['motion'] === 'local') || (field === 'windows' && params['window'] === 'region');

/** Parameters by the name of a field; what lies inside another field has a name of its own there, and none among the parameters. */
const suggested = (field: string): Bounds => {
  if (field.includes('.')) return [];
  const capital = field[0]!.toUpperCase() + field.slice(1);
  return [field.startsWith('min') ? field : `min${capital}`, field.startsWith('max') ? field : `max${capital}`];
};

/** Area of the frames for which lengths among the parameters are meant (Wang & Gupta 2015, section 3). */
const paperArea = 448 * 600;

/** Pixels of frames of this size for one pixel of the parameters. */
export const scaleOf = ({ width, height }: { readonly width: number; readonly height: number }): number =>
  Math.sqrt((width * height) / paperArea);

/** Whether a field is a length on the frame, which the parameters give for the paper's frame. */
export const isLength = (field: string): boolean => field.endsWith('Px');

/**
 * What the parameters ask of a field of the log, by their names: `contrast` is bounded by `minContrast` and `maxContrast`,
 * `minPeak` by the parameter of that very name, lengths in proportion to the frame. Absent where no parameter bounds it.
 */
export const limitOf = (field: string, params: MiningParams, scale: number): Limit | undefined => {
  if (isOpen(field, params)) return undefined;
  const [min, max] = exceptions[field] ?? suggested(field);
  const read = (param: string | undefined): number | undefined => {
    const value = param === undefined ? undefined : params[param];
    return typeof value === 'number' ? value * (isLength(field) ? scale : 1) : undefined;
  };
  const limit = { min: read(min), max: read(max) };
  return limit.min === undefined && limit.max === undefined ? undefined : limit;
};

/** Whether a value keeps to its limit; of several numbers one has to (a window with enough points). Words have none. */
export const holds = (value: LoggedValue, { min = -Infinity, max = Infinity }: Limit): boolean => {
  if (typeof value === 'number') return value >= min && value <= max;
  return typeof value === 'object' ? value.some((one) => one >= min && one <= max) : true;
};

/** Changes of which one is enough: each alone says nothing, unless the track was refused for all of them. */
const alternatives: ReadonlySet<string> = new Set(['scaleChange', 'appearanceChange']);

/** Whether a value that does not keep to its limit counts against a decision with this outcome. */
export const counts = (field: string, outcome: string): boolean => !alternatives.has(field) || outcome === 'too-alike';

const names: Readonly<Record<string, string>> = {
  points: 'points followed',
  movingPoints: 'points that move',
  movingShare: 'share of points that move',
  windows: 'moving points in each window',
  minPeak: 'lowest response peak',
  minPeakToSidelobe: 'lowest peak-to-sidelobe ratio',
  lostAt: 'frame at which it was lost',
  followedShare: 'share of moving points the box still held',
  shareInside: 'share of the last box inside the frame',
  sidePx: 'shortest side of the last box, px',
  contrast: 'lower contrast of the two ends',
  travelPx: 'travel of the centre, px',
  sharpness: 'lower sharpness of the two ends',
  scaleChange: 'last side over first side',
  appearanceChange: 'change of appearance (1 - correlation)',
  nearestLikeness: 'likeness to the most alike pair before',
  nearestFrame: 'start frame of that pair',
  forwardBackwardIou: 'overlap, forward and back',
};

/** A field of the log in words; one that is not known yet is taken apart at its capitals. */
export const fieldName = (field: string): string =>
  names[field] ??
  field
    .replace(/\./g, ': ')
    .replace(/Px$/, ', px')
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, capital: string) => `${before} ${capital.toLowerCase()}`);

/** A number as a page shows it: four digits, no more. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(4)));

/** What was asked, in words: `at least 0.3`, `0.25 to 0.75`. */
export const limitInWords = ({ min, max }: Limit): string => {
  if (min !== undefined && max !== undefined) return `${shortNumber(min)} to ${shortNumber(max)}`;
  if (max !== undefined) return `at most ${shortNumber(max)}`;
  return min! <= 0 ? 'any' : `at least ${shortNumber(min!)}`;
};

/** A logged value in words. */
export const valueInWords = (value: LoggedValue): string => {
  if (typeof value === 'number') return shortNumber(value);
  if (typeof value === 'object') return value.length === 0 ? 'none' : value.map(shortNumber).join(', ');
  return String(value);
};
