/** Rows that are not methods: what the pairs or the training must beat to have meant anything. In the order of the tables. */
export const controls: Readonly<Record<string, string>> = {
  random: 'random weights, no training',
  shuffled: 'positives from any other video; a pair counts as of the video of its first end',
  'same-video': 'positives from another place of the same video',
  untracked: 'positives from the same place at the end of the track, not tracked',
  self: 'two augmentations of one patch',
  supervised: "trained from random weights on the target's own labels",
  'no-image': 'the mean of the training part, wherever it is looked at; no network',
  hog: 'histograms of oriented gradients, no network',
  colour: 'colour histograms, no network',
  imported: 'weights that were brought along, each one network as it is',
};

/** Controls that no seed can change: measured once, and without a spread. */
const seedless: ReadonlySet<string> = new Set(['no-image', 'hog', 'colour', 'imported']);

/**
 * The control that a row is, by its name in `controls`; undefined for a method. Imported weights are rows `imported-<name>`; what
 * was made of a control, `random-ensemble` or `shuffled-iterative`, is no more a method than the control.
 */
export const controlOf = (method: string): string | undefined => {
  if (method.startsWith('imported-')) return 'imported';
  const base = method.replace(/(-iterative)?(-ensemble)?$/, '');
  return Object.hasOwn(controls, base) ? base : undefined;
};

/** Whether a row's name is that of a control. */
export const isControl = (method: string): boolean => controlOf(method) !== undefined;

/** Whether a row's values depend on no seed, so that one value is all there is to know. */
export const isSeedless = (method: string): boolean => seedless.has(controlOf(method) ?? '');

/** Methods in the order given, then controls in the order of `controls`; each once. */
export const orderMethods = (methods: readonly string[]): string[] => {
  const names = [...new Set(methods)];
  return [undefined, ...Object.keys(controls)].flatMap((control) =>
    names.filter((name) => controlOf(name) === control),
  );
};
