import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { z } from 'zod';
import type { Figure } from '../pipeline/figure.js';

const curvesSchema = z.object({
  x: z.string(),
  y: z.string(),
  series: z.array(z.object({ name: z.string(), points: z.array(z.tuple([z.number(), z.number()])) })),
  lines: z.array(z.object({ name: z.string(), y: z.number() })).optional(),
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
  /** One curve each, in order; they are used again where there are more. */
  readonly series: readonly string[];
  readonly bar: string;
  readonly fontSize: number;
  readonly width: number;
  readonly legend: 'right' | 'bottom';
};

/** Black on white, as a file of its own. */
export const onWhite: ChartLook = {
  background: 'white',
  ink: '#222',
  faint: '#666',
  halo: 'white',
  series: vega.scheme('tableau10') as unknown as readonly string[],
  bar: '#4c78a8',
  fontSize: 11,
  width: 560,
  legend: 'right',
};

const colourOf = (name: string, names: readonly string[], { series }: ChartLook): string =>
  series[Math.max(0, names.indexOf(name)) % series.length]!;

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

/** Compiles and draws a Vega-Lite specification in a look, as an SVG document. */
export const renderChart = async (spec: object, look: ChartLook): Promise<string> => {
  const { background, width } = look;
  const whole = { width, background, padding: 8, config: configOf(look), ...spec } as vegaLite.TopLevelSpec;
  const view = new vega.View(vega.parse(vegaLite.compile(whole).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
};

const curvesSpec = (
  { x, y, series, lines = [] }: z.infer<typeof curvesSchema>,
  names: readonly string[],
  look: ChartLook,
): object => {
  const shown = series.map(({ name }) => name);
  const values = series.flatMap(({ name, points }) => thin(points).map(([px, py]) => ({ x: px, y: py, name })));
  const steps = values.map((point) => point.x);
  const yAxis = { field: 'y', type: 'quantitative', title: y, scale: { zero: false } };
  const curve = {
    data: { values },
    // Not clipped: Vega numbers clip paths through the process, and the same figure would give other bytes.
    mark: { type: 'line', strokeWidth: 2 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: x,
        scale: { zero: false, nice: false },
        axis: steps.every(Number.isInteger) ? wholeTicks(steps) : {},
      },
      y: yAxis,
      // The order of the series is that of the data, and so are the colours.
      color: {
        field: 'name',
        type: 'nominal',
        title: null,
        scale: { domain: shown, range: shown.map((name) => colourOf(name, names, look)) },
        legend: {
          ...uncut,
          ...{ symbolType: 'stroke', symbolStrokeWidth: 3, symbolSize: 200 },
          ...(look.legend === 'bottom' ? { orient: 'bottom', columns: 4 } : {}),
        },
      },
    },
  };
  // Grey and named where they lie: a line that is no curve has no place in the legend.
  const named = lines.map((line) => ({ ...line, label: `${line.name} ${Number(line.y.toPrecision(4))}` }));
  const ruled = {
    data: { values: named },
    encoding: { y: yAxis },
    layer: [
      { mark: { type: 'rule', strokeDash: [5, 4], color: look.faint } },
      // Written twice: the white one keeps a curve behind it from running through the letters.
      ...[{ stroke: look.halo, strokeWidth: 4 }, {}].map((halo) => ({
        mark: { type: 'text', align: 'right', baseline: 'bottom', dx: -4, dy: -3, color: look.ink, ...halo },
        encoding: { x: { value: 'width' }, text: { field: 'label', type: 'nominal' } },
      })),
    ],
  };
  return { layer: lines.length > 0 ? [curve, ruled] : [curve], height: 300 };
};

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

/** The names of a figure's curves, in their order; none for other kinds. */
export const seriesNames = (figure: Figure): string[] =>
  figure.kind === 'curves' ? curvesSchema.parse(figure.data).series.map(({ name }) => name) : [];

/**
 * A curves or bars figure as an SVG document. `lines` (a loss's uniform value) are dashed and named where they lie. The place of
 * a curve's name among `names` (default: the figure's own) gives its colour, so that several charts can agree on it. Throws
 * where `data` does not have the shape that `Figure` promises.
 */
export const drawChart = async (
  figure: Figure,
  names: readonly string[] = seriesNames(figure),
  look: ChartLook = onWhite,
): Promise<string> => {
  const spec =
    figure.kind === 'curves'
      ? curvesSpec(curvesSchema.parse(figure.data), names, look)
      : barsSpec(barsSchema.parse(figure.data), look);
  return renderChart(spec, look);
};
