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

const barsSchema = z.object({ bars: z.array(z.object({ name: z.string(), value: z.number() })) });

/** More points than a line's pixels only make the file large; the first and the last of each stretch stay. */
const mostPoints = 600;

const thin = <T>(points: readonly T[]): T[] => {
  if (points.length <= mostPoints) return [...points];
  return Array.from(
    { length: mostPoints },
    (_, k) => points[Math.round((k * (points.length - 1)) / (mostPoints - 1))]!,
  );
};

const specOf = (figure: Figure): object => {
  if (figure.kind === 'curves') {
    const { x, y, series, lines = [] } = curvesSchema.parse(figure.data);
    const values = series.flatMap(({ name, points }) => thin(points).map(([px, py]) => ({ x: px, y: py, name })));
    const color = { field: 'name', type: 'nominal', title: null, scale: { scheme: 'tableau10' }, sort: null };
    const curve = {
      data: { values },
      // Not clipped: Vega numbers clip paths through the process, and the same figure would give other bytes.
      mark: { type: 'line' },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: x },
        y: { field: 'y', type: 'quantitative', title: y, scale: { zero: false } },
        color,
      },
    };
    const rule = {
      data: { values: lines },
      mark: { type: 'rule', strokeDash: [5, 4] },
      encoding: { y: { field: 'y', type: 'quantitative' }, color },
    };
    return { layer: lines.length > 0 ? [curve, rule] : [curve] };
  }
  const { bars } = barsSchema.parse(figure.data);
  return {
    data: { values: bars },
    mark: 'bar',
    encoding: {
      x: { field: 'value', type: 'quantitative', title: null },
      y: { field: 'name', type: 'nominal', title: null, sort: null },
    },
  };
};

/**
 * A curves or bars figure as an SVG document. `lines` (a loss's uniform value) are dashed. Throws where `data` does not have the
 * shape that `Figure` promises.
 */
export const drawChart = async (figure: Figure): Promise<string> => {
  const spec = { ...specOf(figure), width: 520, height: 300, background: 'white', padding: 8 } as vegaLite.TopLevelSpec;
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
};
