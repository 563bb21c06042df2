import { html, type Html } from '../page/html.js';
import { shortNumber } from './limits.js';

const width = 220;
const height = 60;
const left = 4;
/** Room for the limit's number, right of the curve. */
const right = 26;

/** The tracker's response, frame by frame, on a scale from 0 to 1, with the limit it must not fall below as a dashed line. */
export const peakCurve = (peaks: readonly number[], limit: number | undefined): Html => {
  const x = (k: number): number => left + (k / Math.max(1, peaks.length - 1)) * (width - left - right);
  const y = (peak: number): number => 3 + (1 - Math.min(1, Math.max(0, peak))) * (height - 6);
  const line = peaks.map((peak, k) => `${k === 0 ? 'M' : 'L'}${x(k).toFixed(1)} ${y(peak).toFixed(1)}`).join('');
  const lowest = peaks.reduce((best, peak, k) => (peak < peaks[best]! ? k : best), 0);
  const words = `Response peak over ${peaks.length} frames, lowest ${shortNumber(peaks[lowest]!)} after ${lowest + 1}`;
  return html`<svg class="marks peaks" role="img" aria-label="${words}" viewBox="0 0 ${width} ${height}">
    <title>${words}</title>
    <path class="axis" d="M${left} ${height - 3}h${width - left - right}M${left} 3h${width - left - right}" />
    ${
      limit !== undefined &&
      html`<path class="limit" d="M${left} ${y(limit).toFixed(1)}h${width - left - right}" />
        <text class="faint" x="${width - right + 3}" y="${(y(limit) + 3.5).toFixed(1)}">${shortNumber(limit)}</text>`
    }
    <path class="curve" d="${line}" />
    <circle class="curve-end" cx="${x(lowest).toFixed(1)}" cy="${y(peaks[lowest]!).toFixed(1)}" r="2.5" />
  </svg>`;
};
