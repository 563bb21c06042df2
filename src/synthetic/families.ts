/**
 * A family of objects, the demo's idea of a class: an outline and a surface pattern. Coordinates are object units: the
 * outline lies within the unit circle. The pattern has corners everywhere, so that sparse flow finds points on it.
 */
export type Family = {
  readonly name: string;
  /** Signed distance to the outline in object units, positive inside (exact enough near the outline to anti-alias it). */
  readonly outline: (x: number, y: number) => number;
  /** The pattern's tone in [0, 1]; one unit of `u`, `v` (the pattern's own, turned axes) is about one repeat. `x`, `y` are object coordinates. */
  readonly tone: (u: number, v: number, x: number, y: number) => number;
};

const fraction = (x: number): number => x - Math.floor(x);
const odd = (x: number): number => Math.floor(x) & 1;
const turn = 2 * Math.PI;

const starOutline = (x: number, y: number): number => {
  const sector = turn / 5;
  const radius = Math.sqrt(x * x + y * y);
  const angle = Math.abs(fraction((Math.atan2(y, x) + turn / 4) / sector + 0.5) - 0.5) * sector;
  // Distance to the line from the tip (1, 0) to the notch at half a sector.
  const notchX = 0.48 * Math.cos(sector / 2);
  const notchY = 0.48 * Math.sin(sector / 2);
  const px = radius * Math.cos(angle) - 1;
  const py = radius * Math.sin(angle);
  return (notchY * px - (notchX - 1) * py) / -Math.hypot(notchX - 1, notchY);
};

/** The families, in the order of their class numbers. */
export const families: readonly Family[] = [
  {
    name: 'ball',
    outline: (x, y) => 0.95 - Math.sqrt(x * x + y * y),
    tone: (u, v) => odd(u) ^ odd(v), // checks
  },
  {
    name: 'crate',
    outline: (x, y) => 0.76 - Math.max(Math.abs(x), Math.abs(y)),
    tone: (u, v) => {
      // Bricks with joints, every brick of its own tone.
      const row = Math.floor(v * 1.2);
      const column = Math.floor(u * 0.7 + 0.5 * (row & 1));
      if (fraction(v * 1.2) < 0.2 || fraction(u * 0.7 + 0.5 * (row & 1)) < 0.12) return 0;
      return 0.55 + 0.45 * odd(row * 3 + column * 5 + ((row * column) >> 1));
    },
  },
  {
    name: 'sail',
    outline: (x, y) => Math.min(0.5 - y, 0.5 + 0.866 * x + 0.5 * y, 0.5 - 0.866 * x + 0.5 * y),
    tone: (u, v) => odd(v + 0.9 * Math.abs(fraction(u * 0.8) - 0.5)), // zigzag
  },
  {
    name: 'star',
    outline: starOutline,
    tone: (u, v) => {
      const row = Math.floor(v); // dots, every other row shifted
      return (fraction(u + 0.5 * (row & 1)) - 0.5) ** 2 + (fraction(v) - 0.5) ** 2 < 0.09 ? 1 : 0;
    },
  },
  {
    name: 'wheel',
    outline: (x, y) => {
      const radius = Math.sqrt(x * x + y * y);
      return Math.min(0.95 - radius, radius - 0.4);
    },
    tone: (_u, _v, x, y) => odd((Math.atan2(y, x) / turn) * 14) ^ odd(Math.sqrt(x * x + y * y) * 4.2), // dartboard
  },
  {
    name: 'plus',
    outline: (x, y) => {
      const ax = Math.abs(x);
      const ay = Math.abs(y);
      return Math.max(Math.min(0.92 - ax, 0.36 - ay), Math.min(0.92 - ay, 0.36 - ax));
    },
    tone: (u, v) => (fraction(u * 0.8) + fraction(v * 0.8) < 1 ? odd(u * 0.8 + 1) ^ odd(v * 0.8) : 0.5), // triangles
  },
  {
    name: 'moon',
    outline: (x, y) => Math.min(0.95 - Math.sqrt(x * x + y * y), Math.sqrt((x - 0.55) ** 2 + y * y) - 0.62),
    tone: (u, v) => {
      const a = Math.abs(fraction(u * 0.7) - 0.5); // little crosses
      const b = Math.abs(fraction(v * 0.7) - 0.5);
      return Math.min(a, b) < 0.13 && Math.max(a, b) < 0.4 ? 1 : 0;
    },
  },
  {
    name: 'flower',
    outline: (x, y) => (0.68 + 0.26 * Math.cos(6 * Math.atan2(y, x)) - Math.sqrt(x * x + y * y)) * 0.6,
    tone: (u, v) => {
      const s = 0.5 + 0.25 * (Math.sin(2.1 * u + 1.3 * v) + Math.sin(2.9 * v - 1.1 * u + 1.7 * Math.sin(1.3 * u))); // blotches
      return s > 0.5 ? 1 : 0;
    },
  },
];

/** The families' names, in the order of their class numbers. */
export const familyNames: readonly string[] = families.map((family) => family.name);
