import { quantile } from '../../numeric/statistics.js';
import { html, type Html } from '../page/html.js';
import { fieldName, limitInWords, shortNumber } from './limits.js';
import type { TalliedNumber } from './number-tally.js';

const bins = 32;
const plot = { left: 34, right: 8, top: 14, bottom: 22 };

/** Round steps for an axis, at most about `count` of them. */
const ticksOf = (low: number, high: number, count: number): number[] => {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) =>
    Number(((first + k) * step).toPrecision(12)),
  );
};

type Axis = { readonly low: number; readonly high: number; readonly cutLow: boolean; readonly cutHigh: boolean };

/** From the smallest to the largest value, but for the outermost half percent, and far enough to show the limits. */
const axisOf = ({ kept, refused, limit }: TalliedNumber): Axis => {
  const all = [...kept, ...refused];
  const limits = [limit?.min, limit?.max].filter((one): one is number => one !== undefined);
  const low = Math.min(quantile(all, 0.005), ...limits);
  const high = Math.max(quantile(all, 0.995), ...limits);
  const least = all.reduce((a, b) => Math.min(a, b), Infinity);
  const most = all.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low === high) return { low: low - 0.5, high: high + 0.5, cutLow: false, cutHigh: false };
  return { low, high, cutLow: least < low, cutHigh: most > high };
};

const countsOf = (values: readonly number[], { low, high }: Axis): number[] => {
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    counts[Math.max(0, Math.min(bins - 1, bin))]!++;
  }
  return counts;
};

/** What a histogram shows, for those who do not see it. */
const inWords = ({ field, kept, refused, limit, beyond, seen }: TalliedNumber): string => {
  const half = (values: readonly number[]): string =>
    values.length === 0
      ? ''
      : `, half of them between ${shortNumber(quantile(values, 0.25))} and ${shortNumber(quantile(values, 0.75))}`;
  const asked = limit === undefined ? 'no limit' : `limit: ${limitInWords(limit)}, ${beyond} of ${seen} beyond it`;
  return `${fieldName(field)}: ${kept.length} that went on${half(kept)}; ${refused.length} that did not${half(refused)}; ${asked}.`;
};

/**
 * A histogram as SVG: what went on from below (green), what did not on top of it (red), limits as dashed lines. Values beyond the
 * outermost half percent stand in the outermost bins.
 */
export const histogram = (number: TalliedNumber, { width = 340, height = 130 } = {}): Html => {
  const axis = axisOf(number);
  const { low, high } = axis;
  const kept = countsOf(number.kept, axis);
  const refused = countsOf(number.refused, axis);
  const tallest = Math.max(1, ...kept.map((count, k) => count + refused[k]!));
  const inner = { width: width - plot.left - plot.right, height: height - plot.top - plot.bottom };
  const floor = plot.top + inner.height;
  const x = (value: number): number => plot.left + ((value - low) / (high - low)) * inner.width;
  const tall = (count: number): number => (count / tallest) * inner.height;
  const place = (value: number): string => value.toFixed(1);
  const bar = (k: number, from: number, count: number, name: string): Html | false =>
    count > 0 &&
    html`<rect
      class="${name}"
      x="${place(plot.left + (k * inner.width) / bins)}"
      y="${place(floor - tall(from + count))}"
      width="${place(inner.width / bins - 0.5)}"
      height="${place(Math.max(0.8, tall(count)))}"
    />`;
  const limits = [number.limit?.min, number.limit?.max].filter((one): one is number => one !== undefined);
  return html`<svg class="marks histogram" role="img" aria-label="${inWords(number)}" viewBox="0 0 ${width} ${height}">
    <text class="faint" x="${plot.left - 4}" y="${plot.top + 4}" text-anchor="end">${tallest}</text>
    <text class="faint" x="${plot.left - 4}" y="${floor}" text-anchor="end">0</text>
    ${kept.map((count, k) => [bar(k, 0, count, 'kept'), bar(k, count, refused[k]!, 'refused')])}
    <path class="axis" d="M${plot.left} ${floor}h${inner.width}" />
    ${ticksOf(low, high, 5).map(
      (tick) =>
        html`<path class="axis" d="M${place(x(tick))} ${floor}v3" />
          <text class="faint" x="${place(x(tick))}" y="${floor + 14}" text-anchor="middle"
            >${tick === 0 ? '0' : shortNumber(tick)}</text
          >`,
    )}
    ${limits.map(
      (limit) =>
        html`<path class="limit" d="M${place(x(limit))} ${plot.top - 4}V${floor}" />
          <text x="${place(x(limit))}" y="${plot.top - 5}" text-anchor="${x(limit) > width / 2 ? 'end' : 'start'}"
            >${shortNumber(limit)}</text
          >`,
    )}
  </svg>`;
};

/** One histogram with its title, as the member of a grid. */
export const histogramFigure = (number: TalliedNumber): Html =>
  html`<figure>
    <p class="chart-title">${number.kind}: ${fieldName(number.field)}</p>
    ${histogram(number)}
  </figure>`;
