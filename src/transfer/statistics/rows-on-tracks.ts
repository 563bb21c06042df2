/** How the rows on tracks are named after their method, longest first. */
const endings = ['-tracks-plain', '-tracks'] as const;

/**
 * The row of `names` that learns from single patches what `method` learns from tracks: `simclr-patches` for `simclr-tracks` and
 * `simclr-tracks-plain`, else `simclr`. Undefined where `method` is no row on tracks, or alone. (Beside pictures, `simclr` is the row
 * on pictures: who shows the comparison must know which it is.)
 */
export const patchesRowOf = (method: string, names: readonly string[]): string | undefined => {
  const ending = endings.find((one) => method.endsWith(one));
  if (ending === undefined) return undefined;
  const base = method.slice(0, -ending.length);
  return [`${base}-patches`, base].find((name) => names.includes(name));
};
