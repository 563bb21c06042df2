/** A 3x3 projective map in row order: `(x, y) -> ((h0 x + h1 y + h2) / w, (h3 x + h4 y + h5) / w)` with `w = h6 x + h7 y + h8`. */
export type Homography = readonly [number, number, number, number, number, number, number, number, number];

/** The map that leaves every point where it is. */
export const identityMap: Homography = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Shifts by (`x`, `y`) pixels. */
export const shift = (x: number, y: number): Homography => [1, 0, x, 0, 1, y, 0, 0, 1];

/** Turns by `angle` radians (from x towards y, which is clockwise on a screen) and scales by `scaleX`, `scaleY` before turning. */
export const turnAndScale = (angle: number, scaleX: number, scaleY: number = scaleX): Homography => {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  return [c * scaleX, -s * scaleY, 0, s * scaleX, c * scaleY, 0, 0, 0, 1];
};

const multiply = (a: Homography, b: Homography): Homography => [
  a[0] * b[0] + a[1] * b[3] + a[2] * b[6],
  a[0] * b[1] + a[1] * b[4] + a[2] * b[7],
  a[0] * b[2] + a[1] * b[5] + a[2] * b[8],
  a[3] * b[0] + a[4] * b[3] + a[5] * b[6],
  a[3] * b[1] + a[4] * b[4] + a[5] * b[7],
  a[3] * b[2] + a[4] * b[5] + a[5] * b[8],
  a[6] * b[0] + a[7] * b[3] + a[8] * b[6],
  a[6] * b[1] + a[7] * b[4] + a[8] * b[7],
  a[6] * b[2] + a[7] * b[5] + a[8] * b[8],
];

/** One map from several, the last applied first: `compose(a, b)(p) = a(b(p))`. */
export const compose = (...maps: readonly Homography[]): Homography => maps.reduce(multiply, identityMap);

/** The inverse map. Throws a `RangeError` where there is none. */
export const invertMap = (m: Homography): Homography => {
  const a = m[4] * m[8] - m[5] * m[7];
  const b = m[5] * m[6] - m[3] * m[8];
  const c = m[3] * m[7] - m[4] * m[6];
  const determinant = m[0] * a + m[1] * b + m[2] * c;
  if (!(Math.abs(determinant) > 1e-12)) {
    throw new RangeError(`Expected \`m\` to be a map with an inverse, got determinant \`${determinant}\``);
  }
  const f = 1 / determinant;
  return [
    a * f,
    (m[2] * m[7] - m[1] * m[8]) * f,
    (m[1] * m[5] - m[2] * m[4]) * f,
    b * f,
    (m[0] * m[8] - m[2] * m[6]) * f,
    (m[2] * m[3] - m[0] * m[5]) * f,
    c * f,
    (m[1] * m[6] - m[0] * m[7]) * f,
    (m[0] * m[4] - m[1] * m[3]) * f,
  ];
};

/** Where a map takes a point. */
export const mapPoint = (m: Homography, x: number, y: number): [number, number] => {
  const w = m[6] * x + m[7] * y + m[8];
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w];
};
