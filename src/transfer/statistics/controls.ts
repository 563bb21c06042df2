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
  encoder:
    'an ONNX encoder that was brought along, frozen; not where a protocol trains through it or reads regions (-)',
};

/** Hand-made features have no seed of their own. */
const handMade: ReadonlySet<string> = new Set(['hog', 'colour']);

/** Families of protocols that draw nothing at random: the same features give the same value. */
const withoutRandomness: ReadonlySet<string> = new Set(['knn', 'linear', 'svm', 'low-shot', 'ridge']);

/**
 * The control that a row is, by its name in `controls`; undefined for a method. Imported weights are rows `imported-<name>`, ONNX encoders
 * `encoder-<name>`; what
 * was made of a control, `random-ensemble`, `shuffled-iterative` or `random, small-half`, is no more a method than the control.
 */
export const controlOf = (method: string): string | undefined => {
  if (method.startsWith('imported-')) return 'imported';
  if (method.startsWith('encoder-')) return 'encoder';
  const base = method.replace(/, .*$/, '').replace(/(-iterative)?(-ensemble)?$/, '');
  return Object.hasOwn(controls, base) ? base : undefined;
};

/** Whether a row's name is that of a control. */
export const isControl = (method: string): boolean => controlOf(method) !== undefined;

/**
 * Whether a row's values depend on no seed, so that one value is all there is to know: `no-image` always, hand-made features under
 * protocols without randomness (`knn/…`, `linear/…`, `svm/…`, `low-shot/…`, `ridge/…`). Where a classifier or a codebook is drawn
 * by the seed they have a spread like everybody else, and so have imported weights, which are run once a seed.
 */
export const isSeedless = (method: string, protocol: string): boolean => {
  const control = controlOf(method) ?? '';
  return control === 'no-image' || (handMade.has(control) && withoutRandomness.has(protocol.split('/')[0]!));
};

/** Methods in the order given, then controls in the order of `controls`; each once. */
export const orderMethods = (methods: readonly string[]): string[] => {
  const names = [...new Set(methods)];
  return [undefined, ...Object.keys(controls)].flatMap((control) =>
    names.filter((name) => controlOf(name) === control),
  );
};
