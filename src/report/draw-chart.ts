import type { TopLevelSpec } from 'vega-lite';
import { z } from 'zod';
import type { Figure } from '../pipeline/figure.js';
import { curveStrokes } from './curve-strokes.js';

const pointsSchema = z.array(z.tuple([z.number(), z.number()]));

/** A line that is no curve: a value, or values that change along x. */
const lineSchema = z.union([
  z.object({ name: z.string(), y: z.number() }),
  z.object({ name: z.string(), points: pointsSchema.min(1) }),
]);

const curvesSchema = z.object({
  x: z.string(),
  y: z.string(),
  series: z.array(z.object({ name: z.string(), points: pointsSchema })),
  lines: z.array(lineSchema).optional(),
});

/** What a bars figure holds. */
export const barsSchema = z.object({ bars: z.array(z.object({ name: z.string(), value: z.number() })) });

/** More points than a line's pixels only make the file large; the first and the last of each stretch stay. */
const mostPoints = 600;

const thin = <T>(points: readonly T[]): T[] => {
  if (points.length <= mostPoints) return [...points];
  return Array.from(
    { length: mostPoints },
    (_, k) => points[Math.round((k * (points.length - 1)) / (mostPoints - 1))]!,
  );
};

/** Names are never cut off: Vega otherwise shortens them at a width of its own. */
const uncut = { labelLimit: 0, titleLimit: 0 };

/** Whole numbers get ticks at whole numbers, also where there are few of them. */
const wholeTicks = (values: readonly number[]): object => {
  const { least, most } = values.reduce(
    (range, x) => ({ least: Math.min(range.least, x), most: Math.max(range.most, x) }),
    { least: Infinity, most: -Infinity },
  );
  return { tickCount: Math.max(1, Math.min(10, most - least)), format: 'd' };
};

/** The colours of a chart: any that SVG takes, so that a page may name its own (`var(--ink)`). */
export type ChartLook = {
  readonly background: string | null;
  /** Letters, axes and grid; lines that are no curve; what keeps a curve from running through letters. */
  readonly ink: string;
  readonly faint: string;
  readonly halo: string;
  /** One curve each, in order; where there are more, they come again in dashes. */
  readonly series: readonly string[];
  readonly bar: string;
  readonly fontSize: number;
  readonly width: number;
  /** Where names of curves stand as long as they are short; long ones stand below the chart in any look. */
  readonly legend: 'right' | 'bottom';
};

/** Black on white, as a file of its own. */
export const onWhite: ChartLook = {
  background: 'white',
  ink: '#222',
  faint: '#666',
  halo: 'white',
  // Vega's `tableau10`.
  series: [
    ...['#4c78a8', '#f58518', '#e45756', '#72b7b2', '#54a24b'],
    ...['#eeca3b', '#b279a2', '#ff9da6', '#9d755d', '#bab0ac'],
  ],
  bar: '#4c78a8',
  fontSize: 11,
  width: 560,
  legend: 'right',
};

/** What Vega is told once about a chart's letters and axes. */
const configOf = ({ ink, fontSize, faint }: ChartLook): object => ({
  axis: {
    ...{ labelColor: ink, titleColor: ink, domainColor: faint, tickColor: faint, gridColor: faint, gridOpacity: 0.25 },
    ...{ labelFontSize: fontSize, titleFontSize: fontSize, titleFontWeight: 'normal' },
  },
  legend: { labelColor: ink, titleColor: ink, labelFontSize: fontSize },
  text: { color: ink, fontSize },
  header: { labelColor: ink, titleColor: ink, labelFontSize: fontSize, titleFontSize: fontSize },
  view: { stroke: null },
});

/**
 * Compiles and draws a Vega-Lite specification in a look, as an SVG document. Vega is loaded with the first chart: it is a third of what
 * the command line would load at every start.
 */
export const renderChart = async (spec: object, look: ChartLook): Promise<string> => {
  const { background, width } = look;
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const whole = { width, background, padding: 8, config: configOf(look), ...spec } as TopLevelSpec;
  const view = new vega.View(vega.parse(vegaLite.compile(whole).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
};

/** A name of more letters stands below the chart: beside it, it would take the room of the curves. */
const longName = 20;

/** What Vega reckons where it cannot measure: width of a letter by the size of its font. It is wider than most fonts. */
const letterWidth = 0.8;
/** What stands beside each name (its stroke and a gap), and beside the curves (their axis), px. */
const symbolRoom = 25;
const axisRoom = 40;
const smallestFont = 9;

/** Beside the chart; or below it, in as many columns as its width holds, in smaller letters where it does not even hold one. */
const legendPlace = (names: readonly string[], { legend, fontSize, width }: ChartLook): object => {
  const longest = Math.max(1, ...names.map(({ length }) => length));
  if (legend === 'right' && longest <= longName) return {};
  const room = width + axisRoom;
  const columns = Math.max(
    1,
    Math.min(names.length, Math.floor(room / (longest * letterWidth * fontSize + symbolRoom))),
  );
  const fitting = (room - symbolRoom) / (longest * letterWidth);
  return { orient: 'bottom', columns, labelFontSize: Math.max(smallestFont, Math.min(fontSize, fitting)) };
};

/** A curve of no more points is seen by them: of a single one there is no line. */
const fewPoints = 12;

const curvesSpec = (
  { x, y, series, lines = [] }: z.infer<typeof curvesSchema>,
  names: readonly string[],
  look: ChartLook,
  kind: CurveKind,
): object => {
  const shown = series.map(({ name }) => name);
  const valuesOf = (curves: typeof series): { x: number; y: number; name: string }[] =>
    curves.flatMap(({ name, points }) => thin(points).map(([px, py]) => ({ x: px, y: py, name })));
  const few = series.filter(({ points }) => points.length <= fewPoints);
  const values = valuesOf(series);
  const steps = values.map((point) => point.x);
  const heights = [
    ...values.map((point) => point.y),
    ...lines.flatMap((line) => ('y' in line ? [line.y] : line.points.map(([, py]) => py))),
  ];
  const yAxis = { field: 'y', type: 'quantitative', title: y, scale: { zero: false, ...roomAround(heights) } };
  const { colours, dashes } = curveStrokes(shown, names, look.series);
  const byName = {
    field: 'name',
    type: 'nominal',
    title: null,
    legend: {
      ...uncut,
      ...{ symbolType: 'stroke', symbolStrokeWidth: 3, symbolSize: 200, symbolFillColor: 'transparent' },
      ...legendPlace(shown, look),
    },
  };
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative',
      title: x,
      ...(kind === 'scaling' ? doublings(steps) : steadily(steps)),
    },
    y: yAxis,
    // The order of the series is that of the data, and so are the colours.
    color: { ...byName, scale: { domain: shown, range: colours } },
  };
  const strokeDash = dashes && { strokeDash: { ...byName, scale: { domain: shown, range: dashes } } };
  const curve = {
    encoding,
    layer: [
      // Not clipped: Vega numbers clip paths through the process, and the same figure would give other bytes.
      { data: { values }, mark: { type: 'line', strokeWidth: 2 }, encoding: { ...strokeDash } },
      ...(few.length > 0 ? [{ data: { values: valuesOf(few) }, mark: { type: 'circle', size: 40, opacity: 1 } }] : []),
    ],
  };
  const ruled = lines.flatMap((line, i) =>
    'y' in line ? [ruledSpec(line, yAxis, look, i % 2 === 0 ? 'right' : 'left')] : [],
  );
  const changing = lines.flatMap((line) => ('y' in line ? [] : [changingSpec(line, encoding, look)]));
  return { layer: [curve, ...ruled, ...changing], height: 300 };
};

/** Values that are all one get an axis about them: of a single tick, rounded, its place could not be read. */
const roomAround = (values: readonly number[]): { readonly domain?: readonly [number, number] } => {
  const [first = 0] = values;
  if (values.some((value) => value !== first)) return {};
  const room = Math.abs(first) / 10 || 1;
  return { domain: [first - room, first + room] };
};

const steadily = (steps: readonly number[]): object => ({
  scale: { zero: false, nice: false },
  axis: steps.every(Number.isInteger) ? wholeTicks(steps) : {},
});

/** Twice as much is as far everywhere, and what was tried is what the axis names. */
const doublings = (steps: readonly number[]): object => ({
  scale: { type: 'log', nice: false },
  axis: { values: [...new Set(steps)].sort((a, b) => a - b), format: '~r' },
});

const dashed = [5, 4];

/** Grey and named where it lies: a line that is no curve has no place in the legend. */
const ruledSpec = (
  line: { name: string; y: number },
  yAxis: object,
  look: ChartLook,
  end: 'left' | 'right',
): object => ({
  data: { values: [{ ...line, label: labelOf(line.name, line.y) }] },
  encoding: { y: yAxis },
  layer: [{ mark: { type: 'rule', strokeDash: dashed, color: look.faint } }, ...labelLayers(look, end)],
});

/** The same of a value that changes along x, named by its last. */
const changingSpec = (
  { name, points }: { name: string; points: readonly (readonly [number, number])[] },
  { x, y }: { x: object; y: object },
  look: ChartLook,
): object => {
  const values = thin(points).map(([px, py]) => ({ x: px, y: py }));
  const last = values.at(-1)!;
  return {
    encoding: { y },
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeDash: dashed, strokeWidth: 1, color: look.faint },
        encoding: { x },
      },
      { data: { values: [{ ...last, label: labelOf(name, last.y) }] }, layer: labelLayers(look) },
    ],
  };
};

const labelOf = (name: string, y: number): string => `${name} ${Number(y.toPrecision(4))}`;

/**
 * A label at an end of a line; those of several take turns, since lines may lie close. Written twice: the white one keeps a curve
 * behind it from running through the letters.
 */
const labelLayers = (look: ChartLook, end: 'left' | 'right' = 'right'): object[] =>
  [{ stroke: look.halo, strokeWidth: 4 }, {}].map((halo) => ({
    mark: {
      type: 'text',
      align: end,
      baseline: 'bottom',
      dx: end === 'right' ? -4 : 4,
      dy: -3,
      color: look.ink,
      ...halo,
    },
    encoding: { x: { value: end === 'right' ? 'width' : 0 }, text: { field: 'label', type: 'nominal' } },
  }));

const barsSpec = ({ bars }: z.infer<typeof barsSchema>, look: ChartLook): object => {
  const y = { field: 'name', type: 'nominal', title: null, sort: null, axis: uncut };
  const x = { field: 'value', type: 'quantitative', title: 'count' };
  return {
    data: { values: bars },
    encoding: { x, y },
    layer: [
      { mark: { type: 'bar', color: look.bar } },
      {
        mark: { type: 'text', align: 'left', baseline: 'middle', dx: 4 },
        encoding: { text: { field: 'value', type: 'quantitative' } },
      },
    ],
    height: { step: 20 },
  };
};

/** Kinds of figure that are drawn as curves. */
export type CurveKind = 'curves' | 'scaling';

const isCurves = ({ kind }: Figure): boolean => kind === 'curves' || kind === 'scaling';

/** The names of a figure's curves, in their order; none for other kinds. */
export const seriesNames = (figure: Figure): string[] =>
  isCurves(figure) ? curvesSchema.parse(figure.data).series.map(({ name }) => name) : [];

/** The names of the curves of all figures of a kind, each once: what its charts take their colours from, so that they agree. */
export const namesOfKind = (kind: Figure['kind'], figures: readonly { readonly figure: Figure }[]): string[] => [
  ...new Set(figures.filter(({ figure }) => figure.kind === kind).flatMap(({ figure }) => seriesNames(figure))),
];

/**
 * A curves, scaling or bars figure as an SVG document. `lines` (a loss's uniform value, one or as it changes along x) are dashed and named where they lie. The
 * place of a curve's name among `names` (default: the figure's own) gives its colour, so that several charts can agree on it,
 * unless two curves of this one would share it (see `curveStrokes`). Curves of at most 12 points are marked at each. Throws where
 * `data` does not have the shape that `Figure` promises.
 */
export const drawChart = async (
  figure: Figure,
  names: readonly string[] = seriesNames(figure),
  look: ChartLook = onWhite,
): Promise<string> => {
  const spec = isCurves(figure)
    ? curvesSpec(curvesSchema.parse(figure.data), names, look, figure.kind === 'scaling' ? 'scaling' : 'curves')
    : barsSpec(barsSchema.parse(figure.data), look);
  return renderChart(spec, look);
};
