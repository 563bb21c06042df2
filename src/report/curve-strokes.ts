/** How the curves of one chart are told apart: a colour and, where colours do not suffice, a pattern of dashes for each, in order. */
export type CurveStrokes = {
  readonly colours: readonly string[];
  /** Lengths in px of stroke and gap, in turn; absent where all curves have colours of their own. */
  readonly dashes?: readonly (readonly number[])[];
};

/** The first round of colours is drawn through, the next ones in dashes, dots, and both. */
const patterns = [
  [1, 0],
  [7, 3],
  [2, 2],
  [8, 3, 2, 3],
];

/**
 * Strokes of the curves `shown` in one chart. A curve has the colour of its place among `names` (those of all charts that are to
 * agree), modulo the palette. Where two curves of this chart would share a colour, all of them go by their place within the chart;
 * where it holds more curves than the palette colours, those of a later round are dashed.
 */
export const curveStrokes = (
  shown: readonly string[],
  names: readonly string[],
  palette: readonly string[],
): CurveStrokes => {
  const agreed = shown.map((name) => Math.max(0, names.indexOf(name)) % palette.length);
  const places = new Set(agreed).size === shown.length ? agreed : [...shown.keys()];
  const colours = places.map((place) => palette[place % palette.length]!);
  if (shown.length <= palette.length) return { colours };
  const dashes = places.map((place) => patterns[Math.floor(place / palette.length) % patterns.length]!);
  return { colours, dashes };
};
