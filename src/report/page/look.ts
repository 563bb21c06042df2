import { onWhite, type ChartLook } from '../draw-chart.js';

/** How many colours the style sheet names for curves. */
const seriesColours = 8;

/**
 * Charts inside the page: every colour is one that the style sheet names, so that one drawing is readable in light, dark and on
 * paper. Narrow with large letters, since a phone shrinks it by a quarter.
 */
export const pageLook: ChartLook = {
  ...onWhite,
  background: null,
  ink: 'var(--ink)',
  faint: 'var(--faint)',
  halo: 'var(--paper)',
  series: Array.from({ length: seriesColours }, (_, k) => `var(--series-${k + 1})`),
  bar: 'var(--series-1)',
  fontSize: 13,
  width: 400,
  legend: 'bottom',
};
