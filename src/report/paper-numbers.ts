/** A number that somebody else published. */
export type PublishedNumber = {
  readonly task: string;
  /** The row whose method it is of; absent for the triplet network. */
  readonly method?: string;
  readonly what: string;
  readonly metric: string;
  readonly value: string;
  readonly source: string;
};

/**
 * What Wang & Gupta (ICCV 2015) say of their own networks, as their abstract states it. Only numbers that were checked against a
 * text stand here; those of single networks and of surface normals were not.
 */
const paperNumbers: readonly PublishedNumber[] = [
  {
    task: 'detection',
    what: 'ensemble of networks trained on 100 000 unlabelled videos, fine-tuned on VOC 2012, no box regression',
    metric: 'mAP, VOC 2012 test, %',
    value: '52',
    source: 'abstract of arXiv 1505.00687',
  },
  {
    task: 'detection',
    what: 'its counterpart: ensemble of networks trained on ImageNet with labels',
    metric: 'mAP, VOC 2012 test, %',
    value: '54.4',
    source: 'abstract of arXiv 1505.00687',
  },
];

const linear = (method: string, value: string, network: string, source: string): PublishedNumber => ({
  task: 'classification',
  method,
  what: `${method}: ${network}, trained on ImageNet without labels, a linear classifier on top`,
  metric: 'top-1, ImageNet, %',
  value,
  source,
});

const zoo = 'model zoo of VISSL';

/**
 * What is published of the image-based methods: numbers of the authors' abstracts, read-me files and released weights, or where
 * there are none that were checked, of a maintained library's runs of them, which the source then says.
 */
const methodNumbers: readonly PublishedNumber[] = [
  linear('npid', '58.5', 'ResNet-50, softmax over 65 536 negatives', 'read-me of the released code, updated model'),
  linear('pirl', '64.3', 'ResNet-50, 800 epochs', zoo),
  linear('simclr', '76.5', 'ResNet-50 four times as wide', 'abstract of arXiv 2002.05709'),
  linear('moco-v2', '71.1', 'ResNet-50, 800 epochs', 'released weights'),
  linear('byol', '74.4', 'ResNet-50, 1000 epochs', 'released weights'),
  linear('pcl-v1', '61.5', 'ResNet-50, 200 epochs', 'read-me of the released code'),
  linear('pcl-v2', '67.6', 'ResNet-50, 200 epochs', 'read-me of the released code'),
  linear('swav', '75.3', 'ResNet-50, 800 epochs, multi-crop', 'read-me of the released code'),
  linear('deepcluster', '37.9', 'AlexNet', zoo),
  linear('deepcluster-v2', '75.2', 'ResNet-50, 800 epochs, multi-crop', 'read-me of the released code of SwAV'),
  linear('cpc-v2', '71.5', 'ResNet-161', 'abstract of arXiv 1905.09272'),
  linear('rotnet', '48.2', 'ResNet-50', zoo),
  linear('jigsaw', '46.6', 'ResNet-50, 2000 permutations', zoo),
  linear('colorization', '40.1', 'ResNet-50', zoo),
];

/** The method of a row: `simclr-tracks` is SimCLR. */
const methodOf = (row: string): string => row.replace(/-(patches|tracks|tracks-plain)$/, '');

/** Those of tasks and methods that a run has results of, too: without any there is nothing that they could be held against. */
export const paperNumbersFor = (
  results: readonly { readonly task: string; readonly method: string }[],
): readonly PublishedNumber[] => {
  const tasks = new Set(results.map(({ task }) => task));
  const methods = new Set(results.map(({ method }) => methodOf(method)));
  const own = paperNumbers.filter(({ task }) => tasks.has(task) && methods.has('triplet'));
  return [...own, ...methodNumbers.filter(({ task, method }) => tasks.has(task) && methods.has(method!))];
};

/** Why the papers' numbers stand apart from those of a run. */
export const notComparable =
  'Not comparable in scale with what a run measures: a hundred thousand videos or a million pictures, larger networks, weeks of training, all of a data set to test on.';
